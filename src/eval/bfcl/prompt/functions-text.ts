import { jsonText, repr, str } from "../python/text.ts";
import { dictGet, dictHas, type PythonDict, type PythonValue } from "../python/value.ts";
import type { PromptVariation } from "./variation.ts";

/** Tool documents as a prompted model is shown them. */
export function functionsText(
  functions: readonly PythonDict[],
  format: PromptVariation["documents"],
): string {
  if (format === "json") return jsonText([...functions], { indent: 4 });
  return format === "xml" ? functions.map(functionXml).join("\n") : functionsPython(functions);
}

function functionXml(document: PythonDict): string {
  const parameters = dictOf(document, "parameters");
  const required = namesOf(parameters, "required");
  const inner = [...dictOf(parameters, "properties")].map(([name, each]) =>
    parameterXml(str(name), toDict(each), required, 2),
  );
  return `<function name="${textOf(document, "name")}">\n  <desc>${textOf(document, "description")}</desc>\n  <params>\n${inner.join("")}  </params>\n</function>\n`;
}

function parameterXml(
  name: string,
  schema: PythonDict,
  required: readonly PythonValue[] | undefined,
  level: number,
): string {
  const indent = " ".repeat(level * 2);
  // Without a list of required names all are.
  const isRequired = required === undefined || required.includes(name);
  const attributes = [`name="${name}", type="${xmlType(schema)}", required="${isRequired}"`];
  if (dictHas(schema, "default"))
    attributes.push(`default="${repr(dictGet(schema, "default") as PythonValue)}"`);
  // Every comma goes, those of a default value included.
  const parts = [
    `${indent}<param ${attributes.join(" ").replaceAll(",", "")}>\n`,
    `${indent}  <desc>${describe(schema)}</desc>\n`,
  ];
  if (dictHas(schema, "properties")) {
    const inner = namesOf(schema, "required");
    parts.push(`${indent}  <params>\n`);
    for (const [child, each] of dictOf(schema, "properties"))
      parts.push(parameterXml(str(child), toDict(each), inner, level + 2));
    parts.push(`${indent}  </params>\n`);
  }
  parts.push(`${indent}</param>\n`);
  return parts.join("");
}

function xmlType(schema: PythonDict): string {
  const type = typeOf(schema);
  const items = dictGet(schema, "items");
  if (items instanceof Map && dictHas(items, "type")) return `${type}[${typeOf(items)}]`;
  const values = dictGet(schema, "additionalProperties");
  return values === undefined ? type : `${type}[${typeOf(toDict(values))}]`;
}

function functionsPython(functions: readonly PythonDict[]): string {
  // Each function is followed by an empty line of its own, and all of these are joined by two more.
  return functions.flatMap((each) => [functionPython(each), "\n"]).join("\n\n");
}

function functionPython(document: PythonDict): string {
  const properties = dictOf(dictOf(document, "parameters"), "properties");
  const lines = [
    `# Function: ${textOf(document, "name")}\n`,
    '    """\n',
    `    ${textOf(document, "description")}\n\n`,
  ];
  if (properties.size > 0) lines.push("    Args:\n");
  for (const [name, schema] of properties) lines.push(...parameterPython(str(name), toDict(schema), 0));
  lines.push('    """\n');
  return lines.join("");
}

function parameterPython(name: string, schema: PythonDict, depth: number): string[] {
  const initial = dictGet(schema, "default");
  const note = initial === undefined ? "" : `, default=${repr(initial)}`;
  const indent = " ".repeat(8 + 4 * depth);
  const lines = [`${indent}${name} (${pythonType(schema)}${note}): ${describe(schema)}\n`];
  for (const [child, each] of dictOf(schema, "properties"))
    lines.push(...parameterPython(str(child), toDict(each), depth + 1));
  return lines;
}

const pythonNames: Readonly<Record<string, string>> = {
  string: "str",
  number: "float",
  integer: "int",
  boolean: "bool",
};

function pythonType(schema: PythonDict): string {
  const type = typeOf(schema);
  const name = Object.hasOwn(pythonNames, type) ? pythonNames[type] : undefined;
  if (name !== undefined) return name;
  if (["array", "list", "tuple"].includes(type) && dictHas(schema, "items"))
    return `list[${pythonType(dictOf(schema, "items"))}]`;
  if (type !== "object" && type !== "dict") return type;
  return dictHas(schema, "additionalProperties")
    ? `dict[str, ${pythonType(dictOf(schema, "additionalProperties"))}]`
    : "dict";
}

function describe(schema: PythonDict): string {
  const choices = dictGet(schema, "enum");
  const note = choices === undefined ? "" : ` Enum values: ${str(choices)}.`;
  return textOf(schema, "description") + note;
}

function typeOf(schema: PythonDict): string {
  return str(dictGet(schema, "type") ?? "string");
}

function textOf(dict: PythonDict, key: string): string {
  return str(dictGet(dict, key) ?? "");
}

function dictOf(dict: PythonDict, key: string): PythonDict {
  return toDict(dictGet(dict, key));
}

function toDict(value: PythonValue | undefined): PythonDict {
  return value instanceof Map ? value : new Map();
}

function namesOf(dict: PythonDict, key: string): readonly PythonValue[] | undefined {
  const names = dictGet(dict, key);
  return Array.isArray(names) ? names : undefined;
}
