import { evaluate } from "./arithmetic.ts";
import { PythonError } from "./error.ts";
import type { Node } from "./node.ts";
import { repr } from "./text.ts";
import {
  dictGet,
  dictHas,
  isEqual,
  isIn,
  PythonBytes,
  PythonComplex,
  PythonTuple,
  type PythonValue,
  typeName,
} from "./value.ts";

export type Ordering = "<" | "<=" | ">" | ">=";
export type Arithmetic = "+" | "-" | "*" | "/" | "//" | "%" | "**";

/** `bool(value)`. */
export function isTrue(value: PythonValue): boolean {
  if (value === null || typeof value !== "object") return Boolean(value) || Number.isNaN(value);
  if (Array.isArray(value)) return value.length > 0;
  if (value instanceof Map) return value.size > 0;
  if (value instanceof PythonTuple) return value.items.length > 0;
  if (value instanceof PythonBytes) return value.text !== "";
  return !(value instanceof PythonComplex) || value.real !== 0 || value.imaginary !== 0;
}

/** `isinstance(value, (int, float))`, which holds for True and False. */
export function isNumber(value: PythonValue): value is boolean | bigint | number {
  return typeof value === "bigint" || typeof value === "number" || typeof value === "boolean";
}

/** `left < right` and its like: numbers by exact value, texts by code point, lists and tuples item by item. */
export function compare(left: PythonValue, operator: Ordering, right: PythonValue): boolean {
  if (isNumber(left) && isNumber(right)) return holds(real(left), operator, real(right));
  if (typeof left === "string" && typeof right === "string")
    return holds(compareTexts(left, right), operator, 0);
  const [items, others] = [sequenceOf(left), sequenceOf(right)];
  if (items !== undefined && others !== undefined && Array.isArray(left) === Array.isArray(right)) {
    const at = items.findIndex(
      (item, index) => index >= others.length || !isEqual(item, others[index] as PythonValue),
    );
    if (at < 0 || at >= others.length) return holds(items.length, operator, others.length);
    return compare(items[at] as PythonValue, operator, others[at] as PythonValue);
  }
  if (left instanceof PythonBytes && right instanceof PythonBytes) {
    return holds(compareTexts(left.text, right.text), operator, 0);
  }
  throw typeError(
    `'${operator}' not supported between instances of '${typeName(left)}' and '${typeName(right)}'`,
  );
}

/** How two texts stand to each other by their code points, as Python orders them: negative, zero or positive. */
export function compareTexts(left: string, right: string): number {
  const length = Math.min(left.length, right.length);
  for (let at = 0; at < length; at++) {
    const [a, b] = [left.charCodeAt(at), right.charCodeAt(at)];
    if (a === b) continue;
    // Halves of a pair stand for code points above all others.
    return isHalf(a) === isHalf(b) ? a - b : isHalf(a) ? 1 : -1;
  }
  return left.length - right.length;
}

/** `item in container`. */
export function contains(container: PythonValue, item: PythonValue): boolean {
  if (typeof container === "string") {
    if (typeof item === "string") return container.includes(item);
    throw typeError(`'in <string>' requires string as left operand, not ${typeName(item)}`);
  }
  if (container instanceof Map) {
    assertHashable(item);
    return dictHas(container, item);
  }
  if (container instanceof PythonBytes) {
    if (item instanceof PythonBytes) return container.text.includes(item.text);
    const byte = typeof item === "boolean" || typeof item === "bigint" ? real(item) : undefined;
    if (byte === undefined) throw typeError(`a bytes-like object is required, not '${typeName(item)}'`);
    if (byte < 0 || byte > 255) throw new PythonError("ValueError", "byte must be in range(0, 256)");
    return container.text.includes(String.fromCharCode(Number(byte)));
  }
  const items = sequenceOf(container);
  if (items !== undefined) return isIn(item, items);
  throw typeError(`argument of type '${typeName(container)}' is not iterable`);
}

/** What a `for` loop over the value goes through. */
export function iterate(value: PythonValue): readonly PythonValue[] {
  if (value instanceof Map) return [...value.keys()];
  if (typeof value === "string") return Array.from(value);
  if (value instanceof PythonBytes) return Array.from(value.text).map((byte) => BigInt(byte.charCodeAt(0)));
  const items = sequenceOf(value);
  if (items !== undefined) return items;
  throw typeError(`'${typeName(value)}' object is not iterable`);
}

/** `len(value)`: texts are counted by code points. */
export function lengthOf(value: PythonValue): number {
  if (typeof value === "string") return textLength(value);
  if (value instanceof Map) return value.size;
  if (value instanceof PythonBytes) return value.text.length;
  const items = sequenceOf(value);
  if (items !== undefined) return items.length;
  throw typeError(`object of type '${typeName(value)}' has no len()`);
}

/** The number of code points of a text. */
export function textLength(text: string): number {
  let length = text.length;
  for (let at = 0; at + 1 < text.length; at++) {
    if ((text.charCodeAt(at) & 0xfc00) !== 0xd800 || (text.charCodeAt(at + 1) & 0xfc00) !== 0xdc00) continue;
    length--;
    at++;
  }
  return length;
}

/** Throws what `hash(value)` throws. */
export function assertHashable(value: PythonValue): void {
  if (value instanceof PythonTuple) for (const item of value.items) assertHashable(item);
  else if (Array.isArray(value) || value instanceof Map)
    throw typeError(`unhashable type: '${typeName(value)}'`);
}

/** `container[key]`. */
export function subscript(container: PythonValue, key: PythonValue): PythonValue {
  if (container instanceof Map) {
    assertHashable(key);
    const value = dictGet(container, key);
    if (value === undefined) throw new PythonError("KeyError", repr(key));
    return value;
  }
  const kind = typeName(container);
  const isText = typeof container === "string";
  if (!isText && !(container instanceof PythonBytes) && sequenceOf(container) === undefined) {
    throw typeError(`'${kind}' object is not subscriptable`);
  }
  if (typeof key !== "bigint" && typeof key !== "boolean") {
    const name = isText ? "string" : container instanceof PythonBytes ? "byte" : kind;
    throw typeError(
      isText
        ? `string indices must be integers, not '${typeName(key)}'`
        : `${name} indices must be integers or slices, not ${typeName(key)}`,
    );
  }
  const items = iterate(container);
  const at = Number(real(key));
  const value = items[at < 0 ? at + items.length : at];
  if (value !== undefined) return value;
  const name = isText ? "string " : container instanceof PythonBytes ? "" : `${kind} `;
  throw new PythonError("IndexError", `${name}index out of range`);
}

/** `left + right` and its like, with Python's own words where it cannot be done. */
export function operate(left: PythonValue, operator: Arithmetic, right: PythonValue): PythonValue {
  if (typeof left === "number" && typeof right === "number") {
    if (operator === "+") return left + right;
    if (operator === "-") return left - right;
    if (operator === "*") return left * right;
  }
  try {
    return evaluate({ kind: "binary", operator, left: constant(left), right: constant(right) });
  } catch (error) {
    if (!(error instanceof PythonError)) throw error;
    throw inPythonsWords(error, left, operator, right);
  }
}

function inPythonsWords(
  error: PythonError,
  left: PythonValue,
  operator: Arithmetic,
  right: PythonValue,
): PythonError {
  if (error.type === "TypeError") return typeError(misfitText(left, operator, right));
  if (error.type === "OverflowError" && operator === "**") {
    const isInteger = typeof left === "bigint" && typeof right === "bigint";
    return isInteger || error.message.startsWith("int")
      ? error
      : new PythonError("OverflowError", "(34, 'Numerical result out of range')");
  }
  if (error.type !== "ZeroDivisionError") return error;
  const isFloat = typeof left === "number" || typeof right === "number";
  const words = {
    "/": isFloat ? "float division by zero" : "division by zero",
    "//": isFloat ? "float floor division by zero" : "integer division or modulo by zero",
    "%": isFloat ? "float modulo" : "integer modulo by zero",
    "**": "0.0 cannot be raised to a negative power",
    "+": "",
    "-": "",
    "*": "",
  };
  return new PythonError("ZeroDivisionError", words[operator]);
}

function misfitText(left: PythonValue, operator: Arithmetic, right: PythonValue): string {
  const [a, b] = [typeName(left), typeName(right)];
  if (operator === "+") {
    if (typeof left === "string" || Array.isArray(left) || left instanceof PythonTuple)
      return `can only concatenate ${a} (not "${b}") to ${a}`;
    if (left instanceof PythonBytes) return `can't concat ${b} to bytes`;
  }
  if (operator === "*") {
    if (isSequence(left)) return `can't multiply sequence by non-int of type '${b}'`;
    if (isSequence(right)) return `can't multiply sequence by non-int of type '${a}'`;
  }
  if (operator === "%" && (typeof left === "string" || left instanceof PythonBytes)) {
    return `not all arguments converted during ${typeof left === "string" ? "string" : "bytes"} formatting`;
  }
  return `unsupported operand type(s) for ${operator === "**" ? "** or pow()" : operator}: '${a}' and '${b}'`;
}

function constant(value: PythonValue): Node {
  return { kind: "constant", value };
}

function isSequence(value: PythonValue): boolean {
  return typeof value === "string" || value instanceof PythonBytes || sequenceOf(value) !== undefined;
}

function sequenceOf(value: PythonValue): readonly PythonValue[] | undefined {
  if (Array.isArray(value)) return value;
  return value instanceof PythonTuple ? value.items : undefined;
}

function real(value: boolean | bigint | number): bigint | number {
  return typeof value === "boolean" ? (value ? 1n : 0n) : value;
}

function holds(left: bigint | number, operator: Ordering, right: bigint | number): boolean {
  if (operator === "<") return left < right;
  if (operator === "<=") return left <= right;
  return operator === ">" ? left > right : left >= right;
}

function isHalf(code: number): boolean {
  return (code & 0xf800) === 0xd800;
}

function typeError(message: string): PythonError {
  return new PythonError("TypeError", message);
}
