import { type PythonDict, PythonTuple, type PythonValue } from "../python/value.ts";

/** `copy.deepcopy(value)`. */
export function copyOf(value: PythonValue): PythonValue {
  if (Array.isArray(value)) return value.map(copyOf);
  if (value instanceof Map) {
    const copy: PythonDict = new Map();
    for (const [key, item] of value) copy.set(key, copyOf(item));
    return copy;
  }
  return value instanceof PythonTuple ? new PythonTuple(value.items.map(copyOf)) : value;
}
