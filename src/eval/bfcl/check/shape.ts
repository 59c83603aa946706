import type { PythonDict, PythonValue } from "../python/value.ts";

/** `[{name: {parameter: value}}, …]`: a list of one-name dicts of dicts. An empty list counts. */
export function isCallList(value: PythonValue | undefined): value is PythonDict[] {
  return Array.isArray(value) && value.every(isCall);
}

function isCall(item: PythonValue): boolean {
  return item instanceof Map && item.size === 1 && item.values().next().value instanceof Map;
}
