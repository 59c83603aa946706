import { PythonError } from "../python/error.ts";
import { roundHalfEven, toFraction } from "../python/rounding.ts";

/** More digits than this are refused instead of computed. */
const mostDigits = 100_000n;

/** `coefficient * 10 ** exponent`. */
type Decimal = { sign: string; coefficient: bigint; exponent: number };

/** The text of `Decimal(value).sqrt()` with so many digits, for a value that is not negative. */
export function squareRootText(value: bigint | number, precision: bigint): string {
  if (Number.isNaN(value)) return "NaN";
  if (value === Number.POSITIVE_INFINITY) return "Infinity";
  const { sign, coefficient, exponent } = toDecimal(value);
  if (coefficient === 0n) return decimalText({ sign, coefficient, exponent: Math.floor(exponent / 2) });
  if (precision > mostDigits) throw new PythonError("MemoryError", "");
  const isOdd = exponent % 2 !== 0;
  const length = coefficient.toString().length;
  const shift = Number(precision) + 1 - (isOdd ? (length >> 1) + 1 : (length + 1) >> 1);
  const scale = 100n ** BigInt(Math.abs(shift));
  const even = isOdd ? coefficient * 10n : coefficient;
  const scaled = shift >= 0 ? even * scale : even / scale;
  const root = integerRoot(scaled);
  const isExact = root * root === scaled && (shift >= 0 || even % scale === 0n);
  const half = Math.floor(exponent / 2);
  const unit = 10n ** BigInt(Math.abs(shift));
  if (isExact) {
    return decimalText(
      rounded({ sign, coefficient: shift >= 0 ? root / unit : root * unit, exponent: half }, precision),
    );
  }
  // A last digit of 0 or 5 would round as if nothing came after it.
  const sticky = root % 5n === 0n ? root + 1n : root;
  return decimalText(rounded({ sign, coefficient: sticky, exponent: half - shift }, precision));
}

/** An integer or a float exactly as it is. */
function toDecimal(value: bigint | number): Decimal {
  const sign = value < 0 || Object.is(value, -0) ? "-" : "";
  if (typeof value === "bigint") return { sign, coefficient: value, exponent: 0 };
  const { numerator, denominator } = toFraction(value);
  const places = denominator.toString(2).length - 1;
  return { sign, coefficient: numerator * 5n ** BigInt(places), exponent: -places };
}

function rounded({ sign, coefficient, exponent }: Decimal, precision: bigint): Decimal {
  const extra = coefficient.toString().length - Number(precision);
  if (extra <= 0) return { sign, coefficient, exponent };
  const shorter = roundHalfEven(coefficient, 10n ** BigInt(extra));
  if (shorter.toString().length <= Number(precision)) {
    return { sign, coefficient: shorter, exponent: exponent + extra };
  }
  return { sign, coefficient: shorter / 10n, exponent: exponent + extra + 1 };
}

/** `str(Decimal)`: plain where the point is near, else one digit before the point and a power of ten. */
function decimalText({ sign, coefficient, exponent }: Decimal): string {
  const digits = coefficient.toString();
  const left = exponent + digits.length;
  const isPlain = exponent <= 0 && left > -6;
  const point = isPlain ? left : 1;
  const power = isPlain ? "" : `E${left - 1 < 0 ? "-" : "+"}${Math.abs(left - 1)}`;
  if (point <= 0) return `${sign}0.${"0".repeat(-point)}${digits}${power}`;
  if (point >= digits.length) return `${sign}${digits}${power}`;
  return `${sign}${digits.slice(0, point)}.${digits.slice(point)}${power}`;
}

/** The integer part of a square root, by Newton's steps from above. */
function integerRoot(value: bigint): bigint {
  if (value < 2n) return value;
  let root = 1n << BigInt((value.toString(16).length * 4 + 1) >> 1);
  for (;;) {
    const next = (root + value / root) >> 1n;
    if (next >= root) return root;
    root = next;
  }
}
