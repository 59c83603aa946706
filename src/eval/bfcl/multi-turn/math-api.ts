import { PythonError } from "../python/error.ts";
import { compare, contains, isNumber, isTrue, iterate, operate } from "../python/operators.ts";
import { roundFloat, roundInteger, roundToInteger } from "../python/rounding.ts";
import { str } from "../python/text.ts";
import { isEqual, PythonComplex, PythonObject, type PythonValue, toDict, typeName } from "../python/value.ts";
import { squareRootText } from "./decimal-root.ts";
import { power } from "./power.ts";
import { preciseLogarithm } from "./precise-logarithm.ts";
import type { Method, SimulatorClass } from "./simulator.ts";

/** Arithmetic on numbers and lists of numbers. It has no state. */
export const mathApi: SimulatorClass = {
  name: "MathAPI",
  create: () => ({ methods, state: () => noState }),
};

const noState = new Map();
const notNumbers = "Both inputs must be numbers";
const notAllNumbers = "All elements in the list must be numbers";

const methods: Readonly<Record<string, Method>> = {
  logarithm: {
    parameters: [{ name: "value" }, { name: "base" }, { name: "precision" }],
    call: logarithm as Method["call"],
  },
  mean: ofNumbers("calculate mean", mean),
  standard_deviation: ofNumbers("calculate standard deviation", standardDeviation),
  si_unit_conversion: conversion(convertSi),
  imperial_si_conversion: conversion(convertImperial),
  add: ofTwo("a", "b", (a, b) => operate(a, "+", b)),
  subtract: ofTwo("a", "b", (a, b) => operate(a, "-", b)),
  multiply: ofTwo("a", "b", (a, b) => {
    if (!isNumber(a) || !isNumber(b)) throw new PythonError("TypeError", notNumbers);
    return operate(a, "*", b);
  }),
  divide: ofTwo("a", "b", (a, b) => {
    if (isEqual(b, 0n)) throw new Refusal("Cannot divide by zero");
    return operate(a, "/", b);
  }),
  power: ofTwo("base", "exponent", power),
  square_root: {
    parameters: [{ name: "number" }, { name: "precision" }],
    call: squareRoot as Method["call"],
  },
  absolute_value: {
    parameters: [{ name: "number" }],
    call: (number = null) => attempt("Input must be a number", () => absolute(number)),
  },
  round_number: {
    parameters: [{ name: "number" }, { name: "decimal_places", default: 0n }],
    call: (number = null, places = null) =>
      attempt("First input must be a number, second input must be an integer", () => round(number, places)),
  },
  percentage: ofTwo("part", "whole", (part, whole) => {
    if (isEqual(whole, 0n)) throw new Refusal("Whole value cannot be zero");
    return operate(operate(part, "/", whole), "*", 100n);
  }),
  min_value: ofNumbers("find minimum", (numbers) => extreme(numbers, "<")),
  max_value: ofNumbers("find maximum", (numbers) => extreme(numbers, ">")),
  sum_values: ofNumbers("calculate sum", sum),
};

/** What a method answers instead of a result. */
class Refusal extends Error {}

/** A result, or an error in the method's own words; what raises in another way than a wrong type is passed on. */
function attempt(otherwise: string, compute: () => PythonValue, type = "TypeError"): PythonValue {
  try {
    return toDict({ result: compute() });
  } catch (error) {
    if (error instanceof Refusal) return toDict({ error: error.message });
    if (error instanceof PythonError && error.type === type) return toDict({ error: otherwise });
    throw error;
  }
}

function ofTwo(
  first: string,
  second: string,
  compute: (a: PythonValue, b: PythonValue) => PythonValue,
): Method {
  return {
    parameters: [{ name: first }, { name: second }],
    call: (a = null, b = null) => attempt(notNumbers, () => compute(a, b)),
  };
}

function ofNumbers(what: string, compute: (numbers: readonly PythonValue[]) => PythonValue): Method {
  return {
    parameters: [{ name: "numbers" }],
    call: (numbers = null) => {
      if (!isTrue(numbers)) return toDict({ error: `Cannot ${what} of an empty list` });
      return attempt(notAllNumbers, () => compute(iterate(numbers)));
    },
  };
}

function conversion(
  convert: (value: PythonValue, from: PythonValue, to: PythonValue) => PythonValue,
): Method {
  return {
    parameters: [{ name: "value" }, { name: "unit_in" }, { name: "unit_out" }],
    call: (value = null, from = null, to = null) => {
      if (!isNumber(value)) return toDict({ error: "Value must be a number" });
      const tooLarge = "Conversion resulted in a value too large to represent";
      return attempt(tooLarge, () => convert(value, from, to), "OverflowError");
    },
  };
}

function sum(numbers: readonly PythonValue[]): PythonValue {
  return numbers.reduce((total, number) => operate(total, "+", number), 0n);
}

function mean(numbers: readonly PythonValue[]): PythonValue {
  return operate(sum(numbers), "/", BigInt(numbers.length));
}

function standardDeviation(numbers: readonly PythonValue[]): PythonValue {
  const middle = mean(numbers);
  const variance = mean(numbers.map((number) => power(operate(number, "-", middle), 2n)));
  if (typeof variance !== "number") throw new PythonError("TypeError", notAllNumbers);
  return Math.sqrt(variance);
}

/** The first of the numbers that no other comes before. */
function extreme(numbers: readonly PythonValue[], before: "<" | ">"): PythonValue {
  let [best] = numbers as [PythonValue];
  for (const number of numbers.slice(1)) if (compare(number, before, best)) best = number;
  return best;
}

const meters = toDict({ km: 1_000n, m: 1n, cm: 0.01, mm: 0.001, um: 1e-6, nm: 1e-9 });

function convertSi(value: PythonValue, from: PythonValue, to: PythonValue): PythonValue {
  if (!contains(meters, from) || !contains(meters, to)) throw unsupported(from, to);
  const inMeters = operate(value, "*", meters.get(from) as PythonValue);
  return operate(inMeters, "*", operate(1n, "/", meters.get(to) as PythonValue));
}

const factors: Readonly<Record<string, number>> = {
  cm_to_in: 0.393701,
  in_to_cm: 2.54,
  m_to_ft: 3.28084,
  ft_to_m: 0.3048,
  m_to_yd: 1.09361,
  yd_to_m: 0.9144,
  km_to_miles: 0.621371,
  miles_to_km: 1.60934,
  kg_to_lb: 2.20462,
  lb_to_kg: 0.453592,
  celsius_to_fahrenheit: 1.8,
  fahrenheit_to_celsius: 5 / 9,
};

function convertImperial(value: PythonValue, from: PythonValue, to: PythonValue): PythonValue {
  if (isEqual(from, to)) return value;
  const factor =
    Object.hasOwn(factors, `${str(from)}_to_${str(to)}`) && factors[`${str(from)}_to_${str(to)}`];
  if (factor === false || factor === undefined) throw unsupported(from, to);
  if (from === "celsius") return operate(operate(value, "*", factor), "+", 32n);
  if (from === "fahrenheit") return operate(operate(value, "-", 32n), "*", factor);
  return operate(value, "*", factor);
}

function unsupported(from: PythonValue, to: PythonValue): Refusal {
  return new Refusal(`Conversion from '${str(from)}' to '${str(to)}' is not supported`);
}

function logarithm(value: PythonValue, base: PythonValue, precision: PythonValue): PythonValue {
  try {
    return toDict({ result: preciseLogarithm(value, base, precision) });
  } catch (error) {
    if (error instanceof PythonError) return toDict({ error: error.message });
    throw error;
  }
}

const largestPrecision = 999_999_999_999_999_999n;

function squareRoot(number: PythonValue, precision: PythonValue): PythonValue {
  const problem = "Input must be a number or computation resulted in an invalid operation";
  return attempt(problem, () => {
    if (compare(number, "<", 0n)) throw new Refusal("Cannot calculate square root of a negative number");
    if (typeof precision !== "bigint" && typeof precision !== "boolean") {
      throw new PythonError("TypeError", problem);
    }
    const digits = BigInt(precision);
    if (BigInt.asIntN(64, digits) !== digits) {
      throw new PythonError("OverflowError", "Python int too large to convert to C ssize_t");
    }
    if (digits < 1n || digits > largestPrecision) {
      throw new PythonError("ValueError", "valid range for prec is [1, MAX_PREC]");
    }
    const value = typeof number === "boolean" ? BigInt(number) : (number as bigint | number);
    return new PythonObject("Decimal", `Decimal('${squareRootText(value, digits)}')`);
  });
}

function absolute(number: PythonValue): PythonValue {
  if (typeof number === "number") return Math.abs(number);
  if (typeof number === "boolean") return BigInt(number);
  if (typeof number === "bigint") return number < 0n ? -number : number;
  if (number instanceof PythonComplex) return Math.hypot(number.real, number.imaginary);
  throw new PythonError("TypeError", `bad operand type for abs(): '${typeName(number)}'`);
}

function round(number: PythonValue, places: PythonValue): PythonValue {
  if (!isNumber(number)) {
    throw new PythonError("TypeError", `type ${typeName(number)} doesn't define __round__ method`);
  }
  const value = typeof number === "boolean" ? BigInt(number) : number;
  if (places === null) return typeof value === "bigint" ? value : roundToInteger(value);
  if (typeof places !== "bigint" && typeof places !== "boolean") {
    throw new PythonError("TypeError", `'${typeName(places)}' object cannot be interpreted as an integer`);
  }
  return typeof value === "bigint" ? roundInteger(value, BigInt(places)) : roundFloat(value, BigInt(places));
}
