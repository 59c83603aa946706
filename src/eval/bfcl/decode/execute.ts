import { PythonError } from "../python/error.ts";
import { repr, str } from "../python/text.ts";
import type { PythonDict, PythonValue } from "../python/value.ts";
import { decodeOrThrow } from "./decode.ts";

/**
 * Call strings for the multi-turn executor, from a text in Python format: every call printed again with its keywords.
 * Throws a `PythonError` where the original raises, which there means that the model is done with its turn.
 */
export function decodeExecute(text: string, toolCallTag = false): string[] {
  return toCallStrings(decodeOrThrow(text, "python", toolCallTag) as PythonDict[]);
}

/** Decoded calls as the call strings that the executor takes. */
export function toCallStrings(calls: readonly PythonDict[]): string[] {
  return calls.flatMap((call) =>
    [...call].map(([name, parameters]) => `${str(name)}(${argumentsText(parameters as PythonDict)})`),
  );
}

function argumentsText(parameters: PythonDict): string {
  return [...parameters].map(([name, value]) => `${str(name)}=${valueText(value)}`).join(", ");
}

/** A dict whose values are all dicts is taken for a nested call; other values are printed by `repr`. */
function valueText(value: PythonValue): string {
  if (!(value instanceof Map)) return repr(value);
  if (![...value.values()].every((item) => item instanceof Map)) {
    return `{${[...value].map(([key, item]) => `'${str(key)}': ${valueText(item)}`).join(", ")}}`;
  }
  const [name, parameters] = value.entries().next().value ?? [];
  if (name === undefined || !(parameters instanceof Map))
    throw new PythonError("IndexError", "list index out of range");
  return `${str(name)}(${argumentsText(parameters)})`;
}
