import { standardAnswer } from "./standard.ts";
import { failed, passed, type Verdict } from "./verdict.ts";

/**
 * Passes where one of the accepted answers stands in the text between word boundaries, after both were
 * standardised. Boundaries are Python's: Unicode letters, numbers and the underscore are word characters.
 */
export function checkAnswer(text: string, accepted: readonly string[]): Verdict {
  const standard = standardAnswer(text);
  return accepted.some((answer) => containsWord(standard, standardAnswer(answer)))
    ? passed
    : failed("agentic:answer_not_found");
}

function containsWord(text: string, word: string): boolean {
  for (let at = text.indexOf(word); at >= 0; at = text.indexOf(word, at + 1)) {
    if (isBoundary(text, at) && isBoundary(text, at + word.length)) return true;
    if (at >= text.length) return false;
  }
  return false;
}

function isBoundary(text: string, at: number): boolean {
  return endsInWord(text, at) !== startsWithWord(text, at);
}

// `str.isalnum` or an underscore: marks that combine are not word characters in Python.
const wordCharacter = /[\p{L}\p{N}_]/u;

function startsWithWord(text: string, at: number): boolean {
  const code = text.codePointAt(at);
  return code !== undefined && wordCharacter.test(String.fromCodePoint(code));
}

function endsInWord(text: string, at: number): boolean {
  if (at === 0) return false;
  const unit = text.charCodeAt(at - 1);
  const isLowHalf = unit >= 0xdc00 && unit <= 0xdfff && at > 1;
  return startsWithWord(text, isLowHalf ? at - 2 : at - 1);
}
