import { PythonError } from "../python/error.ts";

export type SourceToken = {
  kind: "word" | "number" | "text" | "template" | "pattern" | "symbol" | "end";
  text: string;
  start: number;
  end: number;
  /** Whether a line ended between the token before and this one. */
  isOnNewLine: boolean;
};

const blank = /(?:[\s\ufeff]+|\/\/[^\n]*|\/\*[\s\S]*?\*\/)*/y;
const word = /[\p{ID_Start}$_#@][\p{ID_Continue}$\u200c\u200d]*/uy;
const number =
  /(?:0[xX][0-9a-fA-F_]+|0[bB][01_]+|0[oO][0-7_]+|(?:[0-9][0-9_]*(?:\.[0-9_]*)?|\.[0-9][0-9_]*)(?:[eE][+-]?[0-9_]+)?)[nlLfFdD]?/y;
const text = /"""[\s\S]*?"""|"(?:[^"\\\n]|\\[\s\S])*"|'(?:[^'\\\n]|\\[\s\S])*'/y;
const pattern = /\/(?:[^/\\[\n]|\\[^\n]|\[(?:[^\]\\\n]|\\[^\n])*\])+\/[a-z]*/y;
const symbol =
  />>>=|\.\.\.|===|!==|\*\*=|<<=|>>=|>>>|&&=|\|\|=|\?\?=|=>|->|::|==|!=|<=|>=|&&|\|\||\?\?|\?\.|\+\+|--|\+=|-=|\*=|\/=|%=|&=|\|=|\^=|\*\*|<<|>>|[-+*/%&|^!~?:;,.(){}[\]<>=]/y;
const wordsBeforePattern = /^(?:return|typeof|case|in|of|delete|void|instanceof|new|await|yield)$/;

/** Tokens of JavaScript or Java source, enough of both to know where an argument starts and ends. */
export function scan(source: string, language: "java" | "javascript"): SourceToken[] {
  const tokens: SourceToken[] = [];
  let at = 0;
  const match = (expression: RegExp): string | undefined => {
    expression.lastIndex = at;
    const found = expression.exec(source)?.[0];
    if (found !== undefined) at += found.length;
    return found;
  };
  for (;;) {
    const isOnNewLine = match(blank)?.includes("\n") ?? false;
    const start = at;
    const push = (kind: SourceToken["kind"]) =>
      tokens.push({ kind, text: source.slice(start, at), start, end: at, isOnNewLine });
    if (at >= source.length) {
      push("end");
      return tokens;
    }
    const last = tokens.at(-1);
    // A character of Java may be of any length, but not of none.
    if (language === "java" && source.startsWith("''", at))
      throw new PythonError("SyntaxError", "nothing in ''");
    if (match(text) !== undefined) push("text");
    else if (language === "javascript" && source[at] === "`") {
      at = endOfTemplate(source, at);
      push("template");
    } else if (match(word) !== undefined) push("word");
    else if (match(number) !== undefined) push("number");
    else if (
      language === "javascript" &&
      source[at] === "/" &&
      mayBePattern(last) &&
      match(pattern) !== undefined
    )
      push("pattern");
    else if (match(symbol) !== undefined) push("symbol");
    else throw new PythonError("SyntaxError", `nothing starts with ${JSON.stringify(source[at])} here`);
  }
}

function mayBePattern(last: SourceToken | undefined): boolean {
  if (last === undefined) return true;
  if (last.kind === "symbol") return !")]}".includes(last.text);
  return last.kind === "word" && wordsBeforePattern.test(last.text);
}

/** Substitutions may hold braces, texts and templates again; a stack of them keeps this free of recursion. */
function endOfTemplate(source: string, start: number): number {
  const open = ["`"];
  for (let at = start + 1; at < source.length; at++) {
    const top = open.at(-1);
    const character = source[at] as string;
    if (character === "\\") at++;
    else if (top === "`") {
      if (character === "`") open.pop();
      else if (character === "$" && source[at + 1] === "{") {
        open.push("{");
        at++;
      }
    } else if (character === "`" || character === "{") open.push(character);
    else if (character === "}") open.pop();
    else if (character === '"' || character === "'") {
      const end = source.indexOf(character, at + 1);
      if (end < 0) break;
      at = end;
    }
    if (open.length === 0) return at + 1;
  }
  throw new PythonError("SyntaxError", "unterminated template");
}
