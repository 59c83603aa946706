import { PythonError } from "../python/error.ts";
import { parseFloating, parseInteger, spaces, strip } from "../python/number.ts";
import { type PythonDict, type PythonValue, toDict } from "../python/value.ts";

const space = `[${spaces}]`;
const word = "[\\p{L}\\p{N}_]";
const wholeNumber = /^-?\p{Nd}+\n?$/u;
const longNumber = /^-?\p{Nd}+[lL]\n?$/u;
const floatNumber = /^-?\p{Nd}+(\.\p{Nd}+)?([eE][+-]?\p{Nd}+)?[fF]\n?$/u;
const doubleNumber = /^-?\p{Nd}+(\.\p{Nd}+)?([eE][+-]?\p{Nd}+)?\n?$/u;

/** Java source text of a declared type as a value; text that does not fit the type stays text. */
export function toJavaValue(text: string, type: string, element?: string): PythonValue {
  switch (type) {
    case "byte":
    case "short":
    case "integer":
      return wholeNumber.test(text) ? parseInteger(text) : text;
    case "long":
      return longNumber.test(text) ? parseInteger(text.replace(/[lL]\n?$/, "")) : text;
    case "float":
      return floatNumber.test(text) ? parseFloating(text.replace(/[fF]\n?$/, "")) : text;
    case "double":
      return doubleNumber.test(text) ? parseFloating(text) : text;
    case "boolean":
      return text === "true" || text === "false" ? text === "true" : text;
    case "Array":
      return toArray(text, element);
    case "ArrayList":
      return toArrayList(text, element);
    case "HashMap":
      return toHashMap(text);
    // The pattern for characters can never match in the original, so they stay text like the rest.
    case "char":
    case "String":
    case "any":
      return text;
    default:
      throw new PythonError("NotImplementedError", `${type} conversion is not implemented`);
  }
}

const asListPattern = new RegExp(`new${space}+ArrayList<${word}*>\\(Arrays\\.asList\\(([^\\n]+?)\\)\\)`, "u");
const addPattern = new RegExp(`new${space}+ArrayList<${word}*>\\(\\)${space}*\\{\\{`, "gu");
const emptyListPattern = new RegExp(`new${space}+ArrayList<${word}*>\\(\\)`, "u");
const arrayPattern = new RegExp(`new${space}+${word}+\\[\\]${space}*\\{([^\\n]*?)\\}`, "u");

function toArrayList(text: string, element: string | undefined): PythonValue {
  const listed = asListPattern.exec(text)?.[1];
  if (listed !== undefined) return listed.split(",").map((item) => toElement(strip(item), element));
  const added = addedText(text);
  if (added !== undefined) {
    return [...added.matchAll(/add\(([^\n]+?)\)/g)].map((match) =>
      toElement(strip(match[1] as string), element),
    );
  }
  return emptyListPattern.test(text) ? [] : text;
}

/** What stands between `{{` and `}}` of an ArrayList with an initialiser: at least one character. */
function addedText(text: string): string | undefined {
  for (const match of text.matchAll(addPattern)) {
    const start = match.index + match[0].length;
    const first = start + text.slice(start).search(new RegExp(`[^${spaces}]|$`));
    const end = text.indexOf("}}", first + 1);
    if (end >= 0) return text.slice(first, end);
    if (first > start && text.startsWith("}}", first)) return "";
  }
  return undefined;
}

function toElement(text: string, element: string | undefined): PythonValue {
  if (element === "char" || element === "String") return inner(text);
  return element === undefined ? guessValue(text) : toJavaValue(text, element);
}

function toArray(text: string, element: string | undefined): PythonValue {
  const listed = arrayPattern.exec(text)?.[1];
  if (listed === undefined) return text;
  const items = listed
    .split(",")
    .map((item) => strip(item))
    .filter((item) => item !== "");
  return items.map((item) => (element === undefined ? guessValue(item) : toJavaValue(item, element)));
}

const mapPattern = new RegExp(`new${space}+HashMap<`, "u");
const mapBodyPattern = new RegExp(`>${space}*\\(\\)${space}*\\{`, "u");
const emptyMapPattern = new RegExp(`>${space}*\\(\\)`, "u");
const putPattern = new RegExp(`put\\("([^\\n]*?)",${space}*([^\\n]*?)\\)`, "g");

function toHashMap(text: string): PythonValue {
  const start = mapPattern.exec(text);
  if (start === null) return text;
  const rest = text.slice(start.index + start[0].length);
  const body = mapBodyPattern.exec(rest);
  if (body !== null) {
    // The initialiser ends at the first closing brace, wherever that stands.
    const open = body.index + body[0].length;
    const close = rest.indexOf("}", open);
    if (close >= 0) return toPuts(rest.slice(open, close));
  }
  return emptyMapPattern.test(rest) ? toDict({}) : text;
}

function toPuts(text: string): PythonDict {
  const dict = toDict({});
  for (const match of text.matchAll(putPattern))
    dict.set(match[1] as string, guessValue(strip(match[2] as string)));
  return dict;
}

/** A value of unknown type: boolean, quoted text, long, float, any number Python reads, or text. */
function guessValue(text: string): PythonValue {
  if (text === "true" || text === "false") return text === "true";
  if (text.startsWith('"') && text.endsWith('"')) return inner(text);
  if (longNumber.test(text)) return parseInteger(text.slice(0, -1));
  if (floatNumber.test(text)) return parseFloating(text.replace(/[fF]\n?$/, ""));
  return toNumberOrText(text);
}

const mayBeNumber = /\p{Nd}|inf|nan/iu;

/** `int(text)`, else `float(text)`, else the text. */
export function toNumberOrText(text: string): PythonValue {
  if (!mayBeNumber.test(text)) return text;
  for (const parse of [parseInteger, parseFloating]) {
    try {
      return parse(text);
    } catch (error) {
      if (!(error instanceof PythonError)) throw error;
    }
  }
  return text;
}

/** `text[1:-1]`, by characters rather than by halves of them. */
export function inner(text: string): string {
  return Array.from(text).slice(1, -1).join("");
}
