/**
 * Binary floating point of any precision: `(-1)^negative * mantissa * 2^exponent` with an odd mantissa (zero: 0), as
 * far as logarithms and powers need it. Where a precision is given, results are rounded to so many bits.
 */
export type BigFloat = { negative: boolean; mantissa: bigint; exponent: number };

export const zero: BigFloat = { negative: false, mantissa: 0n, exponent: 0 };

export function bitLength(value: bigint): number {
  const text = value.toString(16);
  return value === 0n ? 0 : (text.length - 1) * 4 + (32 - Math.clz32(Number.parseInt(text[0] as string, 16)));
}

/** Makes the mantissa odd and no longer than `bits`; rounds to the nearest (half to even), or toward zero. */
export function normalize(
  { negative, mantissa, exponent }: BigFloat,
  bits = Number.POSITIVE_INFINITY,
  rounding: "nearest" | "down" = "nearest",
): BigFloat {
  if (mantissa === 0n) return zero;
  let [man, exp] = [mantissa, exponent];
  const extra = bitLength(man) - bits;
  if (extra > 0) {
    const shift = BigInt(extra);
    const half = 1n << (shift - 1n);
    const rest = man & ((1n << shift) - 1n);
    man >>= shift;
    exp += extra;
    if (rounding === "nearest" && (rest > half || (rest === half && (man & 1n) === 1n))) man++;
  }
  while ((man & 0xffff_ffffn) === 0n) [man, exp] = [man >> 32n, exp + 32];
  while ((man & 1n) === 0n) [man, exp] = [man >> 1n, exp + 1];
  return { negative, mantissa: man, exponent: exp };
}

export function fromInteger(value: bigint): BigFloat {
  return normalize({ negative: value < 0n, mantissa: value < 0n ? -value : value, exponent: 0 });
}

/** A finite float, exactly. */
export function fromFloat(value: number): BigFloat {
  let [size, exponent] = [Math.abs(value), 0];
  while (!Number.isInteger(size)) [size, exponent] = [size * 2, exponent - 1];
  return normalize({ negative: value < 0, mantissa: BigInt(size), exponent });
}

export function multiply(a: BigFloat, b: BigFloat): BigFloat {
  return normalize({
    negative: a.negative !== b.negative,
    mantissa: a.mantissa * b.mantissa,
    exponent: a.exponent + b.exponent,
  });
}

/** `a + b`, rounded toward zero. */
export function add(a: BigFloat, b: BigFloat, bits: number): BigFloat {
  const exponent = Math.min(a.exponent, b.exponent);
  const sum = signed(a, exponent) + signed(b, exponent);
  return normalize({ negative: sum < 0n, mantissa: sum < 0n ? -sum : sum, exponent }, bits, "down");
}

/** `a / b`, rounded to the nearest; the divisor is not zero. */
export function divide(a: BigFloat, b: BigFloat, bits: number): BigFloat {
  const extra = Math.max(5, bits - bitLength(a.mantissa) + bitLength(b.mantissa) + 5);
  const shifted = a.mantissa << BigInt(extra);
  const quotient = shifted / b.mantissa;
  // One more bit says that something follows.
  const sticky = (quotient << 1n) | (shifted % b.mantissa === 0n ? 0n : 1n);
  const exponent = a.exponent - b.exponent - extra - 1;
  return normalize({ negative: a.negative !== b.negative, mantissa: sticky, exponent }, bits);
}

/** The float nearest to a value that is not negative; infinity where there is none so large. */
export function toFloat(value: BigFloat): number {
  if (value.mantissa === 0n) return 0;
  const top = value.exponent + bitLength(value.mantissa);
  const bits = Math.min(53, top + 1074);
  if (bits < 0) return 0;
  if (bits === 0) return value.mantissa === 1n ? 0 : 5e-324;
  const { mantissa, exponent } = normalize(value, bits);
  if (exponent + bitLength(mantissa) > 1024) return Number.POSITIVE_INFINITY;
  // In two steps, because the power alone may lie out of range.
  const half = Math.trunc(exponent / 2);
  return Number(mantissa) * 2 ** half * 2 ** (exponent - half);
}

/** The natural logarithm of a positive value as a fixed-point number with `bits` places; errs by a few units. */
export function logarithmFixed({ mantissa, exponent }: BigFloat, bits: number): bigint {
  const guarded = bits + 16;
  let places = bitLength(mantissa);
  // The value is `m * 2^(places + exponent)` with m in [1/sqrt(2), sqrt(2)), near enough.
  if ((mantissa * mantissa) >> BigInt(2 * places - 1) === 0n) places--;
  const one = 1n << BigInt(places);
  const ratio = ((mantissa - one) << BigInt(guarded)) / (mantissa + one);
  const twos = places + exponent;
  const log2 = twos === 0 ? 0n : BigInt(twos) * logarithmOfTwo(guarded + 16);
  return (2n * inverseTangent(ratio, guarded) + (log2 >> 16n)) >> 16n;
}

/** `atanh(ratio)` by its series. */
function inverseTangent(ratio: bigint, bits: number): bigint {
  const places = BigInt(bits);
  const square = (ratio * ratio) >> places;
  let sum = ratio;
  let power = ratio;
  for (let n = 3n; power !== 0n && power !== -1n; n += 2n) {
    power = (power * square) >> places;
    sum += power / n;
  }
  return sum;
}

const logarithmsOfTwo = new Map<number, bigint>();

/** ln 2 = 2 atanh(1/3). */
function logarithmOfTwo(bits: number): bigint {
  const known = logarithmsOfTwo.get(bits);
  if (known !== undefined) return known;
  const guarded = bits + 16;
  const value = (2n * inverseTangent((1n << BigInt(guarded)) / 3n, guarded)) >> 16n;
  if (logarithmsOfTwo.size > 32) logarithmsOfTwo.clear();
  logarithmsOfTwo.set(bits, value);
  return value;
}

/** `e ** value` of a fixed-point number with `bits` places. */
export function exponential(value: bigint, bits: number): BigFloat {
  const guarded = bits + 32;
  const places = BigInt(guarded);
  const log2 = logarithmOfTwo(guarded);
  const wide = value << 32n;
  let twos = wide / log2;
  let rest = wide - twos * log2;
  if (rest < 0n) [twos, rest] = [twos - 1n, rest + log2];
  // The series converges fast once the argument is halved some times; the result is squared as often.
  const halvings = 8n;
  rest >>= halvings;
  let sum = 1n << places;
  let term = sum;
  for (let n = 1n; term !== 0n; n++) {
    term = ((term * rest) >> places) / n;
    sum += term;
  }
  for (let n = 0n; n < halvings; n++) sum = (sum * sum) >> places;
  return normalize({ negative: false, mantissa: sum, exponent: Number(twos) - guarded });
}

function signed({ negative, mantissa, exponent }: BigFloat, at: number): bigint {
  const value = mantissa << BigInt(exponent - at);
  return negative ? -value : value;
}
