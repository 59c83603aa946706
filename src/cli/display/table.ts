import { stripVTControlCharacters } from "node:util";

/** A table as lines; the first column is left-aligned, numbers to the right. */
export function drawTable(header: readonly string[], rows: readonly (readonly string[])[]): string[] {
  const widths = header.map((_, column) =>
    Math.max(...[header, ...rows].map((row) => visible(row[column] ?? ""))),
  );
  const line = (row: readonly string[]) =>
    row
      .map((cell, column) => {
        const gap = " ".repeat(widths[column]! - visible(cell));
        return column === 0 ? cell + gap : gap + cell;
      })
      .join("  ")
      .trimEnd();
  return [line(header), widths.map((width) => "─".repeat(width)).join("  "), ...rows.map(line)];
}

const visible = (text: string) => Array.from(stripVTControlCharacters(text)).length;
