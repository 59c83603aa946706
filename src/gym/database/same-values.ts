export type Value = string | number | null;

/**
 * Whether the committed values are those expected, after AgentBench's rules: no value is 0, signs for percent and
 * money and commas between thousands do not count, numbers may differ by 0.01 (whole ones not at all), and several
 * values stand in any order unless the question asks for one. Text is compared without case, quotes and extra spaces.
 */
export function sameValues(
  given: readonly string[],
  expected: readonly Value[],
  { ordered = false }: { ordered?: boolean } = {},
): boolean {
  if (given.length !== expected.length) return false;
  if (ordered) return given.every((value, index) => sameValue(value, expected[index]!));
  const left = [...expected];
  // whole numbers and text first: they match one value only, others may lie within reach of two
  return [...given].every((value) => {
    const exact = left.findIndex((other) => sameText(value, other));
    const found = exact === -1 ? left.findIndex((other) => sameValue(value, other)) : exact;
    if (found !== -1) left.splice(found, 1);
    return found !== -1;
  });
}

const tolerance = 0.01;

function sameValue(given: string, expected: Value): boolean {
  const [a, b] = [toNumber(given), toNumber(expected)];
  if (a === undefined || b === undefined) return a === b && sameText(given, expected);
  // 0.01 itself is in, in spite of rounding
  return Number.isInteger(b) ? a === b : Math.abs(a - b) <= tolerance + 1e-9;
}

const sameText = (given: string, expected: Value) => toText(given) === toText(String(expected));

const toText = (text: string) =>
  text
    .normalize("NFKC")
    .trim()
    .replace(/^(["'`])(.*)\1$/s, "$2")
    .replace(/\s+/g, " ")
    .trim()
    .toLowerCase();

const decimal = /^[+-]?(?:\d{1,3}(?:,\d{3})+|\d+)?(?:\.\d+)?(?:e[+-]?\d+)?$/i;

function toNumber(value: Value): number | undefined {
  if (typeof value === "number") return value;
  const text = value === null ? "" : toText(value).replace(/^[$€£]\s*|\s*%$/g, "");
  if (value === null || text === "null" || text === "none") return 0;
  return /\d/.test(text) && decimal.test(text) ? Number(text.replaceAll(",", "")) : undefined;
}
