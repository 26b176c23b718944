/**
 * The matrices of Winograd's minimal filtering, made by the method of Toom and Cook: a convolution is a product of
 * polynomials, and a product of polynomials is known by its values at enough points (Winograd 1980; Lavin and Gray
 * 2015, arXiv:1509.09308). With n = m + r - 1 points, m outputs of a filter of r taps cost n multiplications instead of
 * m * r: `y = A^T ((G g) * (B^T d))`, `*` element by element.
 *
 * The points are small and come with their negative or negative reciprocal, which keeps the rounding error low
 * (Barabasz, Anderson, Soodhalter and Gregg 2018, arXiv:1803.10986). The last point is infinity.
 */

/** A matrix, row by row. */
export type Matrix = readonly (readonly number[])[];

const POINTS = [0, 1, -1, 2, -0.5, -2, 0.5] as const;

export const transpose = (matrix: Matrix): number[][] =>
  (matrix[0] ?? []).map((_, column) => matrix.map((row) => row[column] ?? 0));

/** Powers 0 .. terms - 1 of each point; infinity keeps only the last. */
function vandermonde(points: readonly number[], terms: number): number[][] {
  const finite = points.map((point) => Array.from({ length: terms }, (_, power) => point ** power));
  return [...finite, Array.from({ length: terms }, (_, power) => Number(power === terms - 1))];
}

/** Inverse by Gauss and Jordan. The matrices here are small, and their entries and inverses far from float64's ends. */
function inverse(matrix: Matrix): number[][] {
  const n = matrix.length;
  const rows = matrix.map((row, i) => [...row, ...Array.from({ length: n }, (_, j) => Number(i === j))]);
  for (let column = 0; column < n; column++) {
    const size = (row: number) => Math.abs(rows[row]?.[column] ?? 0);
    let pivot = column;
    for (let row = column + 1; row < n; row++) if (size(row) > size(pivot)) pivot = row;
    const pivotRow = rows[pivot] as number[];
    rows[pivot] = rows[column] as number[];
    const divisor = pivotRow[column] ?? 1;
    rows[column] = pivotRow.map((value) => value / divisor);
    for (let row = 0; row < n; row++) {
      if (row === column) continue;
      const factor = rows[row]?.[column] ?? 0;
      rows[row] = (rows[row] as number[]).map((value, j) => value - factor * (rows[column]?.[j] ?? 0));
    }
  }
  return rows.map((row) => row.slice(n));
}

export interface ToomCook {
  /** A^T, m x n: from products to outputs. */
  readonly output: Matrix;
  /** G, n x r: from a filter to its values at the points. */
  readonly filter: Matrix;
  /** B^T, n x n: from n neighbouring inputs to their values. */
  readonly input: Matrix;
}

/** Largest n that there are points for. */
export const MOST_POINTS = POINTS.length + 1;

/**
 * The matrices for m outputs at once of a filter with r taps.
 * @throws RangeError where m + r - 1 is more than MOST_POINTS
 */
export function toomCook(m: number, r: number): ToomCook {
  const n = m + r - 1;
  if (n > MOST_POINTS) throw new RangeError(`toomCook: ${m} outputs of ${r} taps need ${n} points of ${MOST_POINTS}.`);
  const points = POINTS.slice(0, n - 1);
  // As the transpose of the product of a polynomial of m terms with one of r terms.
  return {
    output: transpose(vandermonde(points, m)),
    filter: vandermonde(points, r),
    input: transpose(inverse(vandermonde(points, n))),
  };
}
