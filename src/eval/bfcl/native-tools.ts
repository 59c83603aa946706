import type { JsonSchema } from "../../spec/json.ts";
import type { ToolSpec } from "../../spec/tool.ts";
import { repr, str } from "./python/text.ts";
import { dictGet, type PythonDict, PythonTuple, type PythonValue } from "./python/value.ts";

/** The benchmark's names of types (Python's, Java's, JavaScript's) in the words of JSON Schema. */
const schemaTypes: Readonly<Record<string, string>> = {
  integer: "integer",
  byte: "integer",
  short: "integer",
  long: "integer",
  Bigint: "integer",
  number: "number",
  float: "number",
  double: "number",
  boolean: "boolean",
  bool: "boolean",
  array: "array",
  list: "array",
  tuple: "array",
  ArrayList: "array",
  Array: "array",
  Queue: "array",
  Stack: "array",
  dict: "object",
  object: "object",
  HashMap: "object",
  Hashtable: "object",
};

/**
 * Tool documents as native tools. Types become those of JSON Schema, what has none becomes a string, a float says that
 * it is one, and dots in names become underscores, which is what most providers allow.
 */
export function toNativeTools(functions: readonly PythonDict[]): ToolSpec[] {
  return functions.map((each) => {
    const parameters = dictGet(each, "parameters");
    const given = parameters instanceof Map ? parameters : new Map<PythonValue, PythonValue>();
    const properties = dictGet(given, "properties");
    return {
      name: nativeName(str(dictGet(each, "name") ?? "")),
      description: str(dictGet(each, "description") ?? ""),
      parameters: {
        ...(toJson(given) as JsonSchema),
        type: "object",
        properties: properties instanceof Map ? toProperties(properties) : {},
      },
    };
  });
}

/** A function's name as it is offered natively. */
export function nativeName(name: string): string {
  return name.replaceAll(".", "_");
}

function toProperties(properties: PythonDict): JsonSchema {
  return Object.fromEntries(
    [...properties].map(([name, schema]) => [str(name), schema instanceof Map ? toProperty(schema) : {}]),
  );
}

function toProperty(schema: PythonDict): JsonSchema {
  const type = typeOf(schema);
  const property: JsonSchema = { ...(toJson(schema) as JsonSchema), type };
  if (dictGet(schema, "type") === "float") {
    property["format"] = "float";
    property["description"] = `${str(dictGet(schema, "description") ?? "")} This is a float type value.`;
  }
  if (type !== "array" && type !== "object") return property;
  const properties = dictGet(schema, "properties");
  const items = dictGet(schema, "items");
  if (properties instanceof Map) property["properties"] = toProperties(properties);
  else if (items instanceof Map) property["items"] = toItems(items);
  return property;
}

function toItems(schema: PythonDict): JsonSchema {
  const type = typeOf(schema);
  const items: JsonSchema = { ...(toJson(schema) as JsonSchema), type };
  const inner = dictGet(schema, "items");
  const properties = dictGet(schema, "properties");
  if (type === "array" && inner instanceof Map)
    items["items"] = { ...(toJson(inner) as JsonSchema), type: typeOf(inner) };
  else if (type === "object" && properties instanceof Map) items["properties"] = toProperties(properties);
  return items;
}

function typeOf(schema: PythonDict): string {
  const type = dictGet(schema, "type");
  return typeof type === "string" && Object.hasOwn(schemaTypes, type)
    ? (schemaTypes[type] as string)
    : "string";
}

/** Plain JSON; integers beyond what a double holds keep their digits as text. */
function toJson(value: PythonValue): unknown {
  if (typeof value === "bigint") {
    const number = Number(value);
    return Number.isSafeInteger(number) ? number : value.toString();
  }
  if (value === null || typeof value !== "object") return value;
  if (Array.isArray(value)) return value.map(toJson);
  if (value instanceof PythonTuple) return value.items.map(toJson);
  if (value instanceof Map)
    return Object.fromEntries([...value].map(([key, item]) => [str(key), toJson(item)]));
  return repr(value);
}
