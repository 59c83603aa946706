import { PythonError } from "./error.ts";
import { ellipsis, isTarget, type Keyword, type Loop, type Node, type Parameter } from "./node.ts";
import { TokenCursor } from "./token-cursor.ts";
import { syntaxError, type Token, tokenize } from "./tokens.ts";
import { PythonBytes } from "./value.ts";

/** How far expressions may nest without brackets (`- - - x`, `lambda: lambda: x`); CPython gives up near 1,000 too. */
const deepestExpression = 900;

/** Parses one expression as `ast.parse(source, mode="eval")` does; throws a `SyntaxError` where that would. */
export function parseExpression(source: string): Node {
  return new Parser(tokenize(source)).parseAll();
}

const binaryLevels: readonly (readonly string[])[] = [
  ["|"],
  ["^"],
  ["&"],
  ["<<", ">>"],
  ["+", "-"],
  ["*", "/", "//", "%", "@"],
];
const comparisons = new Set(["==", "!=", "<", "<=", ">", ">="]);

class Parser extends TokenCursor<Token> {
  #depth = 0;

  constructor(tokens: Token[]) {
    super(tokens, ["operator", "keyword"]);
  }

  parseAll(): Node {
    const node = this.#items("end");
    if (this.peek().kind !== "end") throw this.unexpected();
    return node;
  }

  /** One expression, or several with commas as a tuple without brackets. */
  #items(closer: string): Node {
    const first = this.#starOrNamed();
    if (!this.is(",")) {
      if (first.kind === "starred") throw syntaxError("can't use starred expression here");
      return first;
    }
    const items = [first];
    while (this.take(",")) {
      if (this.is(closer) || this.peek().kind === "end") break;
      items.push(this.#starOrNamed());
    }
    return { kind: "tuple", items };
  }

  #starOrNamed(): Node {
    if (this.take("*")) return { kind: "starred", value: this.#binary(0) };
    return this.#named();
  }

  #named(): Node {
    const token = this.peek();
    const next = this.tokens[this.at + 1];
    if (token.kind === "name" && next?.kind === "operator" && next.text === ":=") {
      this.at += 2;
      return { kind: "assignment", name: token.text, value: this.#expression() };
    }
    return this.#expression();
  }

  #expression(): Node {
    return this.#deeper(() => {
      if (this.take("lambda")) return this.#lambda();
      const body = this.#disjunction();
      if (!this.take("if")) return body;
      const test = this.#disjunction();
      this.need("else");
      return { kind: "conditional", body, test, otherwise: this.#expression() };
    });
  }

  #lambda(): Node {
    const parameters: Parameter[] = [];
    let hasDefault = false;
    while (!this.is(":")) {
      const mark = this.take("**") ? "**" : this.take("*") ? "*" : this.take("/") ? "/" : "";
      const name = mark === "/" || (mark === "*" && this.is(",")) ? "" : this.#name();
      const initial = mark === "" && this.take("=") ? this.#expression() : undefined;
      const isKeywordOnly = parameters.some((each) => each.mark === "*");
      if (mark === "" && initial === undefined && hasDefault && !isKeywordOnly)
        throw syntaxError("non-default argument follows default argument");
      if (parameters.some((each) => each.mark === "**" || (each.mark !== "" && each.mark === mark)))
        throw this.unexpected();
      if (mark === "/" && (parameters.length === 0 || isKeywordOnly)) throw this.unexpected();
      hasDefault ||= initial !== undefined;
      parameters.push({ mark, name, initial });
      if (!this.take(",")) break;
    }
    const last = parameters.at(-1);
    if (last?.mark === "*" && last.name === "") throw syntaxError("named arguments must follow bare *");
    this.need(":");
    return { kind: "lambda", parameters, body: this.#expression() };
  }

  #disjunction(): Node {
    return this.#chain("or", () => this.#chain("and", () => this.#inversion()));
  }

  #chain(operator: string, next: () => Node): Node {
    const first = next();
    if (!this.is(operator)) return first;
    const values = [first];
    while (this.take(operator)) values.push(next());
    return { kind: "boolean", operator, values };
  }

  #inversion(): Node {
    if (!this.take("not")) return this.#comparison();
    return this.#deeper(() => ({ kind: "unary", operator: "not", operand: this.#inversion() }));
  }

  #comparison(): Node {
    const left = this.#binary(0);
    const rest: { operator: string; right: Node }[] = [];
    for (let operator = this.#comparator(); operator !== undefined; operator = this.#comparator()) {
      rest.push({ operator, right: this.#binary(0) });
    }
    return rest.length === 0 ? left : { kind: "compare", left, rest };
  }

  #comparator(): string | undefined {
    const token = this.peek();
    if (token.kind === "operator" && comparisons.has(token.text)) {
      this.at++;
      return token.text;
    }
    if (this.take("in")) return "in";
    if (this.take("is")) return this.take("not") ? "is not" : "is";
    const next = this.tokens[this.at + 1];
    if (!this.is("not") || next?.kind !== "keyword" || next.text !== "in") return undefined;
    this.at += 2;
    return "not in";
  }

  #binary(level: number): Node {
    const operators = binaryLevels[level];
    if (operators === undefined) return this.#factor();
    let left = this.#binary(level + 1);
    // A chain grows to the left, one level of nesting per operator.
    for (let length = 0; ; length++) {
      const token = this.peek();
      if (token.kind !== "operator" || !operators.includes(token.text)) return left;
      if (length > deepestExpression) throw tooDeep();
      this.at++;
      left = { kind: "binary", operator: token.text, left, right: this.#binary(level + 1) };
    }
  }

  #factor(): Node {
    const token = this.peek();
    if (token.kind === "operator" && (token.text === "-" || token.text === "+" || token.text === "~")) {
      this.at++;
      return this.#deeper(() => ({ kind: "unary", operator: token.text, operand: this.#factor() }));
    }
    const base: Node = this.take("await") ? { kind: "await", value: this.#primary() } : this.#primary();
    if (!this.take("**")) return base;
    return this.#deeper(() => ({ kind: "binary", operator: "**", left: base, right: this.#factor() }));
  }

  #primary(): Node {
    let node = this.#atom();
    for (let length = 0; ; length++) {
      if (length > deepestExpression) throw tooDeep();
      if (this.take(".")) node = { kind: "attribute", value: node, name: this.#name() };
      else if (this.take("(")) node = this.#call(node);
      else if (this.take("[")) node = { kind: "subscript", value: node, index: this.#subscripts() };
      else return node;
    }
  }

  #call(callee: Node): Node {
    const positional: Node[] = [];
    const keywords: Keyword[] = [];
    while (!this.take(")")) {
      const token = this.peek();
      const next = this.tokens[this.at + 1];
      if (this.take("**")) keywords.push({ name: null, value: this.#expression() });
      else if (this.take("*")) {
        if (keywords.some((each) => each.name === null))
          throw syntaxError("iterable argument unpacking follows keyword argument unpacking");
        positional.push({ kind: "starred", value: this.#expression() });
      } else if (token.kind === "name" && next?.kind === "operator" && next.text === "=") {
        this.at += 2;
        keywords.push({ name: token.text, value: this.#expression() });
      } else {
        if (keywords.length > 0) throw syntaxError("positional argument follows keyword argument");
        const value = this.#named();
        if (this.is("for") || this.is("async")) {
          if (positional.length > 0) throw syntaxError("Generator expression must be parenthesized");
          positional.push({ kind: "comprehension", shape: "generator", key: value, loops: this.#loops() });
          this.need(")");
          return { kind: "call", callee, positional, keywords };
        }
        positional.push(value);
      }
      if (!this.is(")")) this.need(",");
    }
    return { kind: "call", callee, positional, keywords };
  }

  #subscripts(): Node {
    const first = this.#slice();
    if (!this.is(",")) {
      this.need("]");
      return first.kind === "starred" ? { kind: "tuple", items: [first] } : first;
    }
    const items = [first];
    while (this.take(",")) {
      if (this.is("]")) break;
      items.push(this.#slice());
    }
    this.need("]");
    return { kind: "tuple", items };
  }

  #slice(): Node {
    if (this.is("*")) return this.#starOrNamed();
    const bound = () => (this.is(":") || this.is("]") || this.is(",") ? undefined : this.#expression());
    if (!this.is(":")) {
      const first = this.#named();
      if (!this.is(":")) return first;
      return this.#sliceRest(first, bound);
    }
    return this.#sliceRest(undefined, bound);
  }

  #sliceRest(lower: Node | undefined, bound: () => Node | undefined): Node {
    this.need(":");
    const upper = bound();
    const step = this.take(":") ? bound() : undefined;
    return { kind: "slice", ...(lower && { lower }), ...(upper && { upper }), ...(step && { step }) };
  }

  #atom(): Node {
    const token = this.peek();
    this.at++;
    if (token.kind === "name") return { kind: "name", name: token.text };
    if (token.kind === "number") return { kind: "constant", value: token.value };
    if (token.kind === "string") return this.#strings(token);
    if (token.kind !== "end") {
      if (token.text === "(") return this.#group();
      if (token.text === "[") return this.#list();
      if (token.text === "{") return this.#braces();
      if (token.text === "...") return { kind: "constant", value: ellipsis };
      if (token.kind === "keyword") {
        if (token.text === "True" || token.text === "False")
          return { kind: "constant", value: token.text === "True" };
        if (token.text === "None") return { kind: "constant", value: null };
      }
    }
    this.at--;
    throw this.unexpected();
  }

  /** Literals that stand beside each other are one. */
  #strings(first: Token & { kind: "string" }): Node {
    const parts = [first];
    for (let token = this.peek(); token.kind === "string"; token = this.peek()) {
      parts.push(token);
      this.at++;
    }
    const isBytes = first.value instanceof PythonBytes;
    if (parts.some((part) => part.value instanceof PythonBytes !== isBytes))
      throw syntaxError("cannot mix bytes and nonbytes literals");
    if (parts.some((part) => part.isFormatted)) return { kind: "formatted" };
    if (!isBytes) return { kind: "constant", value: parts.map((part) => part.value as string).join("") };
    return {
      kind: "constant",
      value: new PythonBytes(parts.map((part) => (part.value as PythonBytes).text).join("")),
    };
  }

  #group(): Node {
    if (this.take(")")) return { kind: "tuple", items: [] };
    if (this.take("yield")) {
      const isFrom = this.take("from");
      const value = isFrom ? this.#expression() : this.is(")") ? undefined : this.#items(")");
      this.need(")");
      return { kind: "yield", isFrom, value };
    }
    const first = this.#starOrNamed();
    if (this.is("for") || this.is("async")) return this.#comprehension("generator", first, ")");
    if (this.is(",")) {
      const items = [first, ...this.#moreItems(")")];
      return { kind: "tuple", items };
    }
    this.need(")");
    if (first.kind === "starred") throw syntaxError("cannot use starred expression here");
    return first;
  }

  #list(): Node {
    if (this.take("]")) return { kind: "list", items: [] };
    const first = this.#starOrNamed();
    if (this.is("for") || this.is("async")) return this.#comprehension("list", first, "]");
    return { kind: "list", items: [first, ...this.#moreItems("]")] };
  }

  #moreItems(closer: string): Node[] {
    const items: Node[] = [];
    while (this.take(",")) {
      if (this.is(closer)) break;
      items.push(this.#starOrNamed());
    }
    this.need(closer);
    return items;
  }

  #braces(): Node {
    if (this.take("}")) return { kind: "dict", entries: [] };
    if (this.is("**")) return this.#dict([]);
    const first = this.#starOrNamed();
    if (first.kind !== "starred" && first.kind !== "assignment" && this.take(":")) {
      const value = this.#expression();
      if (!this.is("for") && !this.is("async")) return this.#dict([{ key: first, value }]);
      const loops = this.#loops();
      this.need("}");
      return { kind: "comprehension", shape: "dict", key: first, value, loops };
    }
    if (this.is("for") || this.is("async")) return this.#comprehension("set", first, "}");
    return { kind: "set", items: [first, ...this.#moreItems("}")] };
  }

  #dict(entries: { key: Node | undefined; value: Node }[]): Node {
    while (entries.length === 0 || this.take(",")) {
      if (this.is("}")) break;
      if (this.take("**")) entries.push({ key: undefined, value: this.#binary(0) });
      else {
        const key = this.#expression();
        this.need(":");
        entries.push({ key, value: this.#expression() });
      }
    }
    this.need("}");
    return { kind: "dict", entries };
  }

  #comprehension(shape: "list" | "set" | "generator", key: Node, closer: string): Node {
    if (key.kind === "starred") throw syntaxError("iterable unpacking cannot be used in comprehension");
    const loops = this.#loops();
    this.need(closer);
    return { kind: "comprehension", shape, key, loops };
  }

  #loops(): Loop[] {
    const loops: Loop[] = [];
    while (this.is("for") || this.is("async")) {
      const isAsync = this.take("async");
      this.need("for");
      const target = this.#targets();
      this.need("in");
      const source = this.#disjunction();
      const conditions: Node[] = [];
      while (this.take("if")) conditions.push(this.#disjunction());
      loops.push({ isAsync, target, source, conditions });
    }
    return loops;
  }

  #targets(): Node {
    const target = () => {
      const node: Node = this.take("*") ? { kind: "starred", value: this.#primary() } : this.#primary();
      if (!isTarget(node)) throw syntaxError("cannot assign to expression");
      return node;
    };
    const first = target();
    if (!this.is(",")) return first;
    const items = [first];
    while (this.take(",")) {
      if (this.is("in")) break;
      items.push(target());
    }
    return { kind: "tuple", items };
  }

  #name(): string {
    const token = this.peek();
    if (token.kind !== "name") throw this.unexpected();
    this.at++;
    return token.text;
  }

  #deeper(parse: () => Node): Node {
    if (++this.#depth > deepestExpression) throw tooDeep();
    const node = parse();
    this.#depth--;
    return node;
  }

  protected override unexpected(): PythonError {
    return syntaxError("invalid syntax");
  }
}

function tooDeep(): PythonError {
  return new PythonError("RecursionError", "maximum recursion depth exceeded during compilation");
}
