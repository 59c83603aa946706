import type { Json } from "../spec/json.ts";

/** The text inside the last `<answer>…</answer>`, or undefined where there is none. */
export function extractAnswer(text: string): string | undefined {
  const end = text.lastIndexOf("</answer>");
  const start = end === -1 ? -1 : text.lastIndexOf("<answer>", end);
  return start === -1 ? undefined : text.slice(start + "<answer>".length, end).trim();
}

/** What a final message answers: the text inside its last `<answer>` tags, or all of it where it has none. */
export const givenAnswer = (text: string): string => extractAnswer(text) ?? text.trim();

/**
 * Whole numbers are the same when they are equal, other numbers to nine digits; text is the same after case,
 * accents, articles and spaces are evened out. No text at all is the same as nothing.
 */
export function sameAnswer(given: string, expected: Json): boolean {
  if (given === "") return false;
  const [a, b] = [toNumber(given), toNumber(expected)];
  if (a === undefined || b === undefined) {
    return normalise(given) === normalise(typeof expected === "string" ? expected : JSON.stringify(expected));
  }
  if (Number.isInteger(a) && Number.isInteger(b)) return a === b;
  return Math.abs(a - b) <= 1e-9 * Math.max(1, Math.abs(b));
}

/** Decimal, with thousands apart or not: 1,234 is a number, 1,2 is a list. */
const decimal = /^[+-]?(?:\d{1,3}(?:,\d{3})+|\d+)?(?:\.\d+)?(?:e[+-]?\d+)?$/i;

function toNumber(value: Json): number | undefined {
  if (typeof value === "number") return value;
  if (typeof value !== "string" || !decimal.test(value.trim())) return undefined;
  const number = Number.parseFloat(value.replaceAll(",", ""));
  return Number.isFinite(number) ? number : undefined;
}

function normalise(text: string): string {
  return text
    .normalize("NFKD")
    .replace(/\p{M}/gu, "")
    .toLowerCase()
    .replace(/\b(?:a|an|the)\b/g, " ")
    .replace(/\s+/g, " ")
    .trim();
}
