import { isAgentic, isMultiTurn, isRelevance } from "../categories.ts";
import { checkAnswer } from "../check/answer.ts";
import { checkAst } from "../check/ast.ts";
import { checkRelevance } from "../check/relevance.ts";
import { isCallList } from "../check/shape.ts";
import { failed, type Verdict } from "../check/verdict.ts";
import type { BfclItem } from "../data.ts";
import type { ReturnFormat } from "../decode/decode.ts";
import { checkTurns } from "../multi-turn/check.ts";
import { PythonError } from "../python/error.ts";
import { str } from "../python/text.ts";
import type { PythonValue } from "../python/value.ts";
import { isEmpty } from "../run/ask.ts";
import { decodeStored, type Mode, storedCalls } from "../run/mode.ts";
import type { Question } from "../run/question.ts";

/** A verdict with what the result was read as, for whoever looks into why. */
export type Judgement = Verdict & { decoded?: PythonValue; message?: string };

/** Judges what a result file holds for a question, as the leaderboard does. */
export function judgeResult(question: Question, result: PythonValue, mode: Mode): Judgement {
  const { item } = question;
  if (item === undefined) throw new Error(`${question.id} fills a memory and is not judged`);
  if (isMultiTurn(item.category)) return judgeTurns(item, question, result, mode);
  if (isAgentic(item.category)) return judgeAnswer(item, question, result, mode);
  return judgeCalls(item, question, result, mode);
}

function judgeCalls(item: BfclItem, question: Question, result: PythonValue, mode: Mode): Judgement {
  const { variation } = question;
  let decoded: PythonValue;
  try {
    decoded = decodeStored(result, mode, formatOf(item, variation), variation.tagged);
  } catch (error) {
    if (!(error instanceof PythonError)) throw error;
    const verdict = isRelevance(item.category)
      ? checkRelevance(undefined, item.category)
      : failed("ast_decoder:decoder_failed");
    return { ...verdict, message: error.message };
  }
  if (isRelevance(item.category)) return { ...checkRelevance(decoded, item.category), decoded };
  if (!isCallList(decoded)) return { ...failed("ast_decoder:decoder_wrong_output_format"), decoded };
  const verdict = checkAst({
    category: item.category,
    functions: item.functions,
    groundTruth: item.groundTruth ?? [],
    output: decoded,
    // Tools are offered with names that hold no dots.
    underscoreToDot: mode === "native",
  });
  return { ...verdict, decoded };
}

/** Java and JavaScript are written as such where calls are asked for in Python's format; relevance knows Python alone. */
function formatOf({ category }: BfclItem, { returnFormat }: Question["variation"]): ReturnFormat {
  if (returnFormat !== "python") return returnFormat;
  if (category.includes("javascript")) return "javascript";
  return category.includes("java") ? "java" : "python";
}

function judgeTurns(item: BfclItem, question: Question, result: PythonValue, mode: Mode): Judgement {
  if (!Array.isArray(result) || !result.every((turn) => Array.isArray(turn)))
    return failed("multi_turn:inference_error");
  if (result.length !== item.groundTruth?.length) return failed("multi_turn:force_terminated");
  const decoded = result.map((turn) =>
    turn.flatMap((stored) => {
      const calls = callsOf(stored, mode, question);
      return calls === undefined ? [] : [calls];
    }),
  );
  const { valid, errorType } = checkTurns(item, decoded);
  return { valid, errorType, decoded };
}

/** The calls of a step; undefined where it holds none that decode. */
function callsOf(stored: PythonValue, mode: Mode, question: Question): string[] | undefined {
  try {
    const calls = storedCalls(stored, mode, question);
    return isEmpty(calls) ? undefined : calls;
  } catch (error) {
    if (error instanceof PythonError) return undefined;
    throw error;
  }
}

function judgeAnswer(item: BfclItem, question: Question, result: PythonValue, mode: Mode): Judgement {
  const steps = Array.isArray(result) && result.length === 1 ? result[0] : undefined;
  if (!Array.isArray(steps)) return failed("agentic:inference_error");
  const last = steps.findLast((stored) => callsOf(stored, mode, question) === undefined);
  if (last === undefined || last === null || last === "" || (Array.isArray(last) && last.length === 0))
    return failed("agentic:no_last_message");
  const said = Array.isArray(last) ? (last[0] as PythonValue) : last;
  const accepted = (item.groundTruth ?? []).map((answer) => str(answer));
  return { ...checkAnswer(str(said), accepted), decoded: said };
}
