import { readFileSync } from "node:fs";
import { readJson } from "../python/json.ts";
import { ellipsisObject, type PythonValue } from "../python/value.ts";
// Only the type, which brings the file into the build: its text is read when it is first needed.
import type constants from "./long-context.json";

type Constants = typeof constants;
export type LongContextName = keyof Constants;

let texts: Constants | undefined;
const values = new Map<LongContextName, PythonValue>();

/**
 * A value that the long-context category pads its objects with, by the name that the original gives it. It is the
 * same value every time, and lists are frozen: copy it before you change it.
 */
export function longContext(name: LongContextName): PythonValue {
  const value = values.get(name) ?? readConstant(name);
  values.set(name, value);
  return value;
}

/** Each constant is a text of JSON inside the file, so that it is read alone and without loss of numbers. */
function readConstant(name: LongContextName): PythonValue {
  texts ??= JSON.parse(readFileSync(new URL("./long-context.json", import.meta.url), "utf8")) as Constants;
  const value = readJson(texts[name]);
  // The original's list ends with three dots that are no text, and JSON has no word for them.
  if (name === "WATCH_LIST_EXTENSION") (value as PythonValue[]).push(ellipsisObject);
  // Frozen, a list is printed only once however often it is part of a result.
  return Array.isArray(value) ? (Object.freeze(value) as PythonValue[]) : value;
}
