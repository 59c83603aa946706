import { AttuneError } from "../../spec/error.ts";

/** An OpenAPI 3.0 or 3.1 document as parsed from JSON. Nothing in it is believed before it is looked at. */
export type OpenApiDocument = { openapi: string; paths?: object; [field: string]: unknown };

export type Node = { [field: string]: unknown };

/** A pointer that leads to a pointer, and so on, is followed this far. */
const longestChain = 50;

/** Throws `AttuneError` (input) for what is not an OpenAPI 3.0 or 3.1 document. */
export function checkDocument(document: OpenApiDocument): void {
  const { openapi, swagger } = (document ?? {}) as Node;
  if (typeof openapi === "string" && /^3\.[01](\.\d+)?$/.test(openapi)) return;
  const got =
    typeof openapi === "string" ? `version ${openapi}` : swagger ? "Swagger 2.0" : "no version of OpenAPI";
  throw new AttuneError("input", `OpenAPI document: got ${got}, expected version 3.0 or 3.1`);
}

/** Whether schemas are of the 3.0 dialect, which is not quite JSON Schema. */
export const isVersion30 = (document: OpenApiDocument): boolean => document.openapi.startsWith("3.0");

/** What stands at a local pointer such as `#/components/schemas/Order`. Throws `AttuneError` (input). */
export function at(document: OpenApiDocument, pointer: string): unknown {
  if (!pointer.startsWith("#"))
    throw new AttuneError(
      "input",
      `OpenAPI document: $ref "${pointer}": expected one into the same document`,
    );
  let value: unknown = document;
  for (const part of pointer.slice(1).split("/").slice(1)) {
    const key = decoded(part).replaceAll("~1", "/").replaceAll("~0", "~");
    if (typeof value !== "object" || value === null || !Object.hasOwn(value, key))
      throw new AttuneError("input", `OpenAPI document: $ref "${pointer}": there is no "${key}"`);
    value = (value as Node)[key];
  }
  return value;
}

/** The object meant, whether it stands here or is pointed to. Throws `AttuneError` (input). */
export function resolved(document: OpenApiDocument, value: unknown, where: string): Node {
  let node = value;
  for (let hops = 0; hops <= longestChain; hops++) {
    if (!isNode(node))
      throw new AttuneError("input", `OpenAPI document: ${where}: got ${nameOf(node)}, expected an object`);
    if (typeof node.$ref !== "string") return node;
    node = at(document, node.$ref);
  }
  throw new AttuneError("input", `OpenAPI document: ${where}: $refs that only lead to each other`);
}

export const isNode = (value: unknown): value is Node =>
  typeof value === "object" && value !== null && !Array.isArray(value);

const nameOf = (value: unknown) => (value === null ? "null" : Array.isArray(value) ? "a list" : typeof value);

function decoded(part: string): string {
  try {
    return decodeURIComponent(part);
  } catch {
    return part;
  }
}
