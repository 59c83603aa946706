import { PythonError } from "./error.ts";
import type { PythonDict, PythonValue } from "./value.ts";

/** Python's own reader gives up a little below its recursion limit of 1,000. */
const deepestJson = 990;

/**
 * Reads JSON as `json.loads` does, without loss: integers become `bigint`, everything with a point or an exponent a
 * float; `NaN` and `Infinity` are words of it, lone surrogates pass, a repeated key keeps its first place and last
 * value. Throws a `JSONDecodeError`, a `ValueError` (more than 4,300 digits) or a `RecursionError`, as Python would.
 */
export function readJson(text: string): PythonValue {
  const reader = new JsonReader(text);
  return reader.readAll();
}

class JsonReader {
  readonly #text: string;
  #at = 0;

  constructor(text: string) {
    this.#text = text;
  }

  readAll(): PythonValue {
    this.#skipSpace();
    const value = this.#readValue(0);
    this.#skipSpace();
    if (this.#at < this.#text.length) throw this.#broken("Extra data");
    return value;
  }

  #readValue(depth: number): PythonValue {
    if (depth > deepestJson) throw new PythonError("RecursionError", "maximum recursion depth exceeded");
    const code = this.#text.charCodeAt(this.#at);
    if (code === 0x22) return this.#readString();
    if (code === 0x7b) return this.#readDict(depth);
    if (code === 0x5b) return this.#readList(depth);
    if (code === 0x2d || isDigit(code)) return this.#readNumber();
    for (const [word, value] of words) {
      if (this.#text.startsWith(word, this.#at)) {
        this.#at += word.length;
        return value;
      }
    }
    throw this.#broken("Expecting value");
  }

  #readDict(depth: number): PythonDict {
    const dict: PythonDict = new Map();
    this.#at++;
    this.#skipSpace();
    if (this.#take(0x7d)) return dict;
    for (;;) {
      if (this.#text.charCodeAt(this.#at) !== 0x22) {
        throw this.#broken("Expecting property name enclosed in double quotes");
      }
      const key = this.#readString();
      this.#skipSpace();
      if (!this.#take(0x3a)) throw this.#broken("Expecting ':' delimiter");
      this.#skipSpace();
      dict.set(key, this.#readValue(depth + 1));
      this.#skipSpace();
      if (this.#take(0x7d)) return dict;
      if (!this.#take(0x2c)) throw this.#broken("Expecting ',' delimiter");
      this.#skipSpace();
    }
  }

  #readList(depth: number): PythonValue[] {
    const list: PythonValue[] = [];
    this.#at++;
    this.#skipSpace();
    if (this.#take(0x5d)) return list;
    for (;;) {
      list.push(this.#readValue(depth + 1));
      this.#skipSpace();
      if (this.#take(0x5d)) return list;
      if (!this.#take(0x2c)) throw this.#broken("Expecting ',' delimiter");
      this.#skipSpace();
    }
  }

  #readNumber(): bigint | number {
    numberPattern.lastIndex = this.#at;
    const match = numberPattern.exec(this.#text);
    if (match === null) {
      if (!this.#text.startsWith("-Infinity", this.#at)) throw this.#broken("Expecting value");
      this.#at += "-Infinity".length;
      return Number.NEGATIVE_INFINITY;
    }
    this.#at = numberPattern.lastIndex;
    const [whole, integer = "", fraction, exponent] = match;
    if (fraction !== undefined || exponent !== undefined) return Number(whole);
    if (integer.length > 4_300 && integer.replace("-", "").length > 4_300) {
      throw new PythonError("ValueError", "Exceeds the limit (4300 digits) for integer string conversion");
    }
    return BigInt(integer);
  }

  #readString(): string {
    const start = ++this.#at;
    for (;;) {
      const code = this.#text.charCodeAt(this.#at);
      if (code === 0x22) return this.#text.slice(start, this.#at++);
      if (code === 0x5c) return this.#readEscapedString(start);
      if (!(code >= 0x20)) throw this.#broken("Invalid control character or unterminated string");
      this.#at++;
    }
  }

  #readEscapedString(start: number): string {
    const parts: string[] = [];
    let from = start;
    for (;;) {
      const code = this.#text.charCodeAt(this.#at);
      if (code === 0x22) {
        parts.push(this.#text.slice(from, this.#at++));
        return parts.join("");
      }
      if (!(code >= 0x20)) throw this.#broken("Invalid control character or unterminated string");
      if (code !== 0x5c) {
        this.#at++;
        continue;
      }
      parts.push(this.#text.slice(from, this.#at));
      parts.push(this.#readEscape());
      from = this.#at;
    }
  }

  #readEscape(): string {
    const letter = this.#text[this.#at + 1] ?? "";
    if (letter !== "u") {
      const character = escapes.get(letter);
      if (character === undefined) throw this.#broken("Invalid \\escape");
      this.#at += 2;
      return character;
    }
    const digits = this.#text.slice(this.#at + 2, this.#at + 6);
    if (!/^[0-9a-fA-F]{4}$/.test(digits)) throw this.#broken("Invalid \\uXXXX escape");
    this.#at += 6;
    return String.fromCharCode(Number.parseInt(digits, 16));
  }

  #skipSpace(): void {
    for (;;) {
      const code = this.#text.charCodeAt(this.#at);
      if (code !== 0x20 && code !== 0x0a && code !== 0x0d && code !== 0x09) return;
      this.#at++;
    }
  }

  #take(code: number): boolean {
    if (this.#text.charCodeAt(this.#at) !== code) return false;
    this.#at++;
    return true;
  }

  #broken(what: string): PythonError {
    return new PythonError("JSONDecodeError", `${what}: char ${this.#at}`);
  }
}

const numberPattern = /(-?(?:0|[1-9][0-9]*))(\.[0-9]+)?([eE][-+]?[0-9]+)?/y;

const words: readonly (readonly [string, PythonValue])[] = [
  ["true", true],
  ["false", false],
  ["null", null],
  ["NaN", Number.NaN],
  ["Infinity", Number.POSITIVE_INFINITY],
];

const escapes = new Map([
  ['"', '"'],
  ["\\", "\\"],
  ["/", "/"],
  ["b", "\b"],
  ["f", "\f"],
  ["n", "\n"],
  ["r", "\r"],
  ["t", "\t"],
]);

function isDigit(code: number): boolean {
  return code >= 0x30 && code <= 0x39;
}
