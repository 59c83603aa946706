import { PythonError } from "../python/error.ts";
import { dictHas, isIn, type PythonDict, PythonTuple, type PythonValue } from "../python/value.ts";
import { assertElements } from "./document.ts";
import {
  badDocument,
  type ExpectedCall,
  type ExpectedParameter,
  expectedCalls,
  expectedParameter,
} from "./expected.ts";
import { toJavaValue } from "./java-value.ts";
import { toJavaScriptValue } from "./javascript-value.ts";
import { isCallList } from "./shape.ts";
import { checkType } from "./type-check.ts";
import { type Language, languageOf } from "./types.ts";
import { checkDict, checkDictList, checkList, checkText, mayBeLeftOut } from "./values.ts";
import { failed, passed, type Verdict } from "./verdict.ts";

export type AstCheck = {
  /** Decides both the matcher (`parallel`, `multiple` or one call) and the language. */
  category: string;
  /** The tool documents of the item. */
  functions: readonly PythonValue[];
  /** `[{name: {parameter: [allowed values]}}, …]` */
  groundTruth: readonly PythonValue[];
  /** What the decoder made of the model's text. */
  output: PythonValue;
  /** For APIs whose names hold no dots: `a.b` is expected as `a_b`. */
  underscoreToDot?: boolean;
};

/** The single-turn verdict: shape, count, name, parameters, types, values, in the original's order. */
export function checkAst(check: AstCheck): Verdict {
  if (!isCallList(check.output)) return failed("ast_decoder:decoder_wrong_output_format");
  try {
    return match(check, check.output);
  } catch (error) {
    // Where the original would have stopped with an exception of its own, the call is counted as wrong by name.
    if (error instanceof PythonError) return failed("ast_checker:raised");
    throw error;
  }
}

function match(check: AstCheck, calls: readonly PythonDict[]): Verdict {
  const { category, groundTruth, functions, underscoreToDot = false } = check;
  const isParallel = category.includes("parallel");
  const byName = isParallel || category.includes("multiple");
  const language = languageOf(category);
  const expected = expectedCalls({ groundTruth, functions, language, underscoreToDot, byName });
  if (isParallel) return matchInAnyOrder(calls, groundTruth.length, expected);
  const [call] = calls;
  if (byName) {
    if (calls.length !== groundTruth.length) return wrongCountOfSeveral;
    return call === undefined ? passed : checkCall(call, expected(0));
  }
  if (calls.length !== 1 || call === undefined) return wrongCount;
  return checkCall(call, expected(0));
}

const wrongCount = failed("simple_function_checker:wrong_count");
const wrongCountOfSeveral = failed("multiple_function_checker:wrong_count");
const wrongCountInAnyOrder = failed("parallel_function_checker_no_order:wrong_count");
const noMatch = failed("parallel_function_checker_no_order:cannot_find_match");

/** Every answer in its order takes the first call left that passes; nothing is ever taken back. */
function matchInAnyOrder(
  calls: readonly PythonDict[],
  count: number,
  expected: (index: number) => ExpectedCall,
): Verdict {
  if (calls.length !== count) return wrongCountInAnyOrder;
  const isTaken: boolean[] = [];
  for (let index = 0; index < count; index++) {
    let at = 0;
    // what an answer lacks is wrong only once a call is held against it
    while (at < count && (isTaken[at] === true || !checkCall(calls[at]!, expected(index)).valid)) at++;
    if (at === count) return noMatch;
    isTaken[at] = true;
  }
  return passed;
}

function checkCall(call: PythonDict, expected: ExpectedCall): Verdict {
  const { document, language, answered } = expected;
  const parameters = call.get(expected.name);
  if (!(parameters instanceof Map)) return wrongName;
  if (document.properties === undefined) throw badDocument(document.name, "parameters.properties");
  for (const name of document.required) if (!dictHas(parameters, name)) return missingRequired;
  for (const [name, value] of parameters) {
    const parameter = expectedParameter(expected, name);
    if (parameter === undefined) return unexpectedParameter;
    const verdict = checkParameter(value, parameter, language);
    if (!verdict.valid) return verdict;
  }
  for (const [name, allowed] of answered)
    if (!dictHas(parameters, name) && !mayBeLeftOut(allowed)) return missingOptional;
  return passed;
}

const wrongName = failed("simple_function_checker:wrong_func_name");
const missingRequired = failed("simple_function_checker:missing_required");
const unexpectedParameter = failed("simple_function_checker:unexpected_param");
const missingOptional = failed("simple_function_checker:missing_optional");

function checkParameter(
  given: PythonValue,
  { type, allowed, answered }: ExpectedParameter,
  language: Language,
): Verdict {
  const { word, expected, elementWord, element } = type;
  if (expected === "") throw new PythonError("KeyError", word);
  if (language !== "python" && typeof given !== "string")
    return failed(`type_error:${language === "java" ? "java" : "js"}`);
  assertElements(type);
  const value = convert(given, word, elementWord, language);
  const found = checkType(value, { allowed, expected, element, answered });
  if (found.errorType !== "") return failed(found.errorType);
  if (!found.isVariable) {
    if (expected === "dict") return checkDict(value, allowed);
    if (expected === "str") return checkText(value as string, allowed);
    if (expected === "list") {
      const list = value as PythonValue[];
      return element === "dict" ? checkDictList(list, allowed) : checkList(list, allowed);
    }
  }
  return isIn(value, allowed) ? passed : otherValue;
}

const otherValue = failed("value_error:others");

function convert(
  given: PythonValue,
  word: string,
  elementWord: string | undefined,
  language: Language,
): PythonValue {
  if (language === "java") return toJavaValue(given as string, word, elementWord);
  if (language === "javascript") return toJavaScriptValue(given as string, word, elementWord);
  if (word === "tuple" && given instanceof PythonTuple) return [...given.items];
  if (word !== "float" || typeof given !== "bigint") return given;
  const float = Number(given);
  if (!Number.isFinite(float)) throw new PythonError("OverflowError", "int too large to convert to float");
  return float;
}
