import { AttuneError } from "../../spec/error.ts";
import type { Json, JsonObject } from "../../spec/json.ts";
import { ToolError } from "../../spec/tool.ts";
import type { Operation, OperationArgument } from "./operation.ts";

export type ApiRequest = { url: URL; method: string; headers: Headers; body?: string | FormData };

/** Where requests may go, and what the user adds to each: never seen by the model. */
export type ApiAccess = { base: URL; headers: Record<string, string>; query: Record<string, string> };

/** The base with a slash at its end. Throws `AttuneError` (usage) for one that requests cannot go to. */
export function readBase(baseUrl: string): URL {
  const base = URL.canParse(baseUrl) ? new URL(baseUrl) : undefined;
  const refuse = (expected: string): never => {
    throw new AttuneError("usage", `openApiTools: baseUrl: got "${baseUrl}", expected ${expected}`);
  };
  if (!base || !/^https?:$/.test(base.protocol)) return refuse("an absolute http or https URL");
  if (base.username || base.password) return refuse("one without a name or password: give them in `headers`");
  if (base.search || base.hash) return refuse("one without a query: give it in `query`");
  if (!base.pathname.endsWith("/")) base.pathname += "/";
  return base;
}

/** Whether an address is the base or below it. */
export const isWithin = (url: URL, base: URL): boolean =>
  url.origin === base.origin && url.pathname.startsWith(base.pathname);

/** Throws `ToolError` for arguments that fit the schema and yet cannot be sent. */
export function buildRequest(
  { method, path, arguments: places, bodyType }: Operation,
  given: JsonObject,
  { base, headers: ownHeaders, query: ownQuery }: ApiAccess,
): ApiRequest {
  const values = places.flatMap((place) =>
    Object.hasOwn(given, place.name) ? [{ ...place, value: given[place.name]! }] : [],
  );
  const of = (place: OperationArgument["place"]) => values.filter((argument) => argument.place === place);

  const filled = path.replace(/\{([^{}]+)\}/g, (_, key: string) => {
    const argument = of("path").find((argument) => argument.key === key)!;
    return inPath(argument);
  });
  const url = new URL(filled.replace(/^\/+/, ""), base);
  if (!isWithin(url, base)) throw new ToolError(`the address ${url.pathname} is not one of this API`);
  for (const argument of of("query"))
    for (const [key, value] of inQuery(argument)) url.searchParams.append(key, value);
  for (const [key, value] of Object.entries(ownQuery)) url.searchParams.set(key, value);

  const headers = new Headers({ accept: "application/json, text/*;q=0.9, */*;q=0.1" });
  for (const { name, key, style, value } of of("header")) {
    const text = style === "json" ? JSON.stringify(value) : flat(value).join(",");
    if (!/^[\t\x20-\x7e]*$/.test(text)) throw new ToolError(`${name}: expected plain characters on one line`);
    headers.set(key, text);
  }
  for (const [key, value] of Object.entries(ownHeaders)) headers.set(key, value);

  const whole = of("body")[0]?.value;
  const parts = of("body property").map(({ key, value }): [string, Json] => [key, value]);
  const hasParts = places.some(({ place }) => place === "body property");
  const content = hasParts ? Object.fromEntries(parts) : whole;
  if (bodyType === undefined || content === undefined) return { url, method, headers };
  const body = encodeBody(content, bodyType);
  // the boundary of a form is fetch's to choose
  if (typeof body === "string") headers.set("content-type", bodyType);
  return { url, method, headers, body };
}

type Given = OperationArgument & { value: Json };

function inPath({ name, style, explode, value }: Given): string {
  const parts = style === "json" ? [JSON.stringify(value)] : flat(value, explode ? "=" : ",");
  const text = parts.map((part) => encodeURIComponent(part)).join(",");
  // an address with these would mean another operation
  if (text === "" || text === "." || text === "..")
    throw new ToolError(`${name}: got "${text}", expected something that can stand in an address`);
  return text;
}

function inQuery({ key, style, explode, value }: Given): [string, string][] {
  if (style === "json") return [[key, JSON.stringify(value)]];
  if (style === "deepObject" && isPlain(value))
    return Object.entries(value).map(([part, inner]) => [`${key}[${part}]`, toText(inner)]);
  if (explode && Array.isArray(value)) return value.map((item) => [key, toText(item)]);
  if (explode && isPlain(value)) return Object.entries(value).map(([part, inner]) => [part, toText(inner)]);
  const separator = style === "spaceDelimited" ? " " : style === "pipeDelimited" ? "|" : ",";
  return [[key, flat(value).join(separator)]];
}

function encodeBody(content: Json, type: string): string | FormData {
  if (/^application\/x-www-form-urlencoded\b/i.test(type) && isPlain(content))
    return new URLSearchParams(fields(content)).toString();
  if (/^multipart\/form-data\b/i.test(type) && isPlain(content)) {
    const form = new FormData();
    for (const [key, value] of fields(content)) form.append(key, value);
    return form;
  }
  if (!/json\b/i.test(type) && typeof content === "string") return content;
  return JSON.stringify(content);
}

const fields = (content: JsonObject): [string, string][] =>
  Object.entries(content).flatMap(([key, value]) =>
    (Array.isArray(value) ? value : [value]).map((item): [string, string] => [key, toText(item)]),
  );

/** A value as parts of a list; the names and values of an object one after the other, or joined. */
function flat(value: Json, join = ","): string[] {
  if (Array.isArray(value)) return value.map(toText);
  if (!isPlain(value)) return [toText(value)];
  return Object.entries(value).flatMap(([key, inner]) =>
    join === "=" ? [`${key}=${toText(inner)}`] : [key, toText(inner)],
  );
}

const toText = (value: Json): string => (typeof value === "string" ? value : JSON.stringify(value));

const isPlain = (value: Json): value is JsonObject =>
  typeof value === "object" && value !== null && !Array.isArray(value);
