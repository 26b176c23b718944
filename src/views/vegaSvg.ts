/** What all pictures share: their type and inks, and Vega, which turns a specification into an SVG document. */
import * as vega from 'vega';
import { wrap } from './format.js';

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

/** Pixels a character takes at most on average: without a browser nobody knows how wide a text is. */
const CHARACTER = { title: 10.2, subtitle: 7.1 } as const;

export interface PictureTitle {
  /** For the specification; absent where there is no title. */
  readonly title?: vega.Title;
  /** Pixels it takes above the picture. */
  readonly height: number;
}

/** A title above the whole picture, smaller text under it, both broken to lines of `across` pixels; or neither. */
export function pictureTitle(text: string, subtitle: string, across: number): PictureTitle {
  const lines = wrap(text, Math.floor(across / CHARACTER.title));
  const smaller = wrap(subtitle, Math.floor(across / CHARACTER.subtitle));
  if (lines.length === 0) return { height: 0 };
  return {
    height: 24 + 20 * lines.length + 16 * smaller.length,
    title: {
      text: speakable(lines),
      ...(smaller.length === 0 ? {} : { subtitle: speakable(smaller) }),
      anchor: 'start',
      frame: 'group',
      color: TEXT,
      fontSize: 17,
      fontWeight: 600,
      subtitleColor: FAINT,
      subtitleFontSize: 12.5,
      subtitlePadding: 5,
      offset: 14,
    },
  };
}

/** Vega looks titles up in a plain object and trips over one that is called like an object's method: `toString`. */
function speakable(lines: string[]): string[] {
  return lines.map((line) => (line in {} ? `${line} ` : line));
}
