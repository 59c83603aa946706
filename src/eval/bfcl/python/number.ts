import { PythonError } from "./error.ts";

/** What `str.isspace` and `\s` of Python's `re` call white space. */
export const spaces = "\\t-\\r\\x1c-\\x20\\x85\\xa0\\u1680\\u2000-\\u200a\\u2028\\u2029\\u202f\\u205f\\u3000";
const isSpacePattern = new RegExp(`[${spaces}]`);

export function isSpace(character: string): boolean {
  return isSpacePattern.test(character);
}

/** `text.strip()`, or `text.strip(characters)`: in one pass from either end. */
export function strip(text: string, characters?: string): string {
  const drops = characters === undefined ? isSpace : (character: string) => characters.includes(character);
  let start = 0;
  let end = text.length;
  while (start < end && drops(text[start] as string)) start++;
  while (end > start && drops(text[end - 1] as string)) end--;
  return text.slice(start, end);
}

/** `int(text)`: spaces around, one underscore between digits, decimal digits of any script. */
export function parseInteger(text: string): bigint {
  const digits = toAsciiDigits(strip(text));
  if (!/^[+-]?[0-9]+(?:_[0-9]+)*$/.test(digits)) {
    throw new PythonError("ValueError", "invalid literal for int() with base 10");
  }
  const plain = digits.replaceAll("_", "").replace("+", "");
  if (plain.replace("-", "").length > 4_300) {
    throw new PythonError("ValueError", "Exceeds the limit (4300 digits) for integer string conversion");
  }
  return plain.startsWith("-") ? -BigInt(plain.slice(1)) : BigInt(plain);
}

/** `float(text)`. */
export function parseFloating(text: string): number {
  const digits = toAsciiDigits(strip(text));
  const special = /^([+-]?)(inf|infinity|nan)$/i.exec(digits);
  if (special) {
    const size = special[2]?.toLowerCase() === "nan" ? Number.NaN : Number.POSITIVE_INFINITY;
    return special[1] === "-" ? -size : size;
  }
  const part = "[0-9]+(?:_[0-9]+)*";
  if (!new RegExp(`^[+-]?(?:${part}\\.?(?:${part})?|\\.${part})(?:[eE][+-]?${part})?$`).test(digits)) {
    throw new PythonError("ValueError", "could not convert string to float");
  }
  return Number(digits.replaceAll("_", ""));
}

const digitPattern = /\p{Nd}/gu;

/** The text with its decimal digits as ASCII has them: every script's ten stand in a row that starts at its zero, and no two rows touch within less than ten. */
export function toAsciiDigits(text: string): string {
  // oxlint-disable-next-line no-control-regex
  if (/^\p{ASCII}*$/u.test(text)) return text;
  return text.replace(digitPattern, (digit) => {
    const code = digit.codePointAt(0) as number;
    if (code < 0x80) return digit;
    // The mathematical digits are five rows of ten without a gap, from U+1D7CE.
    if (code >= 0x1d7ce && code <= 0x1d7ff) return String((code - 0x1d7ce) % 10);
    let zero = code;
    while (code - zero < 9 && /\p{Nd}/u.test(String.fromCodePoint(zero - 1))) zero--;
    return String(code - zero);
  });
}
