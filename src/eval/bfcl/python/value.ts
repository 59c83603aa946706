/**
 * A value of Python, as far as the benchmark needs it. Integers are `bigint` and floats are `number`, because most
 * of its verdicts and printed texts depend on the difference; a list is an array, None is null.
 */
export type PythonValue =
  | null
  | boolean
  | bigint
  | number
  | string
  | PythonValue[]
  | PythonTuple
  | PythonDict
  | PythonBytes
  | PythonComplex
  | PythonObject;

/** In the order of insertion, like Python's own. Keys are compared as Python does: `1`, `1.0` and `True` are one key. */
export type PythonDict = Map<PythonValue, PythonValue>;

/** Values may not nest deeper than this: every walk over them is recursive, and Python itself gives up at 1,000. */
export const deepest = 1_000;

export class PythonTuple {
  readonly items: readonly PythonValue[];

  constructor(items: readonly PythonValue[]) {
    this.items = items;
  }
}

/** Bytes, as latin-1 text. */
export class PythonBytes {
  readonly text: string;

  constructor(text: string) {
    this.text = text;
  }
}

export class PythonComplex {
  readonly real: number;
  readonly imaginary: number;

  constructor(real: number, imaginary: number) {
    this.real = real;
    this.imaginary = imaginary;
  }
}

/** An object of a library's class, known only by how it prints itself: a `Decimal`, an `mpf`. Equal to itself alone. */
export class PythonObject {
  readonly type: string;
  readonly text: string;

  /** `text` is what `repr` gives. */
  constructor(type: string, text: string) {
    this.type = type;
    this.text = text;
  }
}

/** The three dots, of which there is one. */
export const ellipsisObject = new PythonObject("ellipsis", "Ellipsis");

/** The name of the value's class, as `type(value).__name__` gives it. */
export function typeName(value: PythonValue): string {
  switch (typeof value) {
    case "string":
      return "str";
    case "bigint":
      return "int";
    case "number":
      return "float";
    case "boolean":
      return "bool";
    default:
      if (value === null) return "NoneType";
      if (Array.isArray(value)) return "list";
      if (value instanceof Map) return "dict";
      if (value instanceof PythonTuple) return "tuple";
      if (value instanceof PythonObject) return value.type;
      return value instanceof PythonBytes ? "bytes" : "complex";
  }
}

/** Python's `==`: numbers by exact value whatever their class (`True == 1 == 1.0`), a list never equals a tuple. */
export function isEqual(left: PythonValue, right: PythonValue): boolean {
  if (left === right) return true;
  if (isReal(left)) {
    if (right instanceof PythonComplex) return isEqual(right, left);
    // biome-ignore lint/suspicious/noDoubleEquals: an integer and a float compare by exact value only with ==
    return isReal(right) && toReal(left) == toReal(right);
  }
  if (left === null || typeof left === "string") return false;
  if (Array.isArray(left)) return Array.isArray(right) && areEqual(left, right);
  if (left instanceof Map) return right instanceof Map && areEqualDicts(left, right);
  if (left instanceof PythonTuple) return right instanceof PythonTuple && areEqual(left.items, right.items);
  if (left instanceof PythonBytes) return right instanceof PythonBytes && left.text === right.text;
  if (left instanceof PythonComplex) {
    if (right instanceof PythonComplex) return left.real === right.real && left.imaginary === right.imaginary;
    // biome-ignore lint/suspicious/noDoubleEquals: see above
    return isReal(right) && left.imaginary === 0 && left.real == toReal(right);
  }
  return false;
}

/** Python's `value in list`. */
export function isIn(value: PythonValue, list: readonly PythonValue[]): boolean {
  return list.some((item) => isEqual(item, value));
}

/** The value under a key that equals this one in Python; undefined where there is none. */
export function dictGet(dict: PythonDict, key: PythonValue): PythonValue | undefined {
  const found = dict.get(key);
  return found === undefined && typeof key !== "string" ? dict.get(storedKey(dict, key)) : found;
}

export function dictHas(dict: PythonDict, key: PythonValue): boolean {
  return dict.has(key) || (typeof key !== "string" && dict.has(storedKey(dict, key)));
}

/** Python's `dict[key] = value`: an equal key keeps its place and its own class. */
export function dictSet(dict: PythonDict, key: PythonValue, value: PythonValue): void {
  if (typeof key === "string" || key === null) dict.set(key, value);
  else {
    const stored = storedKey(dict, key);
    if (stored === key && !isReal(key) && !(key instanceof PythonObject)) rememberKey(dict, key);
    dict.set(stored, value);
  }
}

/** A dict from an object: what tests and documents are written with. */
export function toDict(entries: Record<string, PythonValue>): PythonDict {
  return new Map(Object.entries(entries));
}

function isReal(value: PythonValue): value is boolean | bigint | number {
  return typeof value === "bigint" || typeof value === "number" || typeof value === "boolean";
}

function toReal(value: boolean | bigint | number): bigint | number {
  return value === true ? 1 : value === false ? 0 : value;
}

function areEqual(left: readonly PythonValue[], right: readonly PythonValue[]): boolean {
  return (
    left.length === right.length && left.every((item, index) => isEqual(item, right[index] as PythonValue))
  );
}

function areEqualDicts(left: PythonDict, right: PythonDict): boolean {
  if (left.size !== right.size) return false;
  for (const [key, value] of left) {
    const other = dictGet(right, key);
    if (other === undefined || !isEqual(value, other)) return false;
  }
  return true;
}

// Keys that JavaScript compares by identity, found again by a text that is the same for equal keys.
const compoundKeys = new WeakMap<PythonDict, Map<string, PythonValue>>();

/** The key of the dict that equals this one in Python, or this one itself. */
function storedKey(dict: PythonDict, key: PythonValue): PythonValue {
  if (key === null || typeof key === "string") return key;
  if (key instanceof PythonObject) return key;
  if (!isReal(key)) {
    const same = compoundKeys.get(dict)?.get(keyText(key));
    return same === undefined ? key : same;
  }
  const real = toReal(key);
  for (const other of [real, typeof real === "bigint" ? Number(real) : toInteger(real)]) {
    // biome-ignore lint/suspicious/noDoubleEquals: an integer and a float compare by exact value only with ==
    if (other !== undefined && toReal(other) == real && dict.has(other)) return other;
  }
  // biome-ignore lint/suspicious/noDoubleEquals: see above
  if (real == 1 && dict.has(true)) return true;
  // biome-ignore lint/suspicious/noDoubleEquals: see above
  if (real == 0 && dict.has(false)) return false;
  return key;
}

function toInteger(value: number | bigint): bigint | undefined {
  return typeof value === "number" && Number.isInteger(value) ? BigInt(value) : undefined;
}

function rememberKey(dict: PythonDict, key: PythonValue): void {
  const known = compoundKeys.get(dict) ?? new Map<string, PythonValue>();
  compoundKeys.set(dict, known.set(keyText(key), key));
}

function keyText(key: PythonValue): string {
  if (key instanceof PythonTuple) return `(${key.items.map(keyText).join(",")})`;
  if (typeof key === "string") return JSON.stringify(key);
  if (key instanceof PythonBytes) return `b${JSON.stringify(key.text)}`;
  if (key instanceof PythonComplex) {
    return key.imaginary === 0 ? keyText(key.real) : `c${key.real}:${key.imaginary}`;
  }
  if (key === null) return "None";
  if (key instanceof PythonObject) return `o${key.type}:${key.text}`;
  if (!isReal(key)) throw new Error("only a hashable value can be a key");
  const real = toReal(key);
  return String(typeof real === "number" && Number.isInteger(real) ? BigInt(real) : real);
}
