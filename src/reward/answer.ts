import type { Json } from "../spec/json.ts";

/** The text inside the last `<answer>…</answer>`, or undefined where there is none. */
export function extractAnswer(text: string): string | undefined {
  const end = text.lastIndexOf("</answer>");
  const start = end === -1 ? -1 : text.lastIndexOf("<answer>", end);
  return start === -1 ? undefined : text.slice(start + "<answer>".length, end).trim();
}

/** What a final message answers: the text inside its last `<answer>` tags, or all of it where it has none. */
export const givenAnswer = (text: string): string => extractAnswer(text) ?? text.trim();

/** Equal as numbers where both are numbers, else as text after case, accents, articles and spaces are evened out. */
export function sameAnswer(given: string, expected: Json): boolean {
  if (given === "") return false;
  const [a, b] = [toNumber(given), toNumber(expected)];
  if (a !== undefined && b !== undefined) return Math.abs(a - b) <= 1e-9 * Math.max(1, Math.abs(b));
  return normalise(given) === normalise(typeof expected === "string" ? expected : JSON.stringify(expected));
}

function toNumber(value: Json): number | undefined {
  if (typeof value === "number") return value;
  if (typeof value !== "string" || value.trim() === "") return undefined;
  const number = Number(value.replaceAll(",", ""));
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
