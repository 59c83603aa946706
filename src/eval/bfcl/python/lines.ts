import { PythonError } from "./error.ts";
import { PythonBytes, type PythonValue, typeName } from "./value.ts";

const lineEnd = new RegExp(["\\r\\n", "[\\n\\r\\v\\f\\x1c-\\x1e\\x85\\u2028\\u2029]"].join("|"));
const byteLineEnd = /\r\n|[\n\r]/;

/** `text.splitlines()`, which knows more ends of lines than the line feed; a last end opens no line. */
export function splitLines(text: string): string[] {
  return split(text, lineEnd);
}

/** `value.splitlines()` of any value; texts and bytes have it, others raise. */
export function linesOf(value: PythonValue): PythonValue[] {
  if (typeof value === "string") return splitLines(value);
  if (value instanceof PythonBytes)
    return split(value.text, byteLineEnd).map((line) => new PythonBytes(line));
  throw missingMethod(value, "splitlines");
}

/** `value.method`, where a value of this class has none. */
export function missingMethod(value: PythonValue, method: string): PythonError {
  return new PythonError("AttributeError", `'${typeName(value)}' object has no attribute '${method}'`);
}

/** `separator.join(values)`: all of them must be texts. */
export function join(separator: string, values: readonly PythonValue[]): string {
  const texts = values.map((value, index) => {
    if (typeof value === "string") return value;
    const message = `sequence item ${index}: expected str instance, ${typeName(value)} found`;
    throw new PythonError("TypeError", message);
  });
  return texts.join(separator);
}

function split(text: string, end: RegExp): string[] {
  const lines = text.split(end);
  if (lines.at(-1) === "") lines.pop();
  return lines;
}
