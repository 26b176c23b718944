/** What all pictures share: their type and inks, and Vega, which turns a specification into an SVG document. */
import * as vega from 'vega';

export const FONT = 'Helvetica Neue, Helvetica, Arial, Liberation Sans, sans-serif';
export const TEXT = '#22262e';
export const FAINT = '#5c6470';
export const RULE = '#e4e7ec';

/** The SVG document of a specification. */
export async function vegaSvg(spec: vega.Spec): Promise<string> {
  const view = new vega.View(vega.parse(spec), { renderer: 'none', logLevel: vega.Error });
  const svg = await view.toSVG();
  view.finalize();
  return svg;
}

/** A title above the whole picture and, where there is one, smaller text under it; each may be several lines. */
export function pictureTitle(text: string | string[], subtitle: string | string[]): vega.Title {
  return {
    text: speakable(text),
    ...(subtitle.length === 0 ? {} : { subtitle: speakable(subtitle) }),
    anchor: 'start',
    frame: 'group',
    color: TEXT,
    fontSize: 17,
    fontWeight: 600,
    subtitleColor: FAINT,
    subtitleFontSize: 12.5,
    subtitlePadding: 5,
    offset: 14,
  };
}

/** Vega looks titles up in a plain object and trips over one that is called like an object's method: `toString`. */
function speakable(text: string | string[]): string | string[] {
  return String(text) in {} ? `${text} ` : text;
}
