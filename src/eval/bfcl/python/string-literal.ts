import { PythonError } from "./error.ts";
import { PythonBytes } from "./value.ts";

const simpleEscapes = new Map([
  ["\n", ""],
  ["\\", "\\"],
  ["'", "'"],
  ['"', '"'],
  ["a", "\x07"],
  ["b", "\b"],
  ["f", "\f"],
  ["n", "\n"],
  ["r", "\r"],
  ["t", "\t"],
  ["v", "\v"],
]);

/** The value of a string or bytes literal whose text starts after its opening quote, and where it ends. */
export function readStringLiteral(
  text: string,
  start: number,
  prefix: string,
  quote: string,
): { value: string | PythonBytes; end: number } {
  const close = findClose(text, start, quote);
  const raw = text.slice(start, close);
  const isBytes = prefix.includes("b");
  // oxlint-disable-next-line no-control-regex
  if (isBytes && !/^\p{ASCII}*$/u.test(raw)) throw broken("bytes can only contain ASCII literal characters");
  const value = prefix.includes("r") || !raw.includes("\\") ? raw : unescaped(raw, isBytes);
  return { value: isBytes ? new PythonBytes(value) : value, end: close + quote.length };
}

function findClose(text: string, start: number, quote: string): number {
  for (let at = start; at < text.length; at++) {
    if (text[at] === "\\") at++;
    else if (text.startsWith(quote, at)) return at;
    else if (text[at] === "\n" && quote.length === 1) break;
  }
  throw broken("unterminated string literal");
}

function unescaped(raw: string, isBytes: boolean): string {
  return raw.replace(
    /\\(?:([0-7]{1,3})|x([0-9a-fA-F]{0,2})|u([0-9a-fA-F]{0,4})|U([0-9a-fA-F]{0,8})|N(?:\{([^}]*)\})?|([\s\S]))/g,
    (whole, octal?: string, hex?: string, short?: string, long?: string, name?: string, other?: string) => {
      if (octal !== undefined) {
        const code = Number.parseInt(octal, 8);
        return String.fromCharCode(isBytes ? code & 0xff : code);
      }
      if (hex !== undefined) return fromHex(hex, 2);
      if (isBytes && other === undefined) return whole;
      if (short !== undefined) return fromHex(short, 4);
      if (long !== undefined) return fromHex(long, 8);
      // The table of character names is not here: a name is refused as an unknown one is.
      if (other === undefined) throw broken(`unknown Unicode character name ${name ?? ""}`);
      return simpleEscapes.get(other) ?? whole;
    },
  );
}

function fromHex(digits: string, count: number): string {
  const code = Number.parseInt(digits, 16);
  if (digits.length < count || code > 0x10ffff) throw broken("(unicode error) truncated or illegal escape");
  return String.fromCodePoint(code);
}

function broken(message: string): PythonError {
  return new PythonError("SyntaxError", message);
}
