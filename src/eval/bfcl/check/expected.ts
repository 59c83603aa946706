import { AttuneError } from "../../../spec/error.ts";
import { str } from "../python/text.ts";
import { dictGet, type PythonDict, type PythonValue, typeName } from "../python/value.ts";
import { type ParameterType, readDocument, type ToolDocument, typeOfParameter } from "./document.ts";
import { classOfAnswers } from "./type-check.ts";
import type { Language } from "./types.ts";

/** An allowed call with its tool's document, laid out for the checks. */
export type ExpectedCall = {
  /** As the model has to write it. */
  name: string;
  document: ToolDocument;
  language: Language;
  answer: PythonDict;
  /** The answer's parameters, in its order. */
  answered: readonly (readonly [name: PythonValue, allowed: PythonValue])[];
  /** Parameters that were looked at, by name. */
  parameters: Map<PythonValue, ExpectedParameter>;
};

export type ExpectedParameter = {
  type: ParameterType;
  allowed: readonly PythonValue[];
  /** The class of the first answer that is more than "may be left out". */
  answered: string | undefined;
};

export type Expectation = {
  groundTruth: readonly PythonValue[];
  functions: readonly PythonValue[];
  language: Language;
  underscoreToDot: boolean;
  /** Whether the tool is found by the answer's name; otherwise it is the first. */
  byName: boolean;
};

type Expected = Expectation & { calls: (ExpectedCall | undefined)[] };

// The same answers are asked for again with every sample and every model.
const known = new WeakMap<readonly PythonValue[], Expected>();

/**
 * The allowed calls of an item; each is read when it is asked for, since what is wrong with one that nobody asks for
 * does not matter.
 */
export function expectedCalls(expectation: Expectation): (index: number) => ExpectedCall {
  const found = known.get(expectation.groundTruth);
  const isSame =
    found !== undefined &&
    found.functions === expectation.functions &&
    found.language === expectation.language &&
    found.underscoreToDot === expectation.underscoreToDot &&
    found.byName === expectation.byName;
  const expected: Expected = isSame ? found : { ...expectation, calls: [] };
  if (!isSame) known.set(expectation.groundTruth, expected);
  return (index) => {
    const call = expected.calls[index] ?? readCall(expected, index);
    expected.calls[index] = call;
    return call;
  };
}

function readCall({ groundTruth, functions, ...how }: Expected, index: number): ExpectedCall {
  const { name, parameters } = answerOf(groundTruth[index]);
  const found = how.byName
    ? functions.find((each) => each instanceof Map && each.get("name") === name)
    : functions[0];
  if (!(found instanceof Map))
    throw new AttuneError("input", `no tool document for ${how.byName ? str(name) : "the call"}`);
  const document = readDocument(found, how.language);
  return {
    name: how.underscoreToDot ? document.nameWithoutDots : document.name,
    document,
    language: how.language,
    answer: parameters,
    answered: [...parameters],
    parameters: new Map(),
  };
}

/** What is allowed for a parameter; undefined where the tool or the answer has none of that name. */
export function expectedParameter(call: ExpectedCall, name: PythonValue): ExpectedParameter | undefined {
  const found = call.parameters.get(name);
  if (found !== undefined) return found;
  const type = typeOfParameter(call.document, name, call.language);
  const allowed = type && dictGet(call.answer, name);
  if (type === undefined || allowed === undefined) return undefined;
  if (!Array.isArray(allowed)) throw badDocument(call.document.name, `ground_truth.${str(name)}`);
  const parameter = { type, allowed, answered: classOfAnswers(allowed) };
  call.parameters.set(name, parameter);
  return parameter;
}

export function badDocument(name: string, field: string): AttuneError {
  return new AttuneError("input", `the tool document or answer of ${name} lacks ${field}`);
}

function answerOf(answer: PythonValue | undefined): { name: PythonValue; parameters: PythonDict } {
  const entry = answer instanceof Map ? answer.entries().next().value : undefined;
  if (entry !== undefined && entry[1] instanceof Map) return { name: entry[0], parameters: entry[1] };
  throw new AttuneError(
    "input",
    `an answer must be {name: {parameter: [values]}}, got ${answer === undefined ? "nothing" : typeName(answer)}`,
  );
}
