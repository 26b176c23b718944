/**
 * How the series of a plot look: the book draws the first as a solid blue line, the second dashed magenta, the third
 * dash-dotted green and the fourth dotted red (`fmts=('-', 'm--', 'g-.', 'r:')`), and so does every plot here, on the
 * terminal and on paper. The dashes tell the lines apart where there is no colour.
 */

export interface LineStyle {
  /** Colour on white paper. */
  readonly ink: string;
  /** Colour in a terminal: one of the sixteen that follow the reader's own theme. */
  readonly terminal: 'blueBright' | 'magenta' | 'green' | 'red';
  /** Lengths drawn and left out in turn, in pixels on paper; empty is a solid line. */
  readonly dash: readonly number[];
  /** The same in the dots of a terminal plot. */
  readonly dots: readonly number[];
  /** A piece of the line for the terminal's legend, three columns wide; its first column alone tells it apart too. */
  readonly sample: string;
}

const solid: LineStyle = { ink: '#1d5fd1', terminal: 'blueBright', dash: [], dots: [], sample: '━━━' };

const styles: readonly LineStyle[] = [
  solid,
  { ink: '#c0189a', terminal: 'magenta', dash: [7, 4], dots: [5, 3], sample: '╺╸╺' },
  { ink: '#128a45', terminal: 'green', dash: [9, 3, 2, 3], dots: [6, 3, 2, 3], sample: '╸━╸' },
  { ink: '#d03a2b', terminal: 'red', dash: [2, 3], dots: [2, 3], sample: '╴╴╴' },
];

/** The style of series number `index`, from 0; after the fourth they start over. */
export function lineStyle(index: number): LineStyle {
  return styles[index % styles.length] ?? solid;
}
