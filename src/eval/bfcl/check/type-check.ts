import { type PythonValue, typeName } from "../python/value.ts";

export type TypeVerdict = { errorType: string; isVariable: boolean };

/**
 * Whether a value has the class that the document asks for, one level of elements included. A value of the class of
 * the first allowed answer passes too: it is taken for the name of a variable and later compared as it stands.
 */
export function checkType(
  value: PythonValue,
  allowed: readonly PythonValue[],
  expected: string,
  expectedElement?: string,
): TypeVerdict {
  const got = typeName(value);
  const answered = classOfAnswers(allowed);
  const differs = answered !== undefined && answered !== expected;
  if (got === expected) {
    if (expectedElement === undefined || hasElements(value, allowed, expectedElement)) {
      return differs ? variable : plain;
    }
    return { errorType: answered === got ? "type_error:nested" : "type_error:simple", isVariable: true };
  }
  return answered === got ? variable : wrongClass;
}

const plain: TypeVerdict = { errorType: "", isVariable: false };
const variable: TypeVerdict = { errorType: "", isVariable: true };
const wrongClass: TypeVerdict = { errorType: "type_error:simple", isVariable: false };

/** The class of the first answer that is more than "may be left out". */
function classOfAnswers(allowed: readonly PythonValue[]): string | undefined {
  for (const answer of allowed) if (answer !== "") return typeName(answer);
  return undefined;
}

/** Whether every element passes for at least one of the allowed lists; an allowed value that is no list lets all pass. */
function hasElements(value: PythonValue, allowed: readonly PythonValue[], element: string): boolean {
  const items = Array.isArray(value) ? value : [];
  return allowed.some(
    (answer) =>
      !Array.isArray(answer) || items.every((item) => checkType(item, answer, element).errorType === ""),
  );
}
