/** Aligns cells in columns. Pure. */

/**
 * Pads cells to the width of their column.
 *
 * @param rows each with as many cells
 * @param isNumber whether a column is aligned to the right. @default none is
 */
export function alignColumns(
  rows: readonly (readonly string[])[],
  isNumber: (column: number) => boolean = () => false,
): string[][] {
  const widths = rows[0]?.map((_, column) => Math.max(...rows.map((row) => row[column]!.length))) ?? [];
  return rows.map((row) =>
    row.map((cell, column) => isNumber(column) ? cell.padStart(widths[column]!) : cell.padEnd(widths[column]!))
  );
}
