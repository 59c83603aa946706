import { PythonError } from "../python/error.ts";
import { str } from "../python/text.ts";
import { dictGet, type PythonDict, type PythonValue } from "../python/value.ts";
import { classOf, hasCheckedElements, type Language } from "./types.ts";

/** What a tool document says, laid out for the checks. */
export type ToolDocument = {
  name: string;
  /** The name with its dots as underscores. */
  nameWithoutDots: string;
  /** Undefined where the document has none. */
  properties: PythonDict | undefined;
  required: readonly PythonValue[];
  /** Types of parameters that were looked at, by name. */
  types: Map<PythonValue, ParameterType>;
};

/** The declared type of a parameter, with the class of Python that stands for it. */
export type ParameterType = {
  word: string;
  expected: string;
  /** Both undefined where elements are not checked. */
  elementWord: string | undefined;
  element: string | undefined;
};

// Documents are asked for again with every call, sample and model.
const known: Record<Language, WeakMap<PythonDict, ToolDocument>> = {
  python: new WeakMap(),
  java: new WeakMap(),
  javascript: new WeakMap(),
};

export function readDocument(document: PythonDict, language: Language): ToolDocument {
  const found = known[language].get(document);
  if (found !== undefined) return found;
  const name = str(dictGet(document, "name") ?? null);
  const schema = dictGet(document, "parameters");
  const properties = schema instanceof Map ? dictGet(schema, "properties") : undefined;
  const required = schema instanceof Map ? dictGet(schema, "required") : undefined;
  const read: ToolDocument = {
    name,
    nameWithoutDots: name.replaceAll(".", "_"),
    properties: properties instanceof Map ? properties : undefined,
    required: Array.isArray(required) ? required : [],
    types: new Map(),
  };
  known[language].set(document, read);
  return read;
}

/** The type of one of the document's parameters; undefined where it has no such parameter. */
export function typeOfParameter(
  document: ToolDocument,
  parameter: PythonValue,
  language: Language,
): ParameterType | undefined {
  const found = document.types.get(parameter);
  if (found !== undefined) return found;
  const property = document.properties && dictGet(document.properties, parameter);
  if (!(property instanceof Map)) return undefined;
  const type = readType(property, language);
  document.types.set(parameter, type);
  return type;
}

/** Words that the language does not know stay without a class: what they raise, they raise when a value is checked. */
function readType(property: PythonDict, language: Language): ParameterType {
  const word = str(dictGet(property, "type") ?? null);
  const expected = classOf(language, word) ?? "";
  if (expected === "" || !hasCheckedElements(language, word))
    return { word, expected, elementWord: undefined, element: undefined };
  const items = dictGet(property, "items");
  const elementWord = items instanceof Map ? dictGet(items, "type") : undefined;
  if (typeof elementWord !== "string") return { word, expected, elementWord: "items", element: undefined };
  return { word, expected, elementWord, element: classOf(language, elementWord) };
}

/** Raises what the original raises for a type word, or one of elements, that its table lacks. */
export function assertElements({ elementWord, element }: ParameterType): void {
  if (elementWord !== undefined && element === undefined) throw new PythonError("KeyError", elementWord);
}
