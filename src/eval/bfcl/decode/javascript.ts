import { PythonError } from "../python/error.ts";
import { TokenCursor } from "../python/token-cursor.ts";
import type { PythonDict, PythonValue } from "../python/value.ts";
import { type SourceToken, scan } from "./scanner.ts";

/**
 * The first call that stands as a statement of its own, `[{name: {parameter: source text}}]`, or null where the text
 * is good JavaScript without such a call. A plain name or `true` as an argument is kept under the key None; other
 * positional arguments disappear.
 */
export function decodeJavaScript(source: string): PythonValue {
  const reader = new ExpressionReader(source);
  const statements = reader.readAll();
  const call = statements.find((each) => each.kind === "call");
  if (call === undefined) return null;
  const parameters: PythonDict = new Map();
  for (const argument of call.parts ?? []) {
    const key = argument.kind === "assignment" ? (argument.name ?? "") : null;
    if (argument.kind !== "assignment" && argument.kind !== "name") continue;
    if (parameters.has(key)) throw new PythonError("Exception", "several arguments with the same name");
    const value = source.slice(argument.valueStart ?? argument.start, argument.end);
    parameters.set(key, argument.kind === "assignment" ? withoutQuotes(value) : value);
  }
  return [new Map([[call.name ?? "", parameters]])];
}

function withoutQuotes(value: string): string {
  const isQuoted = /^(?:".*"|'.*')$/s.test(value) || value === '"' || value === "'";
  return isQuoted ? value.slice(1, -1) : value;
}

/** What is known of an expression: how it ends up in a call, and where it stands. */
type Piece = {
  kind: "call" | "assignment" | "name" | "target" | "other";
  start: number;
  end: number;
  /** Of a call: the text of what is called; of an assignment: the text of its left side. */
  name?: string;
  valueStart?: number;
  parts?: Piece[];
};

const deepestNesting = 500;
const prefixes = new Set(["!", "~", "+", "-", "++", "--", "typeof", "void", "delete", "await"]);
const infixes = new Set(
  "+ - * / % ** == != === !== < > <= >= << >> >>> & | ^ && || ?? in instanceof".split(" "),
);
const assignments = new Set("+= -= *= /= %= **= <<= >>= >>>= &= |= ^= &&= ||= ??=".split(" "));
const reserved = new Set(
  "break case catch class const continue debugger default delete do else export extends finally for function if import in instanceof new return switch this throw try typeof var void while with null true false super".split(
    " ",
  ),
);

class ExpressionReader extends TokenCursor<SourceToken> {
  readonly #source: string;
  #depth = 0;

  constructor(source: string) {
    super(scan(source, "javascript"), ["symbol", "word"]);
    this.#source = source;
    if (this.tokens.some((token) => token.kind === "word" && /^[#@]/.test(token.text)))
      throw this.unexpected();
  }

  readAll(): Piece[] {
    const statements: Piece[] = [];
    while (this.peek().kind !== "end") {
      if (this.take(";")) continue;
      if (this.#isDeclaration()) {
        this.at++;
        this.#sequence();
        statements.push({ kind: "other", start: 0, end: 0 });
      } else if (this.take("return")) {
        if (!this.is(";") && this.peek().kind !== "end") this.#sequence();
        statements.push({ kind: "other", start: 0, end: 0 });
      } else if (this.is("{")) {
        this.#skipBlock();
        continue;
      } else statements.push(this.#sequence());
      const next = this.peek();
      // A statement ends with a semicolon, at the end of its line or at the end of the text.
      if (!this.take(";") && next.kind !== "end" && !next.isOnNewLine) throw this.unexpected();
    }
    return statements;
  }

  #isDeclaration(): boolean {
    return ["const", "let", "var"].includes(this.peek().text) && this.tokens[this.at + 1]?.kind === "word";
  }

  #sequence(): Piece {
    const first = this.#expression();
    if (!this.is(",")) return first;
    while (this.take(",")) this.#expression();
    return this.#piece("other", first.start);
  }

  #expression(): Piece {
    if (++this.#depth > deepestNesting) throw new PythonError("RecursionError", "nested too deep");
    const piece = this.#assignment();
    this.#depth--;
    return piece;
  }

  #assignment(): Piece {
    const start = this.peek().start;
    if (this.#isArrow()) return this.#arrow(start);
    if (this.take("yield")) {
      this.#expression();
      return this.#piece("other", start);
    }
    const left = this.#conditional();
    const isTarget = left.kind === "name" || left.kind === "target";
    if (isTarget && this.take("=")) {
      const valueStart = this.peek().start;
      this.#expression();
      return {
        ...this.#piece("assignment", start),
        name: this.#source.slice(left.start, left.end),
        valueStart,
      };
    }
    if (isTarget && assignments.has(this.peek().text) && this.peek().kind === "symbol") {
      this.at++;
      this.#expression();
      return this.#piece("other", start);
    }
    return left;
  }

  #conditional(): Piece {
    const first = this.#operand();
    let isAlone = true;
    while (infixes.has(this.peek().text) && (this.peek().kind === "symbol" || this.peek().kind === "word")) {
      this.at++;
      const right = this.#operand();
      // The original's grammar takes `a > b = c` as well, for `a > (b = c)`.
      const isTarget = right.kind === "name" || right.kind === "target";
      if (isTarget && this.take("=")) this.#expression();
      isAlone = false;
    }
    if (this.take("?")) {
      this.#expression();
      this.need(":");
      this.#expression();
      isAlone = false;
    }
    return isAlone ? first : this.#piece("other", first.start);
  }

  #operand(): Piece {
    const token = this.peek();
    if (prefixes.has(token.text) && (token.kind === "symbol" || token.kind === "word")) {
      while (prefixes.has(this.peek().text) && this.peek().kind !== "text") this.at++;
      this.#operand();
      return this.#piece("other", token.start);
    }
    let piece = this.#primary();
    for (;;) {
      const next = this.peek();
      if (this.take(".") || this.take("?.")) {
        if (this.peek().kind === "word") this.at++;
        else if (next.text === "?." && this.take("(")) {
          // Between `?.` and its arguments the original does not look further.
          this.#list(")");
          piece = {
            ...this.#piece("call", piece.start),
            name: this.#source.slice(piece.start, piece.end),
            parts: [],
          };
          continue;
        } else if (next.text !== "?." || !this.is("[")) throw this.unexpected();
        piece = this.#piece("target", piece.start);
      } else if (this.is("(")) {
        const name = this.#source.slice(piece.start, piece.end);
        this.at++;
        const parts = this.#list(")");
        piece = { ...this.#piece("call", piece.start), name, parts };
      } else if (this.take("[")) {
        this.#sequence();
        this.need("]");
        piece = this.#piece("target", piece.start);
      } else if (next.kind === "template") {
        this.at++;
        piece = {
          ...this.#piece("call", piece.start),
          name: this.#source.slice(piece.start, piece.end),
          parts: [],
        };
      } else if ((next.text === "++" || next.text === "--") && !next.isOnNewLine && next.kind === "symbol") {
        this.at++;
        return this.#piece("other", piece.start);
      } else return piece;
    }
  }

  #primary(): Piece {
    const token = this.peek();
    this.at++;
    if (token.kind === "word") return this.#word(token);
    if (
      token.kind === "number" ||
      token.kind === "text" ||
      token.kind === "template" ||
      token.kind === "pattern"
    ) {
      return this.#piece("other", token.start);
    }
    if (token.kind === "symbol") {
      if (token.text === "(") {
        this.#sequence();
        this.need(")");
        return this.#piece("target", token.start);
      }
      if (token.text === "[") {
        this.#list("]");
        return this.#piece("target", token.start);
      }
      if (token.text === "{") {
        this.#object();
        return this.#piece("target", token.start);
      }
    }
    this.at--;
    throw this.unexpected();
  }

  #word(token: SourceToken): Piece {
    if (token.text === "async" && this.is("function") && !this.peek().isOnNewLine) this.at++;
    if (
      token.text === "function" ||
      (token.text === "async" && this.tokens[this.at - 1]?.text === "function")
    ) {
      this.take("*");
      if (this.peek().kind === "word") this.at++;
      this.#skipBrackets("(");
      this.#skipBlock();
      return this.#piece("other", token.start);
    }
    if (token.text === "class") {
      while (this.peek().kind === "word" || this.is(".")) this.at++;
      this.#skipBlock();
      return this.#piece("other", token.start);
    }
    if (token.text === "new") {
      let callee = this.#primary();
      while (this.take(".")) {
        if (this.peek().kind !== "word") throw this.unexpected();
        this.at++;
        callee = this.#piece("target", callee.start);
      }
      if (this.take("(")) this.#list(")");
      return this.#piece("other", token.start);
    }
    if (token.text === "true") return this.#piece("name", token.start);
    if (["null", "false", "this", "super", "undefined"].includes(token.text))
      return this.#piece("other", token.start);
    if (reserved.has(token.text)) {
      this.at--;
      throw this.unexpected();
    }
    return this.#piece("name", token.start);
  }

  /** Comma-separated expressions up to the closer, spreads and gaps included. */
  #list(closer: string): Piece[] {
    const parts: Piece[] = [];
    while (!this.take(closer)) {
      if (this.take(",")) continue;
      const { start } = this.peek();
      if (this.take("...")) {
        this.#expression();
        parts.push(this.#piece("other", start));
      } else parts.push(this.#expression());
      if (!this.is(closer)) this.need(",");
    }
    return parts;
  }

  #object(): void {
    while (!this.take("}")) {
      if (this.take("...")) this.#expression();
      else this.#property();
      if (!this.is("}")) this.need(",");
    }
  }

  #property(): void {
    const isModifier = () => {
      const next = this.tokens[this.at + 1]?.text ?? "";
      return ["get", "set", "async", "*", "static"].includes(this.peek().text) && !",:(}=".includes(next);
    };
    while (isModifier()) this.at++;
    const key = this.peek();
    if (this.take("[")) {
      this.#expression();
      this.need("]");
    } else if (key.kind === "word" || key.kind === "text" || key.kind === "number") this.at++;
    else throw this.unexpected();
    if (this.take(":")) this.#expression();
    else if (this.is("(")) {
      this.#skipBrackets("(");
      this.#skipBlock();
    } else if (key.kind !== "word") throw this.unexpected();
    else if (this.take("=")) this.#expression();
  }

  #isArrow(): boolean {
    let at = this.at;
    const word = (index: number) => this.tokens[index]?.kind === "word";
    if (this.tokens[at]?.text === "async" && (word(at + 1) || this.tokens[at + 1]?.text === "(")) at++;
    if (word(at)) return this.tokens[at + 1]?.text === "=>";
    if (this.tokens[at]?.text !== "(") return false;
    return this.tokens[this.#closeOf(at) + 1]?.text === "=>";
  }

  #arrow(start: number): Piece {
    while (!this.is("=>")) {
      if (this.is("(")) this.#skipBrackets("(");
      else this.at++;
    }
    this.need("=>");
    if (this.is("{")) this.#skipBlock();
    else this.#expression();
    return this.#piece("other", start);
  }

  /** Where every bracket closes, found once for the whole text. */
  #closes: Map<number, number> | undefined;

  #closeOf(open: number): number {
    if (this.#closes === undefined) {
      this.#closes = new Map();
      const stack: number[] = [];
      for (const [index, token] of this.tokens.entries()) {
        if (token.kind !== "symbol") continue;
        if ("([{".includes(token.text)) stack.push(index);
        else if (")]}".includes(token.text)) {
          const start = stack.pop();
          const pair = (start === undefined ? "" : (this.tokens[start]?.text ?? "")) + token.text;
          if (start === undefined || !["()", "[]", "{}"].includes(pair)) throw this.unexpected();
          this.#closes.set(start, index);
        }
      }
    }
    const close = this.#closes.get(open);
    if (close === undefined) throw this.unexpected();
    return close;
  }

  /** What is inside a body is not looked at beyond its brackets: it reaches the checker as text. */
  #skipBlock(): void {
    this.#skipBrackets("{");
  }

  #skipBrackets(open: string): void {
    if (!this.is(open)) throw this.unexpected();
    this.at = this.#closeOf(this.at) + 1;
  }

  #piece(kind: Piece["kind"], start: number): Piece {
    return { kind, start, end: (this.tokens[this.at - 1] as SourceToken).end };
  }

  protected override unexpected(): PythonError {
    return new PythonError(
      "SyntaxError",
      `unexpected ${JSON.stringify(this.peek().text)} at ${this.peek().start}`,
    );
  }
}
