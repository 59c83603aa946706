import { spaces } from "../python/number.ts";

const head = new RegExp(`^(?:\\[|new[${spaces}]+Array\\()[${spaces}]*(?=\\[)`);
const notSpace = new RegExp(`[^${spaces}]`, "g");

/**
 * What the pattern `[ [row], [row] … ]` (or `new Array([row], …)`) of the original matches at the start of a text,
 * undefined where it does not. The pattern backtracks exponentially; this walks the closing brackets once from the
 * right, and keeps for each where a match through it would end.
 */
export function matchRows(code: string): string | undefined {
  const start = head.exec(code);
  if (start === null) return undefined;
  const firstRow = start[0].length;
  const closer = start[0].startsWith("[") ? "]" : ")";
  // The nearest closing bracket to the right that leads to a match, and where that match ends.
  let good: { at: number; end: number } | undefined;
  for (let at = code.lastIndexOf("]"); at > firstRow; at = code.lastIndexOf("]", at - 1)) {
    const end = endAfterRow(code, at, closer, good);
    if (end !== undefined) good = { at, end };
  }
  return good !== undefined && isSameLine(code, firstRow, good.at) ? code.slice(0, good.end) : undefined;
}

function endAfterRow(
  code: string,
  close: number,
  closer: string,
  good: { at: number; end: number } | undefined,
): number | undefined {
  const next = skipSpaces(code, close + 1);
  if (code[next] === closer) return next + 1;
  if (code[next] !== ",") return undefined;
  const open = skipSpaces(code, next + 1);
  return code[open] === "[" && good !== undefined && isSameLine(code, open, good.at) ? good.end : undefined;
}

function isSameLine(code: string, from: number, to: number): boolean {
  const newline = code.indexOf("\n", from);
  return newline < 0 || newline > to;
}

function skipSpaces(text: string, from: number): number {
  notSpace.lastIndex = from;
  return notSpace.exec(text)?.index ?? text.length;
}
