import { PythonError } from "../python/error.ts";
import { readJson } from "../python/json.ts";
import { repr, str } from "../python/text.ts";
import { type PythonDict, type PythonValue, typeName } from "../python/value.ts";

/**
 * Native calls as a result file holds them, `[{name: "arguments as JSON text"}]`, with the arguments read. Throws a
 * `PythonError` where the original raises: for text in place of calls, and for arguments that are not JSON.
 */
export function decodeNative(stored: PythonValue): PythonValue {
  return iterate(stored).map((call) => {
    const [name, text] = entriesOf(call)[0] ?? [];
    if (name === undefined || text === undefined)
      throw new PythonError("IndexError", "list index out of range");
    if (typeof text !== "string") {
      throw new PythonError(
        "TypeError",
        `the JSON object must be str, bytes or bytearray, not ${typeName(text)}`,
      );
    }
    return new Map([[name, readJson(text)]]);
  });
}

/** The same as call strings for the executor. */
export function toNativeCallStrings(stored: PythonValue): string[] {
  const calls = stored instanceof Map ? [stored] : iterate(stored);
  return calls.flatMap((call) =>
    entriesOf(call).map(([name, value]) => {
      const given = typeof value === "string" ? readJson(value) : value;
      const written = entriesOf(given).map(([key, each]) => `${str(key)}=${repr(each)}`);
      return `${str(name)}(${written.join(",")})`;
    }),
  );
}

function iterate(value: PythonValue): readonly PythonValue[] {
  if (Array.isArray(value)) return value;
  if (typeof value === "string") return Array.from(value);
  if (value instanceof Map) return [...value.keys()];
  throw new PythonError("TypeError", `'${typeName(value)}' object is not iterable`);
}

function entriesOf(value: PythonValue): [PythonValue, PythonValue][] {
  if (value instanceof Map) return [...(value as PythonDict)];
  throw new PythonError("AttributeError", `'${typeName(value)}' object has no attribute 'items'`);
}
