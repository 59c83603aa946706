import { PythonError } from "../python/error.ts";
import { parseFloating, parseInteger, spaces, strip } from "../python/number.ts";
import { type PythonDict, type PythonValue, toDict } from "../python/value.ts";
import { inner, toNumberOrText } from "./java-value.ts";
import { matchRows } from "./rows-pattern.ts";

/** JavaScript source text of a declared type as a value; text that does not fit the type stays text. */
export function toJavaScriptValue(text: string, type: string, element?: string): PythonValue {
  switch (type) {
    case "String":
      return isQuoted(text) ? inner(text) : text;
    case "integer":
      return /^-?\p{Nd}+\n?$/u.test(text) ? parseInteger(text) : text;
    case "float":
      return /^-?\p{Nd}+(\.\p{Nd}+)?\n?$/u.test(text) ? parseFloating(text) : text;
    case "Bigint":
      return /^-?\p{Nd}+n\n?$/u.test(text) ? parseInteger(text.slice(0, -1)) : text;
    case "Boolean":
      return text === "true" || text === "false" ? text === "true" : text;
    case "dict":
      return toObject(strip(text));
    case "array":
      return toArray(strip(text), element);
    case "any":
      return text;
    default:
      throw new PythonError("ValueError", `Unsupported type: ${type}`);
  }
}

const arrayPattern = new RegExp(`^(?:\\[([^\\n]*?)\\]|new[${spaces}]+Array\\(([^\\n]*?)\\))`);

function toArray(code: string, element: string | undefined): PythonValue {
  const rows = matchRows(code);
  if (rows !== undefined) {
    return [...rows.matchAll(/\[([^\n]*?)\]/g)].map((match, index) => {
      const text = strip(match[1] as string);
      const row = index === 0 && text.startsWith("[") ? text.slice(1) : text;
      return row.split(",").map((item) => guessValue(item));
    });
  }
  const match = arrayPattern.exec(code);
  if (match === null) return code;
  const listed = strip(match[1] ?? match[2] ?? "");
  const items = listed === "" ? [] : listed.split(",").map((item) => strip(item));
  if (element === undefined) return items.map(guessValue);
  try {
    // The original hands "String" down as the element type of quoted items.
    return items.map((item) => toJavaScriptValue(item, element, /^["']/.test(item) ? "String" : undefined));
  } catch (error) {
    if (error instanceof PythonError) return code;
    throw error;
  }
}

/** An object literal: up to the first closing brace, cut at commas that a `key:` follows. */
function toObject(code: string): PythonValue {
  if (code === "{}") return toDict({});
  const content = /^\{([^\n]*?)\}/.exec(code)?.[1];
  if (content === undefined) return code;
  const dict: PythonDict = new Map();
  for (let at = 0; at < content.length; ) {
    if (content[at] === ":") {
      at++;
      continue;
    }
    const colon = content.indexOf(":", at);
    if (colon < 0) break;
    const start = skipSpaces(content, colon + 1);
    const [end, next] = findPairEnd(content, start);
    dict.set(strip(strip(content.slice(at, colon)), "'\""), toPairValue(strip(content.slice(start, end))));
    at = next;
  }
  return dict;
}

/** Where a value ends and where the next pair starts. */
function findPairEnd(content: string, start: number): [end: number, next: number] {
  for (let comma = content.indexOf(",", start); comma >= 0; comma = content.indexOf(",", comma + 1)) {
    const nextComma = content.indexOf(",", comma + 1);
    const run = content.slice(comma + 1, nextComma < 0 ? undefined : nextComma);
    const spaced = run.length - run.slice(skipSpaces(run, 0)).length;
    const lastColon = run.lastIndexOf(":");
    // At least one character must stand before the colon; spaces are given back for it where there is no other.
    if (lastColon >= 1) return [comma, comma + 1 + Math.min(spaced, lastColon - 1)];
  }
  return [content.length, content.length];
}

function toPairValue(text: string): PythonValue {
  if (text.startsWith("[") && text.endsWith("]")) return toArray(text, undefined);
  if (text.startsWith("{") && text.endsWith("}")) return toObject(text);
  return guessValue(strip(text, "'\""));
}

function guessValue(text: string): PythonValue {
  const value = strip(text);
  if (value === "true" || value === "false") return value === "true";
  return isQuoted(value) ? inner(value) : toNumberOrText(value);
}

function isQuoted(text: string): boolean {
  return (text.startsWith('"') && text.endsWith('"')) || (text.startsWith("'") && text.endsWith("'"));
}

const notSpace = new RegExp(`[^${spaces}]`, "g");

function skipSpaces(text: string, from: number): number {
  notSpace.lastIndex = from;
  return notSpace.exec(text)?.index ?? text.length;
}
