import { PythonError } from "../python/error.ts";
import { TokenCursor } from "../python/token-cursor.ts";
import { type PythonDict, type PythonValue, toDict } from "../python/value.ts";
import { type SourceToken, scan } from "./scanner.ts";
import { shiftedSlice } from "./shifted-slice.ts";

/**
 * The first call in Java source, `[{name: {parameter: source text}}]`; an empty dict where the text is good Java
 * without a call. Values are printed from their tokens without blanks, as the original prints them: array elements
 * close together, constructor arguments after `", "`, class bodies gone, calls as they stand.
 */
export function decodeJava(source: string): PythonValue {
  const reader = new JavaReader(source);
  const call = reader.readFirstCall();
  if (call === undefined) return toDict({});
  const parameters: PythonDict = new Map();
  for (const argument of call.parts ?? []) {
    const isNamed = argument.name !== undefined;
    if (!isNamed && !argument.isPlain) continue;
    const key = isNamed ? (argument.name as string) : null;
    if (parameters.has(key)) throw new PythonError("Exception", "several arguments with the same name");
    const text = argument.value ?? argument.text;
    if (text === undefined)
      throw new PythonError("AttributeError", "an array without values cannot be printed");
    parameters.set(key, text);
  }
  return [new Map([[call.name as string, parameters]])];
}

/** An expression: its printed text (undefined where the original cannot print it) and what it is. */
type Piece = {
  start: number;
  end: number;
  text: string | undefined;
  /** Of a call its name, of an assignment its left side. */
  name?: string;
  /** Of an assignment its right side. */
  value?: string | undefined;
  parts?: Piece[];
  isCall?: boolean;
  /** A name or a class literal: what is kept of positional arguments. */
  isPlain?: boolean;
  /** A single text or character literal loses its quotes as a value. */
  isQuoted?: boolean;
};

const deepestNesting = 500;
const infixes = new Set("+ - * / % == != < > <= >= << >> >>> & | ^ && || instanceof".split(" "));
const assignments = new Set("= += -= *= /= %= &= |= ^= <<= >>= >>>=".split(" "));
const prefixes = new Set(["!", "~", "+", "-", "++", "--"]);
const notNames = new Set(
  "assert break case catch class const continue do else extends final finally for goto if implements import instanceof interface native package private protected public return static switch synchronized throw throws transient try volatile while enum new".split(
    " ",
  ),
);
const primitives = new Set(["int", "long", "short", "byte", "char", "float", "double", "boolean"]);
/** A statement without its semicolon is forgiven, unless giving it up whole costs the original's parser less. */
const forgivenBytes = 10;

class JavaReader extends TokenCursor<SourceToken> {
  readonly #source: string;
  readonly #slice: (start: number, end: number) => string;
  #depth = 0;
  readonly #calls: Piece[] = [];

  constructor(source: string) {
    super(scan(source, "java"), ["symbol", "word"]);
    this.#source = source;
    this.#slice = shiftedSlice(source);
  }

  readFirstCall(): Piece | undefined {
    let isFirst = true;
    while (this.peek().kind !== "end") {
      if (this.take(";")) continue;
      const { start } = this.peek();
      this.take("return");
      this.#skipDeclaration();
      if (this.tokens[this.at - 1]?.text === "=" || !this.#endsStatement()) this.#expression();
      if (this.take(";")) {
        isFirst = false;
        continue;
      }
      if (this.peek().kind !== "end") throw this.unexpected();
      const bytes = Buffer.byteLength(this.#source.slice(start, this.tokens[this.at - 1]?.end));
      if (bytes <= forgivenBytes && isFirst && !this.#isDeclared) throw this.unexpected();
    }
    // In the order of a walk from the top: what starts first, and of those the widest.
    return this.#calls.reduce<Piece | undefined>((first, call) => {
      if (first === undefined || call.start < first.start) return call;
      return call.start === first.start && call.end > first.end ? call : first;
    }, undefined);
  }

  #isDeclared = false;

  /** `Type name` or `Type name =` before an expression. */
  #skipDeclaration(): void {
    const [type, name, next] = [this.tokens[this.at], this.tokens[this.at + 1], this.tokens[this.at + 2]];
    if (type?.kind !== "word" || name?.kind !== "word" || next === undefined) return;
    if (notNames.has(type.text) || notNames.has(name.text)) return;
    if (next.text !== "=" && next.text !== ";" && next.kind !== "end") return;
    this.#isDeclared = true;
    this.at += next.text === "=" ? 3 : 2;
  }

  #endsStatement(): boolean {
    return this.is(";") || this.peek().kind === "end";
  }

  #expression(): Piece {
    if (++this.#depth > deepestNesting) throw new PythonError("RecursionError", "nested too deep");
    const piece = this.#assignment();
    this.#depth--;
    return piece;
  }

  #assignment(): Piece {
    const lambda = this.#lambda();
    if (lambda !== undefined) return lambda;
    const left = this.#conditional();
    const operator = this.peek();
    if (operator.kind !== "symbol" || !assignments.has(operator.text)) return left;
    this.at++;
    const right = this.#expression();
    const piece = this.#joined(left.start, [left.text, operator.text, right.text]);
    // Every kind of assignment counts as a named argument; only its sign is not looked at.
    const value = right.isQuoted ? inside(right.text) : right.text;
    return { ...piece, name: this.#slice(left.start, left.end), value };
  }

  #conditional(): Piece {
    let piece = this.#operand();
    while (infixes.has(this.peek().text) && this.peek().kind !== "text") {
      const operator = this.#next().text;
      const right = this.#operand();
      // The original's grammar takes `a > b = c` as well, for `a > (b = c)`.
      const assigned = this.take("=") ? ["=", this.#expression().text] : [];
      piece = this.#joined(piece.start, [piece.text, operator, right.text, ...assigned]);
    }
    if (!this.take("?")) return piece;
    const yes = this.#expression();
    this.need(":");
    const no = this.#expression();
    return this.#joined(piece.start, [piece.text, "?", yes.text, ":", no.text]);
  }

  #operand(): Piece {
    const token = this.peek();
    if (token.kind === "symbol" && prefixes.has(token.text)) {
      const signs: string[] = [];
      while (this.peek().kind === "symbol" && prefixes.has(this.peek().text)) signs.push(this.#next().text);
      return this.#joined(token.start, [...signs, this.#operand().text]);
    }
    const cast = this.#cast();
    if (cast !== undefined) return this.#joined(token.start, [cast, this.#operand().text]);
    return this.#postfix(this.#primary());
  }

  #postfix(first: Piece): Piece {
    let piece = first;
    for (;;) {
      const next = this.peek();
      if (next.kind !== "symbol") return piece;
      if (this.take(".")) {
        if (this.is("<")) this.#typeArguments();
        if (this.is("new")) {
          piece = { ...this.#primary(), start: piece.start };
          continue;
        }
        const name = this.#next();
        if (name.kind !== "word") throw this.unexpected();
        if (this.is("(")) piece = this.#call(piece, name);
        else {
          const isClass = name.text === "class";
          const dotted = this.#joined(piece.start, [piece.text, ".", name.text]);
          piece = isClass ? { ...dotted, text: this.#slice(piece.start, name.end), isPlain: true } : dotted;
        }
      } else if (this.take("[")) {
        if (this.take("]")) {
          while (this.take("[")) this.need("]");
          if (!this.is(".") && !this.is("::")) throw this.unexpected();
          piece = this.#joined(piece.start, [this.#source.slice(piece.start, next.start), "[]"]);
          continue;
        }
        const index = this.#expression();
        this.need("]");
        piece = this.#joined(piece.start, [piece.text, "[", index.text, "]"]);
      } else if (this.take("::")) {
        piece = this.#joined(piece.start, [piece.text, "::", this.#next().text]);
      } else if (next.text === "++" || next.text === "--") {
        this.at++;
        return this.#joined(piece.start, [piece.text, next.text]);
      } else return piece;
    }
  }

  #call(object: Piece | undefined, name: SourceToken): Piece {
    this.need("(");
    const parts = this.#list(")");
    const start = object?.start ?? name.start;
    const end = this.#lastEnd();
    const called = this.#slice(name.start, name.end);
    const full = object === undefined ? called : `${this.#slice(object.start, object.end)}.${called}`;
    const piece: Piece = { start, end, text: this.#slice(start, end), name: full, parts, isCall: true };
    this.#calls.push(piece);
    return { start, end, text: piece.text };
  }

  #primary(): Piece {
    const token = this.#next();
    if (token.kind === "number") return this.#leaf(token);
    if (token.kind === "text") return { ...this.#leaf(token), isQuoted: true };
    if (token.kind === "word") {
      if (token.text === "new") return this.#creation(token);
      if (token.text === "switch" && this.is("(")) return this.#switch(token);
      if (notNames.has(token.text)) throw this.unexpected();
      if (this.is("(")) return this.#call(undefined, token);
      const isPlain = !["null", "true", "false", "this", "super"].includes(token.text);
      if (primitives.has(token.text) && !this.is(".") && !this.is("[") && !this.is("::"))
        throw this.unexpected();
      return { ...this.#leaf(token), isPlain };
    }
    if (token.text === "(" && token.kind === "symbol") {
      const inner = this.#expression();
      this.need(")");
      return this.#joined(token.start, ["(", inner.text, ")"]);
    }
    throw this.unexpected();
  }

  #creation(token: SourceToken): Piece {
    const type = this.#type();
    if (this.take("(")) {
      const parts = this.#list(")");
      const texts = parts.map((part) => part.text);
      if (this.is("{")) this.#body();
      const isPrintable = texts.every((each) => each !== undefined);
      return {
        start: token.start,
        end: this.#lastEnd(),
        text: isPrintable ? `new ${type}(${texts.join(", ")})` : undefined,
      };
    }
    let hasLength = false;
    if (!this.is("[")) throw this.unexpected();
    while (this.take("[")) {
      if (!this.is("]")) {
        this.#expression();
        hasLength = true;
      }
      this.need("]");
    }
    if (hasLength) return { start: token.start, end: this.#lastEnd(), text: undefined };
    const values = this.#values();
    return {
      start: token.start,
      end: this.#lastEnd(),
      text: values === undefined ? undefined : `new ${type}[]${values}`,
    };
  }

  #values(): string | undefined {
    if (++this.#depth > deepestNesting) throw new PythonError("RecursionError", "nested too deep");
    this.need("{");
    const texts: (string | undefined)[] = [];
    while (!this.take("}")) {
      texts.push(this.is("{") ? this.#values() : this.#expression().text);
      if (!this.is("}")) {
        this.need(",");
        texts.push(",");
      }
    }
    this.#depth--;
    return texts.includes(undefined) ? undefined : `{${texts.join("")}}`;
  }

  #type(): string {
    let text = "";
    for (;;) {
      const name = this.#next();
      if (name.kind !== "word" || notNames.has(name.text)) throw this.unexpected();
      text += name.text;
      if (this.is("<")) text += this.#typeArguments();
      if (!this.take(".")) return text;
      text += ".";
    }
  }

  /** `<A, B<C>>`, printed without blanks. */
  #typeArguments(): string {
    let open = 0;
    let text = "";
    do {
      const token = this.#next();
      if (token.kind !== "word" && !/^(?:<|>+|[.,?&[\]])$/.test(token.text)) throw this.unexpected();
      if (token.text === "<") open++;
      if (/^>+$/.test(token.text)) open -= token.text.length;
      text += token.text;
    } while (open > 0);
    return text;
  }

  #list(closer: string): Piece[] {
    const parts: Piece[] = [];
    if (this.take(closer)) return parts;
    do parts.push(this.#expression());
    while (this.take(","));
    this.need(closer);
    return parts;
  }

  #cast(): string | undefined {
    if (!this.is("(")) return undefined;
    const close = this.#closeOf(this.at);
    const inner = this.tokens.slice(this.at + 1, Math.min(close, this.at + 60));
    const isType =
      inner.length > 0 &&
      inner.length === close - this.at - 1 &&
      inner[0]?.kind === "word" &&
      inner.every((token) => token.kind === "word" || /^(?:[.<>,?[\]&]|>>)$/.test(token.text));
    const next = this.tokens[close + 1];
    if (!isType || next === undefined) return undefined;
    const isPrimitive = primitives.has(inner[0]?.text ?? "");
    const startsOperand =
      next.kind === "number" ||
      next.kind === "text" ||
      (next.kind === "word" && next.text !== "instanceof") ||
      ["(", "!", "~"].includes(next.text);
    if (!startsOperand && !(isPrimitive && prefixes.has(next.text))) return undefined;
    this.at = close + 1;
    return `(${inner.map((token) => token.text).join("")})`;
  }

  #lambda(): Piece | undefined {
    const first = this.peek();
    const isNamed = first.kind === "word" && this.tokens[this.at + 1]?.text === "->";
    const isList = this.is("(") && this.tokens[this.#closeOf(this.at) + 1]?.text === "->";
    if (!isNamed && !isList) return undefined;
    const head = isNamed ? first.text : this.#bracketText();
    if (isNamed) this.at++;
    this.need("->");
    const body = this.is("{") ? this.#bracketText() : this.#expression().text;
    return this.#joined(first.start, [head, "->", body]);
  }

  #switch(token: SourceToken): Piece {
    const head = this.#bracketText();
    if (!this.is("{")) throw this.unexpected();
    return this.#joined(token.start, ["switch", head, this.#bracketText()]);
  }

  /** Everything up to the closing bracket, token by token without blanks. */
  #bracketText(): string {
    const close = this.#closeOf(this.at);
    const text = this.tokens.slice(this.at, close + 1).map((token) => token.text);
    this.at = close + 1;
    return text.join("");
  }

  #body(): void {
    this.at = this.#closeOf(this.at) + 1;
  }

  #closes: Map<number, number> | undefined;

  #closeOf(open: number): number {
    this.#closes ??= this.#matchBrackets();
    const close = this.#closes.get(open);
    if (close === undefined) throw this.unexpected();
    return close;
  }

  #matchBrackets(): Map<number, number> {
    const closes = new Map<number, number>();
    const open: number[] = [];
    for (const [index, token] of this.tokens.entries()) {
      if (token.kind !== "symbol") continue;
      if ("([{".includes(token.text)) open.push(index);
      else if (")]}".includes(token.text)) {
        const start = open.pop();
        const pair = `${start === undefined ? "" : this.tokens[start]?.text}${token.text}`;
        if (start === undefined || !["()", "[]", "{}"].includes(pair)) throw this.unexpected();
        closes.set(start, index);
      }
    }
    return closes;
  }

  #leaf(token: SourceToken): Piece {
    return { start: token.start, end: token.end, text: this.#slice(token.start, token.end) };
  }

  #joined(start: number, texts: readonly (string | undefined)[]): Piece {
    return { start, end: this.#lastEnd(), text: texts.includes(undefined) ? undefined : texts.join("") };
  }

  #lastEnd(): number {
    return (this.tokens[this.at - 1] as SourceToken).end;
  }

  #next(): SourceToken {
    const token = this.peek();
    if (token.kind === "end") throw this.unexpected();
    this.at++;
    return token;
  }

  protected override unexpected(): PythonError {
    const token = this.peek();
    return new PythonError("SyntaxError", `unexpected ${JSON.stringify(token.text)} at ${token.start}`);
  }
}

function inside(text: string | undefined): string | undefined {
  return text === undefined ? undefined : Array.from(text).slice(1, -1).join("");
}
