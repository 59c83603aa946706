import { jsonText, str } from "../python/text.ts";
import { dictGet, type PythonDict, type PythonValue } from "../python/value.ts";

/**
 * Tool documents with what the leaderboard adds to them before it asks: the language, and for Java and JavaScript
 * that every value is to be written as source text. Answers are judged by the documents without it.
 */
export function withLanguageNotes(functions: readonly PythonDict[], category: string): PythonDict[] {
  const language = category.includes("javascript")
    ? "JavaScript"
    : category.includes("java")
      ? "Java"
      : "Python";
  const syntax = { JavaScript: "JavaScript", Java: "Java 8 SDK", Python: "Python 3" }[language];
  return functions.map((each) => {
    const noted = copyWith(each, {
      description: `${textOf(each, "description")} Note that the provided function is in ${syntax} syntax.`,
    });
    const parameters = dictGet(each, "parameters");
    if (language === "Python" || !(parameters instanceof Map)) return noted;
    const properties = dictGet(parameters, "properties");
    if (!(properties instanceof Map)) return noted;
    const asText = new Map(
      [...properties].map(([name, schema]) => [
        name,
        schema instanceof Map ? asSourceText(schema, language) : schema,
      ]),
    );
    return copyWith(noted, { parameters: copyWith(parameters, { properties: asText }) });
  });
}

const listTypes = { Java: ["ArrayList", "Array"], JavaScript: ["array"] };

function asSourceText(schema: PythonDict, language: "Java" | "JavaScript"): PythonDict {
  const type = textOf(schema, "type");
  let description = textOf(schema, "description");
  description +=
    type === "any"
      ? ` This parameter can be of any type of ${language} object in string representation.`
      : ` This is ${language} ${type} type parameter in string representation.`;
  const result = copyWith(schema, {});
  const items = dictGet(schema, "items");
  if (listTypes[language].includes(type) && items instanceof Map) {
    description += ` The list elements are of type ${textOf(items, "type")}; they are not in string representation.`;
    result.delete("items");
  }
  const entries = dictGet(schema, "properties");
  if (language === "JavaScript" && type === "dict" && entries !== undefined) {
    description += ` The dictionary entries have the following schema; they are not in string representation. ${jsonText(entries)}`;
    result.delete("properties");
  }
  return copyWith(result, { description, type: "string" });
}

function copyWith(dict: PythonDict, changes: Record<string, PythonValue>): PythonDict {
  const copy = new Map(dict);
  for (const [key, value] of Object.entries(changes)) copy.set(key, value);
  return copy;
}

function textOf(dict: PythonDict, key: string): string {
  return str(dictGet(dict, key) ?? "");
}
