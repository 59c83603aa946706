/** Dots of a braille cell by row and column (Unicode 2800 + the sum of what is set). */
const dots = [
  [0x01, 0x08],
  [0x02, 0x10],
  [0x04, 0x20],
  [0x40, 0x80],
] as const;

/**
 * Draws a line through values over [low, high], two values to a character and four levels to a line, with the
 * range on the left. Returns `height` lines of at most `width` characters.
 */
export function drawCurve(
  values: readonly number[],
  { width, height, low, high }: { width: number; height: number; low: number; high: number },
): string[] {
  const labels = Array.from({ length: height }, (_, line) => {
    if (line === 0) return format(high);
    return line === height - 1 ? format(low) : "";
  });
  const margin = Math.max(...labels.map(({ length }) => length)) + 2;
  const columns = Math.max(1, width - margin) * 2;
  const levels = height * 4;
  const cells = Array.from({ length: height }, () => new Uint8Array(columns / 2));
  const points = resample(values, Math.min(columns, Math.max(values.length, 1)));
  const levelOf = (value: number) => {
    const share = high > low ? (value - low) / (high - low) : 0;
    return Math.round(Math.min(1, Math.max(0, share)) * (levels - 1));
  };
  let previous: number | undefined;
  for (const [column, value] of points.entries()) {
    const level = levelOf(value);
    const from = previous === undefined ? level : Math.min(level, previous + Math.sign(level - previous));
    const [bottom, top] = [Math.min(from, level), Math.max(from, level, previous ?? level)];
    for (let dot = bottom; dot <= top; dot++) {
      const row = levels - 1 - dot;
      cells[row >> 2]![column >> 1]! |= dots[row & 3]![column & 1]!;
    }
    previous = level;
  }
  return cells.map((line, index) => {
    const drawn = Array.from(line, (cell) => (cell === 0 ? " " : String.fromCodePoint(0x2800 + cell))).join(
      "",
    );
    return `${labels[index]!.padStart(margin - 2)} ┤${drawn}`.trimEnd();
  });
}

/** Averages neighbours so that `count` points are left. */
function resample(values: readonly number[], count: number): number[] {
  if (values.length === 0) return [];
  return Array.from({ length: count }, (_, index) => {
    const from = Math.floor((index * values.length) / count);
    const to = Math.max(from + 1, Math.floor(((index + 1) * values.length) / count));
    return values.slice(from, to).reduce((sum, value) => sum + value, 0) / (to - from);
  });
}

const format = (value: number) => (Number.isInteger(value) ? String(value) : value.toFixed(2));
