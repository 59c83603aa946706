import { AttuneError } from "../../spec/error.ts";
import type { JsonSchema } from "../../spec/json.ts";
import { at, isNode, isVersion30, type Node, type OpenApiDocument, resolved } from "./document.ts";

/** Keywords that say something about documentation, or that would change what a `$ref` means. */
const dropped = new Set([
  "$schema",
  "$id",
  "$anchor",
  "$defs",
  "definitions",
  "discriminator",
  "example",
  "examples",
  "externalDocs",
  "nullable",
  "xml",
  "deprecated",
  "readOnly",
  "writeOnly",
]);
const holdsSchema = new Set(["items", "additionalProperties", "not", "if", "then", "else", "contains"]);
const holdsMoreSchema = new Set(["propertyNames", "unevaluatedItems", "unevaluatedProperties"]);
const holdsList = new Set(["allOf", "anyOf", "oneOf", "prefixItems"]);
const holdsNamed = new Set(["properties", "patternProperties", "dependentSchemas"]);

/**
 * Turns schemas of a document into JSON Schema 2020-12 that stands alone: what a `$ref` points to goes to `$defs`
 * once, so that a type that contains itself stays finite. Properties the server only sends (`readOnly`) are left out.
 */
export type SchemaReader = {
  /** The schema itself is never a mere `$ref`, only what is inside of it. */
  read(schema: unknown): JsonSchema;
  /** What the schemas read so far point to. */
  definitions(): Record<string, JsonSchema>;
};

export function createSchemaReader(document: OpenApiDocument): SchemaReader {
  const is30 = isVersion30(document);
  const names = new Map<string, string>();
  const definitions: Record<string, JsonSchema> = {};

  const define = (pointer: string): string => {
    const known = names.get(pointer);
    if (known !== undefined) return known;
    const base =
      pointer
        .split("/")
        .at(-1)!
        .replace(/[^A-Za-z0-9_.-]/g, "_") || "root";
    let name = base;
    for (let count = 2; Object.hasOwn(definitions, name); count++) name = `${base}_${count}`;
    names.set(pointer, name);
    definitions[name] = {};
    definitions[name] = convert(at(document, pointer), pointer);
    return name;
  };

  const convert = (schema: unknown, where: string): JsonSchema => {
    if (typeof schema === "boolean") return schema ? {} : { not: {} };
    if (!isNode(schema))
      throw new AttuneError("input", `OpenAPI document: ${where}: got no schema, expected an object`);
    const result: JsonSchema = {};
    // 3.0 says that whatever stands beside a $ref is not looked at
    const siblings = typeof schema.$ref === "string" && is30 ? {} : schema;
    if (typeof schema.$ref === "string") result.$ref = `#/$defs/${define(schema.$ref)}`;
    for (const [keyword, value] of Object.entries(siblings)) {
      if (keyword === "$ref" || dropped.has(keyword) || keyword.startsWith("x-")) continue;
      const inside = `${where}/${keyword}`;
      if (holdsSchema.has(keyword) || holdsMoreSchema.has(keyword))
        result[keyword] = typeof value === "boolean" ? value : convert(value, inside);
      else if (holdsList.has(keyword))
        result[keyword] = listOf(value).map((part, index) => convert(part, `${inside}/${index}`));
      else if (holdsNamed.has(keyword)) result[keyword] = named(value, inside);
      else result[keyword] = value;
    }
    return dialect30(withoutReadOnly(result, siblings), siblings);
  };

  const named = (value: unknown, where: string): Record<string, JsonSchema> =>
    Object.fromEntries(
      Object.entries(isNode(value) ? value : {})
        .filter(([, property]) => !isReadOnly(property, where))
        .map(([name, property]) => [name, convert(property, `${where}/${name}`)]),
    );

  const isReadOnly = (schema: unknown, where: string) =>
    isNode(schema) && resolved(document, schema, where).readOnly === true;

  const withoutReadOnly = (result: JsonSchema, { properties }: Node): JsonSchema => {
    const { required } = result;
    if (!Array.isArray(required) || !isNode(properties)) return result;
    const kept = (required as string[]).filter(
      (name) => !(Object.hasOwn(properties, name) && isReadOnly(properties[name], name)),
    );
    const { required: _, ...others } = result;
    return kept.length > 0 ? { ...others, required: kept } : others;
  };

  /** What 3.0 says in its own way: nullable types and exclusive bounds. */
  const dialect30 = (result: JsonSchema, source: Node): JsonSchema => {
    if (!is30) return result;
    for (const [flag, bound] of [
      ["exclusiveMinimum", "minimum"],
      ["exclusiveMaximum", "maximum"],
    ] as const) {
      if (typeof result[flag] !== "boolean") continue;
      if (result[flag] && result[bound] !== undefined) {
        result[flag] = result[bound];
        delete result[bound];
      } else delete result[flag];
    }
    if (source.nullable !== true) return result;
    if (typeof result.type !== "string")
      return result.allOf || result.anyOf || result.oneOf ? { anyOf: [result, { type: "null" }] } : result;
    result.type = [result.type, "null"];
    if (Array.isArray(result.enum) && !result.enum.includes(null)) result.enum = [...result.enum, null];
    return result;
  };

  return {
    read: (schema) => {
      const where = "schema";
      const isPointer = isNode(schema) && typeof schema.$ref === "string";
      return convert(isPointer ? resolved(document, schema, where) : schema, where);
    },
    definitions: () => definitions,
  };
}

const listOf = (value: unknown): unknown[] => (Array.isArray(value) ? value : []);
