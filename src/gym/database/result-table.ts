import type { Cell } from "./guarded-database.ts";
import type { StatementLimits } from "./wire.ts";

const cellCharacters = 300;

/** Rows as lines of cells with ` | ` between them, under a line of column names, over a line that counts them. */
export function showTable(
  columns: readonly string[],
  rows: readonly Cell[][],
  { rows: mostRows, characters }: StatementLimits,
): string {
  const lines = [columns.map(showCell).join(" | ")];
  let length = lines[0]!.length;
  for (const row of rows.slice(0, mostRows)) {
    const line = row.map(showCell).join(" | ");
    length += line.length + 1;
    if (length > characters) break;
    lines.push(line);
  }
  const shown = lines.length - 1;
  const header = lines[0]!.slice(0, characters);
  const count = `${shown} ${shown === 1 ? "row" : "rows"}`;
  const note = shown < rows.length ? `(the first ${count}; there are more)` : `(${count})`;
  return [header, ...lines.slice(1), note].join("\n");
}

/** Cells of a shown table, without its names and its count. */
export function readTable(text: string): string[][] {
  return text
    .split("\n")
    .slice(1, -1)
    .map((line) => line.split(" | "));
}

function showCell(cell: Cell): string {
  if (cell === null) return "NULL";
  const text =
    typeof cell === "number" ? String(Number(cell.toPrecision(12))) : cell.replace(/\s*[\r\n]+\s*/g, " ");
  return text.length > cellCharacters ? `${text.slice(0, cellCharacters)}…` : text;
}
