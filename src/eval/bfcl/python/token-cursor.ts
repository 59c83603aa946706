import type { PythonError } from "./error.ts";

/** A way through a list of tokens, whose last one marks the end, with the questions that every parser asks. */
export abstract class TokenCursor<Token extends { kind: string; text?: string }> {
  protected readonly tokens: readonly Token[];
  protected at = 0;
  readonly #spelled: ReadonlySet<Token["kind"]>;

  /** `spelled` are the kinds of token that stand for what their text says. */
  constructor(tokens: readonly Token[], spelled: readonly Token["kind"][]) {
    this.tokens = tokens;
    this.#spelled = new Set(spelled);
  }

  protected abstract unexpected(): PythonError;

  protected peek(): Token {
    return this.tokens[this.at] as Token;
  }

  protected is(text: string): boolean {
    const token = this.peek();
    return token.text === text && this.#spelled.has(token.kind);
  }

  protected take(text: string): boolean {
    const found = this.is(text);
    if (found) this.at++;
    return found;
  }

  protected need(text: string): void {
    if (!this.take(text)) throw this.unexpected();
  }
}
