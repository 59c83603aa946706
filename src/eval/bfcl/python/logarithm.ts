import { toFraction } from "./rounding.ts";

/** Bits behind the point: what is left over decides how the 53 bits of a float are rounded. */
const bits = 120n;
const one = 1n << bits;

/**
 * `math.log(value)` of a finite float above 0, rounded once from the exact value, as good C libraries do;
 * `Math.log` of V8 is off in the last bit for one value in ten.
 */
export function naturalLogarithm(value: number): number {
  const exponent = Math.floor(Math.log2(value));
  const { numerator, denominator } = toFraction(value);
  // value = mantissa * 2^exponent, with a mantissa of about 1
  const mantissa =
    exponent < 0
      ? (numerator * (one << BigInt(-exponent))) / denominator
      : (numerator * one) / (denominator << BigInt(exponent));
  const sum = lnNearOne(mantissa) + BigInt(exponent) * lnNearOne(one << 1n);
  return fromFixed(sum);
}

/** `ln(x) = 2 artanh((x - 1) / (x + 1))`, as a series. */
function lnNearOne(x: bigint): bigint {
  const y = ((x - one) << bits) / (x + one);
  const square = (y * y) >> bits;
  let sum = 0n;
  let power = y;
  for (let odd = 1n; power !== 0n && power !== -1n; odd += 2n) {
    sum += power / odd;
    power = (power * square) >> bits;
  }
  return 2n * sum;
}

function fromFixed(value: bigint): number {
  const size = value < 0n ? -value : value;
  // a float's own conversion rounds to the nearest; 2^120 is exact
  const float = Number(size) / 2 ** Number(bits);
  return value < 0n ? -float : float;
}
