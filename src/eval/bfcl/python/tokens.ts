import { PythonError } from "./error.ts";
import { readStringLiteral } from "./string-literal.ts";
import { PythonComplex, type PythonValue } from "./value.ts";

export type Token =
  | { kind: "name" | "keyword" | "operator"; text: string }
  | { kind: "number"; value: PythonValue }
  | { kind: "string"; value: PythonValue; isFormatted: boolean }
  | { kind: "end" };

/** CPython's own limits: brackets inside brackets, digits of a number in decimal notation. */
const deepestBrackets = 200;
const mostDigits = 4_300;

const keywords = new Set(
  "False None True and as assert async await break class continue def del elif else except finally for from global if import in is lambda nonlocal not or pass raise return try while with yield".split(
    " ",
  ),
);

const space = /(?:[ \t\f]|\\\r?\n)*/y;
const comment = /#[^\n]*/y;
const name = /[\p{ID_Start}_][\p{ID_Continue}]*/uy;
const stringStart = /([rRbBuUfF]{0,2})('''|"""|'|")/y;
const integer = /0[xX](?:_?[0-9a-fA-F])+|0[bB](?:_?[01])+|0[oO](?:_?[0-7])+/y;
const part = "[0-9](?:_?[0-9])*";
const decimal = new RegExp(`(?:${part}\\.(?:${part})?|\\.${part}|${part})(?:[eE][+-]?${part})?[jJ]?`, "y");
const operator = /\*\*=?|\/\/=?|>>=?|<<=?|\.\.\.|->|:=|[-+*/%@&|^=<>!]=|[-+*/%@&|^~<>()[\]{},:.;=]/y;
const prefixes = new Set(["", "r", "b", "u", "f", "rb", "br", "fr", "rf"]);

/** The tokens of one expression. Throws a `SyntaxError` as Python's tokenizer would. */
export function tokenize(source: string): Token[] {
  if (source.includes("\0"))
    throw new PythonError("ValueError", "source code string cannot contain null bytes");
  if (!source.isWellFormed()) throw new PythonError("UnicodeEncodeError", "surrogates not allowed");
  if (/^[ \t\f]+[^ \t\f#\r\n]/.test(source)) throw new PythonError("IndentationError", "unexpected indent");
  const text = source.replace(/\r\n?/g, "\n");
  const tokens: Token[] = [];
  const brackets: string[] = [];
  let at = 0;
  const match = (pattern: RegExp): RegExpExecArray | null => {
    pattern.lastIndex = at;
    const found = pattern.exec(text);
    if (found !== null) at = pattern.lastIndex;
    return found;
  };
  for (;;) {
    match(space);
    match(comment);
    if (at >= text.length) break;
    if (text[at] === "\n") {
      at++;
      if (brackets.length > 0 || tokens.length === 0) continue;
      // Outside of brackets a line ends the expression; only empty lines and comments may follow.
      if (/^(?:[ \t\f]*(?:#[^\n]*)?\n)*[ \t\f]*(?:#[^\n]*)?$/.test(text.slice(at))) break;
      throw syntaxError("invalid syntax");
    }
    const quote = match(stringStart);
    if (quote !== null) {
      const prefix = (quote[1] as string).toLowerCase();
      if (!prefixes.has(prefix)) throw syntaxError("invalid syntax");
      const literal = readStringLiteral(text, at, prefix, quote[2] as string);
      at = literal.end;
      tokens.push({ kind: "string", value: literal.value, isFormatted: prefix.includes("f") });
      continue;
    }
    const word = match(name);
    if (word !== null) {
      const normal = word[0].normalize("NFKC");
      tokens.push({ kind: keywords.has(normal) ? "keyword" : "name", text: normal });
      continue;
    }
    const number = match(integer) ?? match(decimal);
    if (number !== null) {
      const following = /[\p{ID_Continue}]*/uy;
      following.lastIndex = at;
      const glued = following.exec(text)?.[0] ?? "";
      // A keyword may follow without a space: `1if x else 2`.
      if (glued !== "" && !/^(?:and|else|for|if|in|is|not|or)/.test(glued))
        throw syntaxError("invalid decimal literal");
      tokens.push({ kind: "number", value: numberOf(number[0]) });
      continue;
    }
    const symbol = match(operator)?.[0];
    if (symbol === undefined) throw syntaxError("invalid character");
    if (symbol === "(" || symbol === "[" || symbol === "{") {
      if (brackets.length >= deepestBrackets) throw syntaxError("too many nested parentheses");
      brackets.push(symbol);
    } else if (symbol === ")" || symbol === "]" || symbol === "}") {
      const open = brackets.pop();
      if (open === undefined || "([{".indexOf(open) !== ")]}".indexOf(symbol))
        throw syntaxError(`unmatched '${symbol}'`);
    }
    tokens.push({ kind: "operator", text: symbol });
  }
  if (brackets.length > 0) throw syntaxError(`'${brackets.at(-1)}' was never closed`);
  tokens.push({ kind: "end" });
  return tokens;
}

function numberOf(text: string): PythonValue {
  const digits = text.replaceAll("_", "");
  if (/^0[xXoObB]/.test(digits)) return BigInt(digits);
  if (/[jJ]$/.test(digits)) return new PythonComplex(0, Number(digits.slice(0, -1)));
  if (/[.eE]/.test(digits)) return Number(digits);
  if (digits.length > 1 && digits.startsWith("0") && !/^0+$/.test(digits)) {
    throw syntaxError("leading zeros in decimal integer literals are not permitted");
  }
  if (digits.length > mostDigits)
    throw syntaxError("Exceeds the limit (4300 digits) for integer string conversion");
  return BigInt(digits);
}

export function syntaxError(message: string): PythonError {
  return new PythonError("SyntaxError", message);
}
