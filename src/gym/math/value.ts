/** An exact number as a fraction in lowest terms, the sign above. */
type Fraction = { over: bigint; under: bigint };

/** Longer texts are no number that anybody was asked for. */
const mostCharacters = 400;

/**
 * Whether two answers have the same value: numbers exactly, however they are written (12.50 and 25/2, 1,234 and 1234,
 * \boxed{3}, $3$), anything else as text without case and spaces. More than one number is not a number.
 */
export function sameValue(given: string, expected: string): boolean {
  if (given.length > mostCharacters) return false;
  const [left, right] = [bare(given), bare(expected)];
  const [a, b] = [toFraction(left), toFraction(right)];
  if (a && b) return a.over === b.over && a.under === b.under;
  return !a && !b && left !== "" && left.toLowerCase() === right.toLowerCase();
}

/** Takes off what is written around a value: dollars, \boxed, a full stop, spaces. */
function bare(text: string): string {
  let inner = text
    .trim()
    .replace(/\.$/, "")
    .replaceAll(/^\$+|\$+$/g, "")
    .trim();
  const boxed = /^\\boxed\{(.*)\}$/s.exec(inner);
  if (boxed) inner = boxed[1]!.trim();
  return inner
    .replace(/^(-?)\\d?frac\{(\d+)\}\{(\d+)\}$/, "$1$2/$3")
    .replaceAll("−", "-")
    .replaceAll(/\s+/g, " ")
    .trim();
}

function toFraction(text: string): Fraction | undefined {
  const match = /^([+-]?)(\d{1,3}(?:,\d{3})+|\d+)?(?:\.(\d+))?(?:e([+-]?\d{1,2}))?n?(?: ?\/ ?(\d+))?$/i.exec(
    text,
  );
  if (!match) return undefined;
  const [, sign, whole = "", decimals = "", exponent = "0", under] = match;
  if (whole === "" && decimals === "") return undefined;
  const shift = Number(exponent) - decimals.length;
  const digits = BigInt(whole.replaceAll(",", "") + decimals);
  const above = (sign === "-" ? -digits : digits) * 10n ** BigInt(Math.max(0, shift));
  const below = BigInt(under ?? 1) * 10n ** BigInt(Math.max(0, -shift));
  if (below === 0n) return undefined;
  const common = greatestCommonDivisor(above < 0n ? -above : above, below);
  return { over: above / common, under: below / common };
}

function greatestCommonDivisor(a: bigint, b: bigint): bigint {
  let [x, y] = [a, b];
  while (y !== 0n) [x, y] = [y, x % y];
  return x;
}
