import { AttuneError } from "../../spec/error.ts";
import type { JsonSchema } from "../../spec/json.ts";
import type { ToolSpec } from "../../spec/tool.ts";
import { withheldFrom } from "./credentials.ts";
import { checkDocument, isNode, type Node, type OpenApiDocument, resolved } from "./document.ts";
import { createSchemaReader, type SchemaReader } from "./schema.ts";

/** Where an argument goes. `body` is the whole body, `body property` a part of it. */
export type ArgumentPlace = "path" | "query" | "header" | "body" | "body property";

export type OperationArgument = {
  /** What the model calls it. */
  name: string;
  /** What the server calls it. */
  key: string;
  place: ArgumentPlace;
  /** How lists and objects are written in a parameter; `json` for one whose content is JSON. */
  style: string;
  explode: boolean;
};

/** One operation of an API: what the model sees of it, and where each argument goes. */
export type Operation = ToolSpec & {
  /** Upper case. */
  method: string;
  /** With `{names}` where path arguments go. */
  path: string;
  arguments: OperationArgument[];
  /** Media type of the body, where it has one. */
  bodyType?: string;
};

type Draft = Omit<OperationArgument, "name"> & { required: boolean; schema: JsonSchema };

const methods = ["get", "put", "post", "delete", "options", "head", "patch", "trace"];
const places = new Set(["path", "query", "header"]);
const queryStyles = new Set(["spaceDelimited", "pipeDelimited", "deepObject"]);
const longestDescription = 1000;

/**
 * Every operation of an OpenAPI 3.0 or 3.1 document, with its parameters and body merged into one JSON Schema. What
 * carries credentials (security schemes, `Authorization`, cookies) is never an argument, nor are the headers and
 * query parameters named in `given`. Throws `AttuneError` (input) for a document that does not hold together.
 */
export function readOperations(
  document: OpenApiDocument,
  { given = { headers: [], query: [] } }: { given?: { headers: string[]; query: string[] } } = {},
): Operation[] {
  checkDocument(document);
  const withheld = withheldFrom(document, given);
  const taken = new Set<string>();
  return Object.entries(document.paths ?? {}).flatMap(([path, value]) => {
    const item = resolved(document, value, `paths: "${path}"`);
    return methods.flatMap((method) => {
      if (item[method] === undefined) return [];
      const where = `${method.toUpperCase()} ${path}`;
      const operation = resolved(document, item[method], where);
      const read = readOperation(document, { operation, item, method, path, where, withheld });
      return [{ ...read, name: free(read.name, taken) }];
    });
  });
}

function readOperation(
  document: OpenApiDocument,
  {
    operation,
    item,
    method,
    path,
    where,
    withheld,
  }: {
    operation: Node;
    item: Node;
    method: string;
    path: string;
    where: string;
    withheld: (place: string, key: string) => boolean;
  },
): Operation {
  const reader = createSchemaReader(document);
  const parameters = parametersOf(document, { operation, item, reader, where }).filter(
    ({ place, key }) => !withheld(place, key),
  );
  for (const [, key] of path.matchAll(/\{([^{}]+)\}/g))
    if (!parameters.some((parameter) => parameter.place === "path" && parameter.key === key))
      throw new AttuneError("input", `OpenAPI document: ${where}: there is no parameter for {${key}}`);
  const body = bodyOf(document, { operation, reader, where });
  const drafts = [...parameters, ...body.drafts];
  const names = nameArguments(drafts);
  const required = drafts.flatMap((draft, index) => (draft.required ? [names[index]!] : []));
  const definitions = reader.definitions();
  const { summary, description, operationId } = operation as Record<string, string | undefined>;
  return {
    name: nameOf(operationId ?? [method, ...(path.match(/[A-Za-z0-9-]+/g) ?? [])].join("_")),
    description: [summary, description].filter(Boolean).join("\n").slice(0, longestDescription) || where,
    parameters: {
      type: "object",
      properties: Object.fromEntries(drafts.map(({ schema }, index) => [names[index]!, schema])),
      ...(required.length > 0 && { required }),
      additionalProperties: false,
      ...(Object.keys(definitions).length > 0 && { $defs: definitions }),
    },
    method: method.toUpperCase(),
    path,
    arguments: drafts.map(({ key, place, style, explode }, index) => ({
      name: names[index]!,
      key,
      place,
      style,
      explode,
    })),
    ...(body.type !== undefined && { bodyType: body.type }),
  };
}

/** Parameters of the operation and, where it does not say otherwise, of its path. */
function parametersOf(
  document: OpenApiDocument,
  { operation, item, reader, where }: { operation: Node; item: Node; reader: SchemaReader; where: string },
): Draft[] {
  const drafts = new Map<string, Draft>();
  for (const value of [...listOf(item.parameters), ...listOf(operation.parameters)]) {
    const parameter = resolved(document, value, `${where}: parameters`);
    const { name: key, in: place, required, description, content } = parameter;
    if (typeof key !== "string" || typeof place !== "string")
      throw new AttuneError(
        "input",
        `OpenAPI document: ${where}: got a parameter without \`name\` or \`in\``,
      );
    if (!places.has(place)) continue;
    const media = isNode(content) ? Object.values(content)[0] : undefined;
    const read = reader.read((isNode(media) ? media.schema : parameter.schema) ?? {});
    const usual = place === "query" ? "form" : "simple";
    const style = content ? "json" : typeof parameter.style === "string" ? parameter.style : usual;
    if (style !== "json" && style !== usual && !(place === "query" && queryStyles.has(style)))
      throw new AttuneError(
        "input",
        `OpenAPI document: ${where}: parameter "${key}": got style "${style}", expected ${usual}`,
      );
    drafts.set(`${place} ${key}`, {
      key,
      place: place as ArgumentPlace,
      style,
      explode: typeof parameter.explode === "boolean" ? parameter.explode : style === "form",
      required: required === true || place === "path",
      schema: { ...read, ...(typeof description === "string" && { description }) },
    });
  }
  return [...drafts.values()];
}

/** The body as arguments: its properties where it is a plain object that must be there, else itself. */
function bodyOf(
  document: OpenApiDocument,
  { operation, reader, where }: { operation: Node; reader: SchemaReader; where: string },
): { drafts: Draft[]; type?: string } {
  if (operation.requestBody === undefined) return { drafts: [] };
  const body = resolved(document, operation.requestBody, `${where}: requestBody`);
  const content = isNode(body.content) ? body.content : {};
  const types = Object.keys(content);
  const type =
    types.find((type) => /^application\/json\b/i.test(type)) ??
    types.find((type) => /\+json\b/i.test(type)) ??
    types.find((type) => /^application\/x-www-form-urlencoded\b/i.test(type)) ??
    types[0];
  if (type === undefined) return { drafts: [] };
  const media = content[type];
  const schema = reader.read((isNode(media) ? media.schema : undefined) ?? {});
  const shared = { style: "json", explode: false };
  const isRequired = body.required === true;
  if (!isPlainObject(schema) || (!isRequired && schema.required !== undefined)) {
    const described = typeof body.description === "string" && { description: body.description };
    const draft: Draft = { ...shared, key: "body", place: "body", required: isRequired, schema };
    return { drafts: [{ ...draft, schema: { ...schema, ...described } }], type };
  }
  const required = (schema.required ?? []) as string[];
  const drafts = Object.entries(schema.properties as Record<string, JsonSchema>).map(
    ([key, property]): Draft => ({
      ...shared,
      key,
      place: "body property",
      required: required.includes(key),
      schema: property,
    }),
  );
  return { drafts, type };
}

const plainKeywords = new Set([
  "type",
  "properties",
  "required",
  "title",
  "description",
  "additionalProperties",
]);

function isPlainObject(schema: JsonSchema): boolean {
  return (
    schema.type === "object" &&
    schema.properties !== undefined &&
    Object.keys(schema.properties as object).length > 0 &&
    (schema.additionalProperties === undefined || schema.additionalProperties === false) &&
    Object.keys(schema).every((keyword) => plainKeywords.has(keyword))
  );
}

/** Names for arguments: their own, or with their place where two would share one. */
function nameArguments(drafts: readonly Draft[]): string[] {
  const own = drafts.map(({ key }) => key.replace(/[^A-Za-z0-9_.-]/g, "_").slice(0, 64));
  const taken = new Set<string>();
  return drafts.map(({ place }, index) => {
    const name = own[index]!;
    const shared = own.filter((other) => other === name).length > 1;
    return free(shared ? `${name}_in_${place.split(" ")[0]}` : name, taken);
  });
}

function free(name: string, taken: Set<string>): string {
  let found = name;
  for (let count = 2; taken.has(found); count++) found = `${name.slice(0, 60)}_${count}`;
  taken.add(found);
  return found;
}

function nameOf(text: string): string {
  const name = text.replace(/[^A-Za-z0-9_-]+/g, "_").replace(/^_+|_+$/g, "");
  return name.slice(0, 64) || "operation";
}

const listOf = (value: unknown): unknown[] => (Array.isArray(value) ? value : []);
