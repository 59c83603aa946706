import { PythonError } from "../python/error.ts";
import { operate } from "../python/operators.ts";
import { integerText } from "../python/text.ts";
import { PythonComplex, type PythonValue } from "../python/value.ts";
import {
  bitLength,
  exponential,
  fromFloat,
  logarithmFixed,
  multiply,
  normalize,
  toFloat,
} from "./big-float.ts";

/** A longer integer cannot be printed anyway. */
const mostBits = 16_000n;

/** `base ** exponent`. Powers of floats are rounded once from the exact value. */
export function power(base: PythonValue, exponent: PythonValue): PythonValue {
  const [a, b] = [toNumber(base), toNumber(exponent)];
  if (a === undefined || b === undefined) return operate(base, "**", exponent);
  if (typeof a === "bigint" && typeof b === "bigint" && b >= 0n) return integerPower(a, b);
  return floatPower(toFloatOrThrow(a), toFloatOrThrow(b));
}

function integerPower(base: bigint, exponent: bigint): bigint {
  const size = base < 0n ? -base : base;
  if (size > 1n && BigInt(bitLength(size) - 1) * exponent > mostBits) {
    // Raises what printing the result would.
    integerText(10n ** 4_300n);
  }
  if (size <= 1n) return base === -1n && exponent % 2n === 0n ? 1n : exponent === 0n ? 1n : base;
  return base ** exponent;
}

function floatPower(base: number, exponent: number): PythonValue {
  if (exponent === 0 || base === 1) return 1;
  if (!Number.isFinite(base) || !Number.isFinite(exponent)) {
    // JavaScript leaves 1 to the power of infinity undefined, C does not.
    return base === -1 && !Number.isNaN(exponent) ? 1 : base ** exponent;
  }
  if (base === 0) {
    if (exponent > 0) return base ** exponent;
    throw new PythonError("ZeroDivisionError", "0.0 cannot be raised to a negative power");
  }
  if (base < 0 && !Number.isInteger(exponent)) return complexPower(base, exponent);
  const size = positivePower(Math.abs(base), exponent);
  if (!Number.isFinite(size)) throw new PythonError("OverflowError", "(34, 'Numerical result out of range')");
  return base < 0 && exponent % 2 !== 0 ? -size : size;
}

/** A negative number to a broken power has an angle: half a turn times the exponent. */
function complexPower(base: number, exponent: number): PythonComplex {
  const size = positivePower(-base, exponent);
  if (!Number.isFinite(size)) throw new PythonError("OverflowError", "complex exponentiation");
  const angle = Math.PI * exponent;
  return new PythonComplex(size * Math.cos(angle), size * Math.sin(angle));
}

/** Bits that a power is computed with before it is rounded to 53. */
const workingBits = 160;

function positivePower(base: number, exponent: number): number {
  if (exponent === 2) return base * base;
  if (base === 1) return 1;
  const whole = fromFloat(base);
  if (Number.isInteger(exponent) && exponent > 0 && exponent <= 64) {
    return toFloat({
      negative: false,
      mantissa: whole.mantissa ** BigInt(exponent),
      exponent: whole.exponent * exponent,
    });
  }
  const estimate = exponent * Math.log(base);
  if (estimate > 720) return Number.POSITIVE_INFINITY;
  if (estimate < -760) return 0;
  const wide = workingBits + 64;
  const logarithm = { negative: false, mantissa: logarithmFixed(whole, wide), exponent: -wide };
  const isBelowOne = logarithm.mantissa < 0n;
  const size = normalize({ ...logarithm, mantissa: isBelowOne ? -logarithm.mantissa : logarithm.mantissa });
  const product = multiply({ ...size, negative: isBelowOne }, fromFloat(exponent));
  const shift = product.exponent + workingBits;
  const fixed = shift >= 0 ? product.mantissa << BigInt(shift) : product.mantissa >> BigInt(-shift);
  return toFloat(exponential(product.negative ? -fixed : fixed, workingBits));
}

function toNumber(value: PythonValue): bigint | number | undefined {
  if (typeof value === "boolean") return value ? 1n : 0n;
  return typeof value === "bigint" || typeof value === "number" ? value : undefined;
}

function toFloatOrThrow(value: bigint | number): number {
  const float = Number(value);
  if (typeof value === "number" || Number.isFinite(float)) return float;
  throw new PythonError("OverflowError", "int too large to convert to float");
}
