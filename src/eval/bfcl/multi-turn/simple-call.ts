import type { PythonValue } from "../python/value.ts";

export type SimpleCall = { name: string; positional: PythonValue[]; keywords: Map<string, PythonValue> };

const head = /([A-Za-z_][A-Za-z0-9_]*)[ \t]*\([ \t]*/y;
const keyword = /([A-Za-z_][A-Za-z0-9_]*)[ \t]*=[ \t]*(?!=)/y;
const number = /-?(?:0|[1-9][0-9]{0,15})(\.[0-9]{1,15})?(?![\w.])/y;
const word = /(?:True|False|None)(?![\w.])/y;
const constants: ReadonlyMap<string, PythonValue> = new Map<string, PythonValue>([
  ["True", true],
  ["False", false],
  ["None", null],
]);
/** Signs that mean more than what stands there, inside of quotes or outside. */
const special = /[\\\n\r\0]/;

/**
 * Reads `name(1, key="text", list=[True])` in one pass: one bracket, plain texts, numbers, constants and lists of
 * them. That is how nearly all calls look; undefined for any other, which the whole parser then reads.
 */
export function readSimpleCall(call: string): SimpleCall | undefined {
  const opened = call.indexOf("(");
  if (opened < 0 || call.indexOf("(", opened + 1) >= 0) return undefined;
  if (special.test(call) || !call.isWellFormed()) return undefined;
  head.lastIndex = 0;
  const name = head.exec(call)?.[1];
  if (name === undefined) return undefined;
  const cursor: Cursor = { call, at: head.lastIndex };
  const positional: PythonValue[] = [];
  const keywords = new Map<string, PythonValue>();
  while (call[cursor.at] !== ")") {
    keyword.lastIndex = cursor.at;
    const key = keyword.exec(call)?.[1];
    if (key !== undefined) cursor.at = keyword.lastIndex;
    const value = readValue(cursor, true);
    if (value === undefined || (key === undefined ? keywords.size > 0 : keywords.has(key))) return undefined;
    if (key === undefined) positional.push(value);
    else keywords.set(key, value);
    if (!isPartEnd(cursor, ")")) return undefined;
  }
  return cursor.at === call.length - 1 ? { name, positional, keywords } : undefined;
}

type Cursor = { readonly call: string; at: number };

/** Takes a comma with the spaces around it, or finds the closing sign, which stays. */
function isPartEnd(cursor: Cursor, close: string): boolean {
  skipSpaces(cursor);
  if (cursor.call[cursor.at] === close) return true;
  if (cursor.call[cursor.at] !== ",") return false;
  cursor.at++;
  skipSpaces(cursor);
  return true;
}

function readValue(cursor: Cursor, mayBeList: boolean): PythonValue | undefined {
  const { call, at } = cursor;
  const sign = call[at];
  if (sign === "'" || sign === '"') {
    const close = call.indexOf(sign, at + 1);
    if (close < 0) return undefined;
    cursor.at = close + 1;
    // A quote right behind the closing one would be part of a longer text.
    return call[close + 1] === sign ? undefined : call.slice(at + 1, close);
  }
  if (sign === "[") return mayBeList ? readList(cursor) : undefined;
  number.lastIndex = at;
  const digits = number.exec(call);
  if (digits !== null) {
    cursor.at = number.lastIndex;
    return digits[1] === undefined ? BigInt(digits[0]) : Number(digits[0]);
  }
  word.lastIndex = at;
  const constant = word.exec(call);
  if (constant === null) return undefined;
  cursor.at = word.lastIndex;
  return constants.get(constant[0]);
}

function readList(cursor: Cursor): PythonValue[] | undefined {
  cursor.at++;
  skipSpaces(cursor);
  const items: PythonValue[] = [];
  while (cursor.call[cursor.at] !== "]") {
    const item = readValue(cursor, false);
    if (item === undefined || !isPartEnd(cursor, "]")) return undefined;
    items.push(item);
  }
  cursor.at++;
  return items;
}

function skipSpaces(cursor: Cursor): void {
  while (cursor.call[cursor.at] === " " || cursor.call[cursor.at] === "\t") cursor.at++;
}
