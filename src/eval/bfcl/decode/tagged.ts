import { repr } from "../python/text.ts";
import {
  PythonBytes,
  PythonComplex,
  PythonObject,
  PythonTuple,
  type PythonValue,
  toDict,
} from "../python/value.ts";

/** A value in words that JSON has: `$tuple`, `$dict`, `$bytes`, `$float` and `$complex` mark what it has none for. */
export function toTagged(value: PythonValue): PythonValue {
  if (typeof value === "number" && !Number.isFinite(value)) return toDict({ $float: repr(value) });
  if (value === null || typeof value !== "object") return value;
  if (Array.isArray(value)) return value.map(toTagged);
  if (value instanceof PythonTuple) return toDict({ $tuple: value.items.map(toTagged) });
  if (value instanceof PythonBytes) return toDict({ $bytes: value.text });
  if (value instanceof PythonComplex) return toDict({ $complex: [value.real, value.imaginary] });
  if (value instanceof PythonObject) return toDict({ $repr: value.text });
  const entries = [...value];
  if (entries.every(([key]) => typeof key === "string" && !key.startsWith("$"))) {
    return new Map(entries.map(([key, item]) => [key, toTagged(item)]));
  }
  return toDict({ $dict: entries.map(([key, item]) => [toTagged(key), toTagged(item)]) });
}
