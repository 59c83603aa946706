import { type PythonValue, typeName } from "../python/value.ts";

export type TypeVerdict = { errorType: string; isVariable: boolean };

/**
 * Whether a value has the class that the document asks for, one level of elements included. A value of the class of
 * the first allowed answer passes too: it is taken for the name of a variable and later compared as it stands.
 */
export function checkType(
  value: PythonValue,
  { allowed, expected, element, answered }: TypeExpectation,
): TypeVerdict {
  const got = typeName(value);
  const differs = answered !== undefined && answered !== expected;
  if (got === expected) {
    if (element === undefined || hasElements(value, allowed, element)) return differs ? variable : plain;
    return answered === got ? wrongElement : wrongElementOfVariable;
  }
  return answered === got ? variable : wrongClass;
}

export type TypeExpectation = {
  allowed: readonly PythonValue[];
  /** Classes of Python. */
  expected: string;
  element?: string | undefined;
  /** What `classOfAnswers` says of the allowed values. */
  answered: string | undefined;
};

const plain: TypeVerdict = { errorType: "", isVariable: false };
const variable: TypeVerdict = { errorType: "", isVariable: true };
const wrongClass: TypeVerdict = { errorType: "type_error:simple", isVariable: false };
const wrongElement: TypeVerdict = { errorType: "type_error:nested", isVariable: true };
const wrongElementOfVariable: TypeVerdict = { errorType: "type_error:simple", isVariable: true };

/** The class of the first answer that is more than "may be left out". */
export function classOfAnswers(allowed: readonly PythonValue[]): string | undefined {
  for (const answer of allowed) if (answer !== "") return typeName(answer);
  return undefined;
}

/** Whether every element passes for at least one of the allowed lists; an allowed value that is no list lets all pass. */
function hasElements(value: PythonValue, allowed: readonly PythonValue[], element: string): boolean {
  const items = Array.isArray(value) ? value : [];
  for (const answer of allowed) {
    if (!Array.isArray(answer)) return true;
    const expectation = { allowed: answer, expected: element, answered: classOfAnswers(answer) };
    if (items.every((item) => checkType(item, expectation).errorType === "")) return true;
  }
  return false;
}
