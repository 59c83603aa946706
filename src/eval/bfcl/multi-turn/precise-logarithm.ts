import { PythonError } from "../python/error.ts";
import { parseFloating, parseInteger, strip } from "../python/number.ts";
import { repr } from "../python/text.ts";
import { PythonBytes, PythonObject, type PythonValue, typeName } from "../python/value.ts";
import {
  add,
  type BigFloat,
  bitLength,
  divide,
  fromFloat,
  fromInteger,
  logarithmFixed,
  multiply,
  normalize,
  zero,
} from "./big-float.ts";

/** mpmath's bits per decimal digit. */
const bitsPerDigit = 3.321_928_094_887_362_6;

/** More digits than this are refused instead of computed. */
const mostDigits = 10_000;

type Special = "inf" | "-inf" | "nan";
type Real = BigFloat | Special;
/** A logarithm of a negative number has an imaginary part. */
type Result = { real: Real; imaginary?: Real };

/**
 * `mpmath.log(value) / mpmath.log(base)` with `mp.dps = precision`, printed as mpmath 1.3 prints its numbers.
 * Every operation is rounded to the bits that so many digits need.
 */
export function preciseLogarithm(
  value: PythonValue,
  base: PythonValue,
  precision: PythonValue,
): PythonObject {
  const digits = toInteger(precision);
  if (digits > 1e18) throw new PythonError("OverflowError", "too many digits in integer");
  if (digits > mostDigits) throw new PythonError("MemoryError", "");
  const bits = Math.max(1, roundToEven((digits + 1) * bitsPerDigit));
  const shownDigits = Math.max(1, roundToEven(bits / bitsPerDigit - 1));
  const shown = shownDigits === 15 ? 17 : shownDigits + 3;
  const over = logarithm(toReal(value, bits), bits);
  const { real, imaginary } = quotient(over, logarithm(toReal(base, bits), bits), bits);
  if (imaginary === undefined) return new PythonObject("mpf", `mpf('${realText(real, shown)}')`);
  const parts = `real='${realText(real, shown)}', imag='${realText(imaginary, shown)}'`;
  return new PythonObject("mpc", `mpc(${parts})`);
}

function toInteger(value: PythonValue): number {
  if (typeof value === "bigint" || typeof value === "boolean") return Number(value);
  if (typeof value === "string" || value instanceof PythonBytes) return Number(integerOf(value));
  if (typeof value !== "number") {
    throw new PythonError(
      "TypeError",
      `int() argument must be a string, a bytes-like object or a real number, not '${typeName(value)}'`,
    );
  }
  if (Number.isNaN(value)) throw new PythonError("ValueError", "cannot convert float NaN to integer");
  if (!Number.isFinite(value))
    throw new PythonError("OverflowError", "cannot convert float infinity to integer");
  return Math.trunc(value);
}

function integerOf(value: string | PythonBytes): bigint {
  try {
    return parseInteger(typeof value === "string" ? value : value.text);
  } catch {
    throw new PythonError("ValueError", `invalid literal for int() with base 10: ${repr(value)}`);
  }
}

function roundToEven(value: number): number {
  const floor = Math.floor(value);
  const rest = value - floor;
  return rest > 0.5 || (rest === 0.5 && floor % 2 !== 0) ? floor + 1 : floor;
}

function toReal(value: PythonValue, bits: number): Real {
  if (typeof value === "bigint") return fromInteger(value);
  if (typeof value === "boolean") return fromInteger(value ? 1n : 0n);
  if (typeof value === "number") {
    if (Number.isFinite(value)) return fromFloat(value);
    return Number.isNaN(value) ? "nan" : value > 0 ? "inf" : "-inf";
  }
  const read = typeof value === "string" ? readText(strip(value.toLowerCase()), bits) : undefined;
  if (read === undefined) throw new PythonError("TypeError", `cannot create mpf from ${repr(value)}`);
  return read;
}

const specials: Readonly<Record<string, Special>> = { inf: "inf", "+inf": "inf", "-inf": "-inf", nan: "nan" };

/** A decimal number or a fraction in words; undefined where it is neither. */
function readText(text: string, bits: number): Real | undefined {
  const special = specials[text];
  if (special !== undefined) return special;
  try {
    const [over, under, ...more] = text.split("/");
    if (under !== undefined) {
      if (more.length > 0) return undefined;
      const divisor = parseInteger(under);
      if (divisor === 0n) throw new PythonError("ZeroDivisionError", "");
      return divide(fromInteger(parseInteger(over as string)), fromInteger(divisor), bits);
    }
    parseFloating(text);
    const [mantissa = "", power = "0"] = text.split("e");
    const [whole = "", fraction = ""] = mantissa.split(".");
    const places = fraction.replace(/0+$/, "");
    const exponent = Number(parseInteger(power)) - places.length;
    if (Math.abs(exponent) > mostDigits) return undefined;
    const scale = 10n ** BigInt(Math.abs(exponent));
    const digits = parseInteger(whole + places);
    if (exponent >= 0) return normalize(fromInteger(digits * scale), bits);
    return digits === 0n ? zero : divide(fromInteger(digits), fromInteger(scale), bits);
  } catch (error) {
    if (error instanceof PythonError && error.type === "ValueError") return undefined;
    throw error;
  }
}

function logarithm(value: Real, bits: number): Result {
  if (value === "nan" || value === "inf") return { real: value };
  if (value === "-inf") return { real: "inf", imaginary: pi(bits) };
  if (value.mantissa === 0n) return { real: "-inf" };
  const real = logarithmOfPositive({ ...value, negative: false }, bits);
  return value.negative ? { real, imaginary: pi(bits) } : { real };
}

function logarithmOfPositive(value: BigFloat, bits: number): BigFloat {
  if (value.mantissa === 1n && value.exponent === 0) return zero;
  // Near one the first bits of the result cancel out.
  const one = { negative: true, mantissa: 1n, exponent: 0 };
  const distance = add(value, one, 64);
  const cancelled = Math.max(0, -(distance.exponent + bitLength(distance.mantissa)));
  const places = bits + 40 + cancelled;
  const fixed = logarithmFixed(value, places);
  return normalize({ negative: fixed < 0n, mantissa: fixed < 0n ? -fixed : fixed, exponent: -places }, bits);
}

/** pi = 16 atan(1/5) - 4 atan(1/239). */
function pi(bits: number): BigFloat {
  const places = bits + 40;
  const inverse = (n: bigint): bigint => {
    let power = (1n << BigInt(places)) / n;
    let sum = power;
    for (let k = 3n, sign = -1n; power !== 0n; k += 2n, sign = -sign) {
      power /= n * n;
      sum += (sign * power) / k;
    }
    return sum;
  };
  const mantissa = 16n * inverse(5n) - 4n * inverse(239n);
  return normalize({ negative: false, mantissa, exponent: -places }, bits);
}

const notNumbers: Result = { real: "nan", imaginary: "nan" };

function quotient(over: Result, under: Result, bits: number): Result {
  if (under.imaginary === undefined) {
    const real = divided(over.real, under.real, bits);
    if (over.imaginary === undefined) return { real };
    return { real, imaginary: divided(over.imaginary, under.real, bits) };
  }
  const [c, d] = [under.real, under.imaginary];
  if (typeof c === "string" || typeof d === "string") return notNumbers;
  const size = add(multiply(c, c), multiply(d, d), bits + 10);
  const part = (value: BigFloat) => divide(value, size, bits);
  const opposite = (value: BigFloat): BigFloat => ({ ...value, negative: !value.negative });
  if (over.imaginary === undefined && typeof over.real === "string") {
    return { real: infinity(over.real, c.negative, c), imaginary: infinity(over.real, !d.negative, d) };
  }
  if (typeof over.real === "string" || typeof over.imaginary === "string")
    return { real: "nan", imaginary: "nan" };
  if (typeof over.real === "string") {
    if (over.imaginary !== undefined) return notNumbers;
    return { real: infinity(over.real, c.negative, c), imaginary: infinity(over.real, !d.negative, d) };
  }
  if (over.imaginary === undefined) {
    return { real: part(multiply(c, over.real)), imaginary: part(opposite(multiply(d, over.real))) };
  }
  const [a, b] = [over.real, over.imaginary];
  if (typeof b === "string") return notNumbers;
  return {
    real: part(add(multiply(a, c), multiply(b, d), bits + 10)),
    imaginary: part(add(multiply(b, c), opposite(multiply(a, d)), bits + 10)),
  };
}

/** An infinite value times a finite one, whose sign may be turned. */
function infinity(value: Special, isTurned: boolean, factor: BigFloat): Special {
  if (value === "nan" || factor.mantissa === 0n) return "nan";
  return (value === "-inf") !== isTurned ? "-inf" : "inf";
}

function divided(over: Real, under: Real, bits: number): Real {
  const isZero = (value: Real) => typeof value !== "string" && value.mantissa === 0n;
  if (isZero(under)) throw new PythonError("ZeroDivisionError", "");
  if (over === "nan" || under === "nan" || (typeof over === "string" && typeof under === "string"))
    return "nan";
  if (isZero(over) || typeof under === "string") return zero;
  if (typeof over === "string") return (over === "-inf") !== under.negative ? "-inf" : "inf";
  return divide(over, under, bits);
}

/** A number with so many digits, without the zeros behind; plain where its point is among or near them. */
function realText(value: Real, digits: number): string {
  if (typeof value === "string") return value === "inf" ? "+inf" : value;
  if (value.mantissa === 0n) return "0.0";
  const { text, exponent: power } = decimalDigits(value, digits);
  const isPlain = power > Math.min(-Math.floor(digits / 3), -5) && power < digits;
  const padded = isPlain && power < 0 ? "0".repeat(-power) + text : text;
  const split = isPlain && power >= 0 ? power + 1 : 1;
  const fraction = padded.slice(split).replace(/0+$/, "") || "0";
  const sign = value.negative ? "-" : "";
  const suffix = isPlain || power === 0 ? "" : `e${power > 0 ? "+" : ""}${power}`;
  return `${sign}${padded.slice(0, split).padEnd(split, "0")}.${fraction}${suffix}`;
}

/** mpmath cuts three digits later and rounds in decimal from there, so that some results end in another digit. */
function decimalDigits({ mantissa, exponent }: BigFloat, digits: number): { text: string; exponent: number } {
  const neededBits = Math.trunc((digits + 3) * bitsPerDigit) + 10;
  const places = Math.max(neededBits - exponent - bitLength(mantissa), 0);
  const decimalPlaces = Math.trunc(places / bitsPerDigit + 0.5);
  const shift = BigInt(Math.abs(exponent + places));
  const fixed = exponent + places >= 0 ? mantissa << shift : mantissa >> shift;
  const all = ((fixed * 10n ** BigInt(decimalPlaces)) >> BigInt(places)).toString();
  const power = all.length - decimalPlaces - 1;
  if (all.length <= digits) return { text: all, exponent: power };
  const isUp = (all[digits] as string) >= "5";
  const kept = BigInt(all.slice(0, digits)) + (isUp ? 1n : 0n);
  const text = kept.toString();
  return text.length > digits
    ? { text: text.slice(0, digits), exponent: power + 1 }
    : { text, exponent: power };
}
