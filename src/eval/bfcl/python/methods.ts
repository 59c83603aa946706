import { setItem } from "./arithmetic.ts";
import { PythonError } from "./error.ts";
import { missingMethod } from "./lines.ts";
import { parseFloating, parseInteger } from "./number.ts";
import { assertHashable, iterate, operate } from "./operators.ts";
import { fixedText } from "./rounding.ts";
import { floatText, repr } from "./text.ts";
import { dictGet, isEqual, PythonBytes, type PythonDict, type PythonValue, typeName } from "./value.ts";

// Methods of Python's own classes on values of any class: what the simulators call without looking first.

/** `value.lower()`. */
export function lower(value: PythonValue): PythonValue {
  if (typeof value === "string") return value.toLowerCase();
  if (value instanceof PythonBytes)
    return new PythonBytes(value.text.replace(/[A-Z]/g, (letter) => letter.toLowerCase()));
  throw missingMethod(value, "lower");
}

/** The value as a dict, of which a method is about to be called. */
export function dictFor(value: PythonValue, method: string): PythonDict {
  if (value instanceof Map) return value;
  throw missingMethod(value, method);
}

/** The value as a list, of which a method is about to be called. */
export function listFor(value: PythonValue, method: string): PythonValue[] {
  if (!Array.isArray(value)) throw missingMethod(value, method);
  // The lists that pad a long context are common to all objects, so none of them may change one.
  if (Object.isFrozen(value)) throw new PythonError("TypeError", `a list that is frozen has no '${method}'`);
  return value;
}

/** `value.get(key, otherwise)`. */
export function get(value: PythonValue, key: PythonValue, otherwise: PythonValue = null): PythonValue {
  const dict = dictFor(value, "get");
  assertHashable(key);
  const found = dictGet(dict, key);
  // a None that is there is no missing key
  return found === undefined ? otherwise : found;
}

/** `container[key] = item`, of dicts and lists. */
export function assign(container: PythonValue, key: PythonValue, item: PythonValue): void {
  if (container instanceof Map) {
    assertHashable(key);
    setItem(container, key, item);
    return;
  }
  if (!Array.isArray(container))
    throw new PythonError("TypeError", `'${typeName(container)}' object does not support item assignment`);
  if (typeof key !== "bigint" && typeof key !== "boolean")
    throw new PythonError("TypeError", `list indices must be integers or slices, not ${typeName(key)}`);
  const given = Number(key);
  const at = given < 0 ? given + container.length : given;
  if (at < 0 || at >= container.length)
    throw new PythonError("IndexError", "list assignment index out of range");
  container[at] = item;
}

/** `del dict[key]` where the key is known to be there. */
export function remove(dict: PythonDict, key: PythonValue): void {
  for (const each of dict.keys()) {
    if (!isEqual(each, key)) continue;
    dict.delete(each);
    return;
  }
}

/** `list.extend(items)`. */
export function extend(list: PythonValue, items: PythonValue): void {
  listFor(list, "extend").push(...iterate(items));
}

/** `list.remove(item)`: the first that equals it. */
export function removeFrom(list: PythonValue, item: PythonValue): void {
  const items = listFor(list, "remove");
  const at = items.findIndex((each) => isEqual(each, item));
  if (at < 0) throw new PythonError("ValueError", "list.remove(x): x not in list");
  items.splice(at, 1);
}

/** What `value += 1` makes of the value. */
export function increased(value: PythonValue): PythonValue {
  // a list is extended in place by this, and a number has no items
  if (Array.isArray(value)) iterate(1n);
  try {
    return operate(value, "+", 1n);
  } catch (error) {
    if (!(error instanceof PythonError)) throw error;
    throw new PythonError(error.type, error.message.replace("for +:", "for +=:"));
  }
}

/** `float(value)`. */
export function toFloat(value: PythonValue): number {
  if (typeof value === "number") return value;
  if (typeof value === "boolean") return value ? 1 : 0;
  if (typeof value === "string") return floatOfText(value);
  if (typeof value !== "bigint")
    throw new PythonError(
      "TypeError",
      `float() argument must be a string or a real number, not '${typeName(value)}'`,
    );
  const float = Number(value);
  if (!Number.isFinite(float)) throw new PythonError("OverflowError", "int too large to convert to float");
  return float;
}

function floatOfText(text: string): number {
  try {
    return parseFloating(text);
  } catch (error) {
    if (!(error instanceof PythonError)) throw error;
    throw new PythonError("ValueError", `could not convert string to float: ${repr(text)}`);
  }
}

/** `int(value)`. */
export function toInteger(value: PythonValue): bigint {
  if (typeof value === "bigint") return value;
  if (typeof value === "boolean") return value ? 1n : 0n;
  if (typeof value === "string") return integerOfText(value);
  if (typeof value !== "number")
    throw new PythonError(
      "TypeError",
      `int() argument must be a string, a bytes-like object or a real number, not '${typeName(value)}'`,
    );
  if (Number.isNaN(value)) throw new PythonError("ValueError", "cannot convert float NaN to integer");
  if (!Number.isFinite(value))
    throw new PythonError("OverflowError", "cannot convert float infinity to integer");
  return BigInt(Math.trunc(value));
}

function integerOfText(text: string): bigint {
  try {
    return parseInteger(text);
  } catch (error) {
    if (!(error instanceof PythonError) || error.message.startsWith("Exceeds")) throw error;
    throw new PythonError("ValueError", `invalid literal for int() with base 10: ${repr(text)}`);
  }
}

/** `abs(value)`. */
export function absolute(value: PythonValue): PythonValue {
  if (typeof value === "number") return Math.abs(value);
  if (typeof value === "bigint") return value < 0n ? -value : value;
  if (typeof value === "boolean") return value ? 1n : 0n;
  throw new PythonError("TypeError", `bad operand type for abs(): '${typeName(value)}'`);
}

/** `f"{value:.2f}"`. */
export function twoDecimals(value: PythonValue): string {
  if (typeof value !== "number" && typeof value !== "bigint" && typeof value !== "boolean")
    throw typeof value === "string"
      ? new PythonError("ValueError", "Unknown format code 'f' for object of type 'str'")
      : new PythonError("TypeError", `unsupported format string passed to ${typeName(value)}.__format__`);
  const float = toFloat(value);
  if (!Number.isFinite(float)) return floatText(float);
  return fixedText(float, 2);
}
