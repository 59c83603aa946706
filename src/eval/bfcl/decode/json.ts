import { setItem } from "../python/arithmetic.ts";
import { PythonError } from "../python/error.ts";
import { readJson } from "../python/json.ts";
import { spaces } from "../python/number.ts";
import { dictGet, type PythonDict, type PythonValue, typeName } from "../python/value.ts";

/** Calls written as `[{"function": name, "parameters": {…}}, …]`. What cannot be parsed at all decodes to no calls. */
export function decodeJson(text: string): PythonValue {
  let value: PythonValue;
  try {
    value = readJson(findCalls(fromFirstToLastBracket(text)));
  } catch (error) {
    if (error instanceof PythonError && error.type === "JSONDecodeError") return [];
    throw error;
  }
  // Iterating a dict or a text gives texts, which are passed over.
  if (value instanceof Map || typeof value === "string") return [];
  if (!Array.isArray(value))
    throw new PythonError("TypeError", `'${typeName(value)}' object is not iterable`);
  return value.filter((item) => item instanceof Map).map(toCall);
}

function toCall(item: PythonDict): PythonDict {
  const name = dictGet(item, "function");
  const parameters = dictGet(item, "parameters");
  if (name === undefined || parameters === undefined)
    throw new PythonError("KeyError", "function or parameters");
  const call: PythonDict = new Map();
  setItem(call, name, parameters);
  return call;
}

function fromFirstToLastBracket(text: string): string {
  const first = text.indexOf("[");
  const last = text.lastIndexOf("]");
  return first >= 0 && last > first ? text.slice(first, last + 1) : text;
}

const notSpace = new RegExp(`[^${spaces}]`, "g");

/**
 * What the original's pattern `[ {…} , {…} … ]` finds first, else the whole text. That pattern backtracks without
 * bound; here the closing braces are walked once from the right, each with the end of the match that goes through it.
 */
function findCalls(text: string): string {
  const ends = new Map<number, number>();
  let nearest: number | undefined;
  const closes: number[] = [];
  for (let at = text.lastIndexOf("}"); at >= 0; at = at === 0 ? -1 : text.lastIndexOf("}", at - 1)) {
    const end = endAfterItem(text, at, nearest);
    if (end === undefined) continue;
    nearest = end;
    ends.set(at, end);
    closes.push(at);
  }
  closes.reverse();
  let next = 0;
  for (let at = text.indexOf("["); at >= 0; at = text.indexOf("[", at + 1)) {
    const open = skipSpaces(text, at + 1);
    if (text[open] !== "{") continue;
    while (next < closes.length && (closes[next] as number) <= open) next++;
    const close = closes[next];
    if (close !== undefined) return text.slice(at, ends.get(close));
  }
  return text;
}

function endAfterItem(text: string, close: number, nearest: number | undefined): number | undefined {
  const next = skipSpaces(text, close + 1);
  if (text[next] === "]") return next + 1;
  if (text[next] !== ",") return undefined;
  return text[skipSpaces(text, next + 1)] === "{" ? nearest : undefined;
}

function skipSpaces(text: string, from: number): number {
  notSpace.lastIndex = from;
  return notSpace.exec(text)?.index ?? text.length;
}
