/** What is written in a picture. */
import { XMLParser, XMLValidator } from 'fast-xml-parser';
import { expect } from 'vitest';

/** All texts of an SVG document, in its order; the document must be well-formed. */
export function svgTexts(svg: string): string[] {
  expect(XMLValidator.validate(svg)).toBe(true);
  const parsed: unknown = new XMLParser({ preserveOrder: true, parseTagValue: false }).parse(svg);
  const found: string[] = [];
  const visit = (node: unknown): void => {
    if (Array.isArray(node)) node.forEach(visit);
    else if (typeof node === 'object' && node !== null) {
      for (const [key, value] of Object.entries(node)) {
        if (key === '#text' && String(value).trim() !== '') found.push(String(value));
        else if (key !== ':@') visit(value);
      }
    }
  };
  visit(parsed);
  return found;
}
