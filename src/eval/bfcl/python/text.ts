import { PythonError } from "./error.ts";
import {
  deepest,
  PythonBytes,
  PythonComplex,
  type PythonDict,
  PythonObject,
  PythonTuple,
  type PythonValue,
  typeName,
} from "./value.ts";

/** A float as `repr(float)` prints it: shortest digits, a point always, an exponent from 1e16 on and below 1e-4. */
export function floatText(value: number): string {
  if (Number.isNaN(value)) return "nan";
  if (!Number.isFinite(value)) return value > 0 ? "inf" : "-inf";
  if (value === 0) return Object.is(value, -0) ? "-0.0" : "0.0";
  const size = Math.abs(value);
  // Both languages print the shortest digits that read back as the same number; only the layout differs.
  if (size >= 1e-4 && size < 1e16) return Number.isInteger(value) ? `${value}.0` : `${value}`;
  const [mantissa = "", exponentText = "0"] = value.toExponential().split("e");
  const sign = mantissa.startsWith("-") ? "-" : "";
  const digits = mantissa.replace(/[-.]/g, "");
  const exponent = Number(exponentText);
  const fraction = digits.length > 1 ? `.${digits.slice(1)}` : "";
  const power = String(Math.abs(exponent)).padStart(2, "0");
  return `${sign}${digits[0]}${fraction}e${exponent < 0 ? "-" : "+"}${power}`;
}

/** `str(int)`: Python refuses to print more than 4,300 digits. */
export function integerText(value: bigint): string {
  const text = value.toString();
  if (text.length - (value < 0n ? 1 : 0) <= 4_300) return text;
  throw new PythonError(
    "ValueError",
    "Exceeds the limit (4300 digits) for integer string conversion; use sys.set_int_max_str_digits() to increase the limit",
  );
}

const plainText = /^[\x20-\x26\x28-\x5b\x5d-\x7e]*$/;
const notPrintable = /[\p{C}\p{Z}]/u;

/** `repr(str)`: single quotes, double ones only where the text has single quotes and no double ones. */
export function stringRepr(text: string): string {
  if (plainText.test(text)) return `'${text}'`;
  const quote = text.includes("'") && !text.includes('"') ? '"' : "'";
  let inside = "";
  for (const character of text) {
    if (character === "\\" || character === quote) inside += `\\${character}`;
    else if (character === "\n") inside += "\\n";
    else if (character === "\r") inside += "\\r";
    else if (character === "\t") inside += "\\t";
    else if (character === " " || !notPrintable.test(character)) inside += character;
    else inside += escaped(character.codePointAt(0) as number);
  }
  return quote + inside + quote;
}

/** `repr(value)`; where a container holds itself, it is three dots. */
export function repr(value: PythonValue): string {
  return partRepr(value, []);
}

/** `outer` are the containers around it, the outermost first. */
function partRepr(value: PythonValue, outer: PythonValue[]): string {
  if (outer.length > deepest) throw tooDeep();
  switch (typeof value) {
    case "string":
      return stringRepr(value);
    case "bigint":
      return integerText(value);
    case "number":
      return floatText(value);
    case "boolean":
      return value ? "True" : "False";
    default:
      return objectRepr(value, outer);
  }
}

type Container = PythonValue[] | PythonDict | PythonTuple;
type Compound = null | Container | PythonBytes | PythonComplex | PythonObject;

function objectRepr(value: Compound, outer: PythonValue[]): string {
  if (value === null) return "None";
  if (value instanceof PythonObject) return value.text;
  if (value instanceof PythonBytes) return bytesRepr(value);
  if (value instanceof PythonComplex) return complexRepr(value);
  if (outer.includes(value)) return Array.isArray(value) ? "[...]" : value instanceof Map ? "{...}" : "(...)";
  outer.push(value);
  const text = containerRepr(value, outer);
  outer.pop();
  return text;
}

function containerRepr(value: Container, outer: PythonValue[]): string {
  if (Array.isArray(value)) return `[${value.map((item) => partRepr(item, outer)).join(", ")}]`;
  if (value instanceof PythonTuple) {
    const items = value.items.map((item) => partRepr(item, outer)).join(", ");
    return value.items.length === 1 ? `(${items},)` : `(${items})`;
  }
  const entries = [...value].map(([key, item]) => `${partRepr(key, outer)}: ${partRepr(item, outer)}`);
  return `{${entries.join(", ")}}`;
}

/** `str(value)`. */
export function str(value: PythonValue): string {
  return typeof value === "string" ? value : repr(value);
}

export type JsonTextOptions = {
  /** Spaces per level; absent = one line with `", "` and `": "`. */
  indent?: number;
  /** Default true: everything beyond ASCII is written as `\uXXXX`. */
  ensureAscii?: boolean;
};

/** `json.dumps(value)`; a value or key that JSON has no word for throws a `TypeError` as Python does. */
export function jsonText(value: PythonValue, options: JsonTextOptions = oneLine): string {
  return jsonPart(value, options, 0);
}

const oneLine: JsonTextOptions = {};
const frozenTexts = new WeakMap<object, string>();

/** A list that can no longer change is printed once. */
function frozenText(value: PythonValue[]): string {
  const known = frozenTexts.get(value);
  if (known !== undefined) return known;
  const text = jsonPart([...value], oneLine, 0);
  frozenTexts.set(value, text);
  return text;
}

function jsonPart(value: PythonValue, options: JsonTextOptions, depth: number): string {
  if (depth > deepest) throw tooDeep();
  if (typeof value === "string") return jsonString(value, options.ensureAscii ?? true);
  if (value === null || typeof value !== "object") return jsonScalar(value);
  if (Array.isArray(value) || value instanceof PythonTuple) {
    if (Array.isArray(value) && Object.isFrozen(value) && options === oneLine) return frozenText(value);
    const items = Array.isArray(value) ? value : value.items;
    const parts = items.map((item) => jsonPart(item, options, depth + 1));
    return enclose("[", parts, "]", options, depth);
  }
  if (value instanceof Map) return enclose("{", jsonEntries(value, options, depth), "}", options, depth);
  throw new PythonError("TypeError", `Object of type ${typeName(value)} is not JSON serializable`);
}

function jsonEntries(dict: PythonDict, options: JsonTextOptions, depth: number): string[] {
  return [...dict].map(([key, item]) => {
    if (key !== null && typeof key === "object") {
      throw new PythonError("TypeError", `keys must be str, int, float, bool or None, not ${typeName(key)}`);
    }
    const name = typeof key === "string" ? key : jsonScalar(key);
    return `${jsonString(name, options.ensureAscii ?? true)}: ${jsonPart(item, options, depth + 1)}`;
  });
}

function enclose(
  open: string,
  parts: string[],
  close: string,
  options: JsonTextOptions,
  depth: number,
): string {
  if (parts.length === 0) return open + close;
  if (options.indent === undefined) return open + parts.join(", ") + close;
  const inner = `\n${" ".repeat(options.indent * (depth + 1))}`;
  return `${open}${inner}${parts.join(`,${inner}`)}\n${" ".repeat(options.indent * depth)}${close}`;
}

function jsonScalar(value: null | boolean | bigint | number): string {
  if (value === null) return "null";
  if (typeof value === "bigint") return integerText(value);
  if (typeof value === "boolean") return value ? "true" : "false";
  if (Number.isNaN(value)) return "NaN";
  if (!Number.isFinite(value)) return value > 0 ? "Infinity" : "-Infinity";
  return floatText(value);
}

const plainJson = /^[ !#-[\]-~]*$/;

function jsonString(text: string, ensureAscii: boolean): string {
  if (plainJson.test(text)) return `"${text}"`;
  const pattern = ensureAscii ? /["\\]|[^ -~]/g : /["\\]|[^ -\uffff]/g;
  return `"${text.replace(pattern, jsonEscape)}"`;
}

function jsonEscape(character: string): string {
  const short = { '"': '\\"', "\\": "\\\\", "\n": "\\n", "\r": "\\r", "\t": "\\t", "\b": "\\b", "\f": "\\f" };
  if (character === "\u007f") return character;
  return (
    short[character as keyof typeof short] ?? `\\u${character.charCodeAt(0).toString(16).padStart(4, "0")}`
  );
}

function escaped(code: number): string {
  if (code < 0x100) return `\\x${code.toString(16).padStart(2, "0")}`;
  if (code < 0x10000) return `\\u${code.toString(16).padStart(4, "0")}`;
  return `\\U${code.toString(16).padStart(8, "0")}`;
}

function bytesRepr(bytes: PythonBytes): string {
  const quote = bytes.text.includes("'") && !bytes.text.includes('"') ? '"' : "'";
  let inside = "";
  for (const character of bytes.text) {
    const code = character.charCodeAt(0);
    if (character === "\\" || character === quote) inside += `\\${character}`;
    else if (character === "\n") inside += "\\n";
    else if (character === "\r") inside += "\\r";
    else if (character === "\t") inside += "\\t";
    else inside += code >= 0x20 && code < 0x7f ? character : escaped(code);
  }
  return `b${quote}${inside}${quote}`;
}

function complexRepr(value: PythonComplex): string {
  const part = (number: number) => floatText(number).replace(/\.0$/, "");
  if (Object.is(value.real, 0)) return `${part(value.imaginary)}j`;
  const imaginary = part(value.imaginary);
  return `(${part(value.real)}${imaginary.startsWith("-") ? "" : "+"}${imaginary}j)`;
}

function tooDeep(): PythonError {
  return new PythonError("RecursionError", "maximum recursion depth exceeded");
}
