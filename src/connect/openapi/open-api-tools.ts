import { tool } from "../../environment/tool.ts";
import { AttuneError } from "../../spec/error.ts";
import type { JsonObject } from "../../spec/json.ts";
import { type Tool, ToolError } from "../../spec/tool.ts";
import { checkDocument, isNode, type OpenApiDocument } from "./document.ts";
import { type Operation, readOperations } from "./operation.ts";
import { buildRequest, readBase } from "./request.ts";
import { type ApiResponse, send } from "./response.ts";

export type OpenApiToolsOptions = {
  /** Where requests go, and nowhere else; the document's first server when absent. */
  baseUrl?: string;
  /** Sent with every request, and never an argument: the place for credentials. */
  headers?: Record<string, string>;
  /** Added to every address, and never an argument. */
  query?: Record<string, string>;
  /** Names of the operations to offer, in this order; all when absent. */
  only?: readonly string[];
  /** Put before every tool's name. */
  prefix?: string;
  timeoutMs?: number;
  /** Characters of a response that are shown; the rest is cut and said to be cut. */
  responseCharacters?: number;
  /** Bytes of a response that are read. */
  maxResponseBytes?: number;
  /**
   * Whose failure a response of status 400 or above is. By default the policy's for 4xx, which it is shown, except
   * 408 and 429, which like 5xx are the world's.
   */
  blame?: (failure: ApiResponse & { name: string }) => "policy" | "world";
};

/**
 * The operations of an OpenAPI 3.0 or 3.1 document as tools: arguments are checked against one schema before
 * anything is sent. Throws `AttuneError`: `input` for the document, `usage` for the options.
 */
export function openApiTools(document: OpenApiDocument, options: OpenApiToolsOptions = {}): Tool[] {
  checkDocument(document);
  const { headers = {}, query = {}, only, prefix = "", timeoutMs, blame = blameByStatus } = options;
  const { responseCharacters = 8000, maxResponseBytes = 1 << 20 } = options;
  for (const [name, value] of Object.entries({ responseCharacters, maxResponseBytes }))
    if (!Number.isInteger(value) || value < 1)
      throw new AttuneError("usage", `openApiTools: ${name}: expected a whole number above 0, got ${value}`);
  const operations = pick(
    operationsOf(document, { headers: Object.keys(headers), query: Object.keys(query) }),
    only,
  );
  const base = readBase(options.baseUrl ?? firstServer(document));
  return operations.map((operation) =>
    tool<JsonObject>({
      name: `${prefix}${operation.name}`,
      description: operation.description,
      input: operation.parameters,
      ...(timeoutMs !== undefined && { timeoutMs }),
      async execute(given, { signal }) {
        const { name } = operation;
        const request = buildRequest(operation, given, { base, headers, query });
        const response = await send(request, { name, base, maxBytes: maxResponseBytes, signal });
        const { status } = response;
        const text = cut(response.text, responseCharacters);
        if (status >= 200 && status < 300) return text || `ok (${status})`;
        if (status >= 400 && blame({ ...response, name }) === "policy")
          throw new ToolError(text ? `${status}: ${text}` : String(status));
        const said = text ? `: ${cut(text.replaceAll(/\s+/g, " "), 200)}` : "";
        throw new AttuneError("environment", `tool "${name}": the server answered ${status}${said}`);
      },
    }),
  );
}

function blameByStatus({ status }: ApiResponse): "policy" | "world" {
  return status < 500 && status !== 408 && status !== 429 ? "policy" : "world";
}

/** Read once for a document and what the user gives: sessions make their tools anew. */
const known = new WeakMap<OpenApiDocument, Map<string, Operation[]>>();

function operationsOf(document: OpenApiDocument, given: { headers: string[]; query: string[] }): Operation[] {
  const read = known.get(document) ?? new Map<string, Operation[]>();
  known.set(document, read);
  const key = JSON.stringify(given);
  const operations = read.get(key) ?? readOperations(document, { given });
  read.set(key, operations);
  return operations;
}

function pick(operations: Operation[], only: readonly string[] | undefined): Operation[] {
  return (
    only?.map((name) => {
      const found = operations.find((operation) => operation.name === name);
      if (found) return found;
      const names = operations.map((operation) => operation.name).join(", ");
      throw new AttuneError(
        "usage",
        `openApiTools: only: there is no operation "${name}"; there are ${names}`,
      );
    }) ?? operations
  );
}

function firstServer({ servers }: OpenApiDocument): string {
  const [first] = Array.isArray(servers) ? (servers as unknown[]) : [];
  const url = isNode(first) ? first.url : undefined;
  if (typeof url === "string" && URL.canParse(url)) return url;
  throw new AttuneError(
    "usage",
    "openApiTools: baseUrl: the document names no whole one, so it must be given",
  );
}

function cut(text: string, characters: number): string {
  if (text.length <= characters) return text;
  const kept = text.slice(0, characters).replace(/[\uD800-\uDBFF]$/, "");
  return `${kept}… (${text.length - kept.length} more characters)`;
}
