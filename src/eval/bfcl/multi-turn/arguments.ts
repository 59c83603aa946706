import { PythonError } from "../python/error.ts";
import type { PythonValue } from "../python/value.ts";
import type { Method } from "./simulator.ts";

export type Arguments = { positional: PythonValue[]; keywords: ReadonlyMap<string, PythonValue> };

/** The values of a method's parameters in order, or the `TypeError` that Python raises for these arguments. */
export function bindArguments(
  qualifiedName: string,
  { parameters }: Method,
  { positional, keywords }: Arguments,
): PythonValue[] {
  const values: (PythonValue | undefined)[] = positional.slice(0, parameters.length);
  for (const [name, value] of keywords) {
    const at = parameters.findIndex((parameter) => parameter.name === name);
    if (at < 0 && name !== "self") {
      throw misuse(qualifiedName, `got an unexpected keyword argument '${name}'`);
    }
    if (at < 0 || values[at] !== undefined) {
      throw misuse(qualifiedName, `got multiple values for argument '${name}'`);
    }
    values[at] = value;
  }
  if (positional.length > parameters.length) {
    throw misuse(qualifiedName, tooMany(parameters, positional.length));
  }
  const missing: string[] = [];
  const bound = parameters.map((parameter, at) => {
    const value = values[at] === undefined ? parameter.default : values[at];
    if (value === undefined) missing.push(`'${parameter.name}'`);
    return value as PythonValue;
  });
  if (missing.length === 0) return bound;
  const noun = missing.length === 1 ? "argument" : "arguments";
  throw misuse(qualifiedName, `missing ${missing.length} required positional ${noun}: ${listed(missing)}`);
}

/** The object itself counts as an argument in Python's words. */
function tooMany(parameters: Method["parameters"], given: number): string {
  const most = parameters.length + 1;
  const least = parameters.filter((parameter) => parameter.default === undefined).length + 1;
  const range = least === most ? String(most) : `from ${least} to ${most}`;
  const noun = least === most && most === 1 ? "argument" : "arguments";
  return `takes ${range} positional ${noun} but ${given + 1} were given`;
}

function listed(names: readonly string[]): string {
  if (names.length < 3) return names.join(" and ");
  return `${names.slice(0, -1).join(", ")}, and ${names.at(-1)}`;
}

function misuse(qualifiedName: string, message: string): PythonError {
  return new PythonError("TypeError", `${qualifiedName}() ${message}`);
}
