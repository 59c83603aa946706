import { AttuneError } from "../../../spec/error.ts";
import { PythonError } from "../python/error.ts";
import { str } from "../python/text.ts";
import {
  dictGet,
  dictHas,
  isIn,
  type PythonDict,
  PythonTuple,
  type PythonValue,
  typeName,
} from "../python/value.ts";
import { assertElements, type ParameterType, readDocument, typeOfParameter } from "./document.ts";
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
  const language = languageOf(check.category);
  const judge = (call: PythonDict, answer: PythonValue, functionDocument: PythonDict) =>
    checkCall({ call, answer: answerOf(answer).parameters, functionDocument, language, check });
  const documentOf = (answer: PythonValue) => findDocument(check.functions, answerOf(answer).name);
  if (check.category.includes("parallel"))
    return matchInAnyOrder(check, calls, (call, answer) => judge(call, answer, documentOf(answer)));
  const answer = check.groundTruth[0] as PythonValue;
  if (check.category.includes("multiple")) {
    if (calls.length !== check.groundTruth.length) return failed("multiple_function_checker:wrong_count");
    return calls[0] === undefined ? passed : judge(calls[0], answer, documentOf(answer));
  }
  const call = calls[0];
  if (calls.length !== 1 || call === undefined) return failed("simple_function_checker:wrong_count");
  return judge(call, answer, toDocument(check.functions[0]));
}

/** Every answer in its order takes the first call left that passes; nothing is ever taken back. */
function matchInAnyOrder(
  check: AstCheck,
  calls: readonly PythonDict[],
  judge: (call: PythonDict, answer: PythonValue) => Verdict,
): Verdict {
  if (calls.length !== check.groundTruth.length)
    return failed("parallel_function_checker_no_order:wrong_count");
  const left = [...calls];
  for (const answer of check.groundTruth) {
    const found = left.findIndex((call) => judge(call, answer).valid);
    if (found < 0) return failed("parallel_function_checker_no_order:cannot_find_match");
    left.splice(found, 1);
  }
  return passed;
}

type CallCheck = {
  call: PythonDict;
  answer: PythonDict;
  functionDocument: PythonDict;
  language: Language;
  check: AstCheck;
};

function checkCall({ call, answer, functionDocument, language, check }: CallCheck): Verdict {
  const document = readDocument(functionDocument, language);
  const parameters = call.get(check.underscoreToDot ? document.nameWithoutDots : document.name);
  if (!(parameters instanceof Map)) return wrongName;
  if (document.properties === undefined) throw badDocument(document.name, "parameters.properties");
  for (const parameter of document.required) {
    if (!dictHas(parameters, parameter)) return missingRequired;
  }
  for (const [parameter, value] of parameters) {
    const type = typeOfParameter(document, parameter, language);
    if (type === undefined) return unexpectedParameter;
    const allowed = dictGet(answer, parameter);
    if (allowed === undefined) return unexpectedParameter;
    if (!Array.isArray(allowed)) throw badDocument(document.name, `ground_truth.${str(parameter)}`);
    const verdict = checkParameter(value, allowed, type, language);
    if (!verdict.valid) return verdict;
  }
  for (const [parameter, allowed] of answer) {
    if (!dictHas(parameters, parameter) && !mayBeLeftOut(allowed)) return missingOptional;
  }
  return passed;
}

const wrongName = failed("simple_function_checker:wrong_func_name");
const missingRequired = failed("simple_function_checker:missing_required");
const unexpectedParameter = failed("simple_function_checker:unexpected_param");
const missingOptional = failed("simple_function_checker:missing_optional");

function checkParameter(
  given: PythonValue,
  allowed: readonly PythonValue[],
  type: ParameterType,
  language: Language,
): Verdict {
  const { word, expected, elementWord, element } = type;
  if (expected === "") throw new PythonError("KeyError", word);
  if (language !== "python" && typeof given !== "string")
    return failed(`type_error:${language === "java" ? "java" : "js"}`);
  assertElements(type);
  const value = convert(given, word, elementWord, language);
  const found = checkType(value, allowed, expected, element);
  if (found.errorType !== "") return failed(found.errorType);
  if (!found.isVariable) {
    if (expected === "dict") return checkDict(value, allowed);
    if (expected === "str") return checkText(value as string, allowed);
    if (expected === "list") {
      const list = value as PythonValue[];
      return element === "dict" ? checkDictList(list, allowed) : checkList(list, allowed);
    }
  }
  return isIn(value, allowed) ? passed : failed("value_error:others");
}

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

function answerOf(answer: PythonValue | undefined): { name: PythonValue; parameters: PythonDict } {
  const entry = answer instanceof Map ? answer.entries().next().value : undefined;
  if (entry !== undefined && entry[1] instanceof Map) return { name: entry[0], parameters: entry[1] };
  throw new AttuneError(
    "input",
    `an answer must be {name: {parameter: [values]}}, got ${answer === undefined ? "nothing" : typeName(answer)}`,
  );
}

function findDocument(functions: readonly PythonValue[], name: PythonValue): PythonDict {
  return toDocument(
    functions.find((each) => each instanceof Map && each.get("name") === name),
    str(name),
  );
}

function toDocument(value: PythonValue | undefined, name = "the call"): PythonDict {
  if (value instanceof Map) return value;
  throw new AttuneError("input", `no tool document for ${name}`);
}

function badDocument(name: string, field: string): AttuneError {
  return new AttuneError("input", `the tool document or answer of ${name} lacks ${field}`);
}
