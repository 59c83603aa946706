import type { PythonDict, PythonValue } from "../python/value.ts";

/** `[{name: {parameter: value}}, …]`: a list of one-name dicts of dicts. An empty list counts. */
export function isCallList(value: PythonValue | undefined): value is PythonDict[] {
  if (!Array.isArray(value)) return false;
  for (const item of value) if (!isCall(item)) return false;
  return true;
}

function isCall(item: PythonValue): boolean {
  return item instanceof Map && item.size === 1 && item.values().next().value instanceof Map;
}
