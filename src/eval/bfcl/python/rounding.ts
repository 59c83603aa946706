import { PythonError } from "./error.ts";

/** A float as the exact fraction `numerator / denominator`. */
export function toFraction(value: number): { numerator: bigint; denominator: bigint } {
  let exponent = 0;
  let whole = value;
  while (!Number.isInteger(whole)) {
    whole *= 2;
    exponent++;
  }
  return { numerator: BigInt(whole), denominator: 1n << BigInt(exponent) };
}

/** `numerator / denominator` rounded to an integer; what lies in the middle goes to the even one. */
export function roundHalfEven(numerator: bigint, denominator: bigint): bigint {
  const isNegative = numerator < 0n;
  const size = isNegative ? -numerator : numerator;
  let quotient = size / denominator;
  const twice = (size % denominator) * 2n;
  if (twice > denominator || (twice === denominator && quotient % 2n === 1n)) quotient++;
  return isNegative ? -quotient : quotient;
}

/** `f"{value:.{digits}f}"` of a finite float: its exact value rounded half to even. */
export function fixedText(value: number, digits: number): string {
  const { numerator, denominator } = toFraction(Math.abs(value));
  const scaled = roundHalfEven(numerator * 10n ** BigInt(digits), denominator)
    .toString()
    .padStart(digits + 1, "0");
  const sign = value < 0 || Object.is(value, -0) ? "-" : "";
  const point = scaled.length - digits;
  return digits === 0 ? sign + scaled : `${sign}${scaled.slice(0, point)}.${scaled.slice(point)}`;
}

/** `round(float)`. */
export function roundToInteger(value: number): bigint {
  if (Number.isNaN(value)) throw new PythonError("ValueError", "cannot convert float NaN to integer");
  if (!Number.isFinite(value))
    throw new PythonError("OverflowError", "cannot convert float infinity to integer");
  const { numerator, denominator } = toFraction(value);
  return roundHalfEven(numerator, denominator);
}

/** `round(int, places)`, which changes something only where `places` is negative. */
export function roundInteger(value: bigint, places: bigint): bigint {
  if (places >= 0n) return value;
  // Far more than all digits of the value round to nothing.
  if (-places > BigInt(value.toString().length) + 1n) return 0n;
  const unit = 10n ** -places;
  return roundHalfEven(value, unit) * unit;
}

/** `round(float, places)`: the exact value is rounded in decimal, half to even, and read back. */
export function roundFloat(value: number, places: bigint): number {
  if (!Number.isFinite(value) || places > 323n) return value;
  if (places < -308n) return value < 0 || Object.is(value, -0) ? -0 : 0;
  const { numerator, denominator } = toFraction(value);
  const scale = 10n ** (places < 0n ? -places : places);
  const scaled =
    places < 0n
      ? roundHalfEven(numerator, denominator * scale)
      : roundHalfEven(numerator * scale, denominator);
  const rounded = Number(`${scaled}e${-places}`);
  if (!Number.isFinite(rounded))
    throw new PythonError("OverflowError", "rounded value too large to represent");
  return rounded === 0 && (value < 0 || Object.is(value, -0)) ? -0 : rounded;
}
