import { createServer, type IncomingHttpHeaders, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import type { JsonObject } from "../../spec/json.ts";
import { type Tool, ToolError } from "../../spec/tool.ts";
import type { OpenApiDocument } from "./document.ts";
import { type OpenApiToolsOptions, openApiTools } from "./open-api-tools.ts";

type Seen = { method: string; url: string; headers: IncomingHttpHeaders; body: string };

let server: Server;
let baseUrl: string;
let seen: Seen[] = [];
let next: { status?: number; headers?: Record<string, string>; body?: string | Buffer; hang?: boolean } = {};

beforeAll(async () => {
  server = createServer((request, response) => {
    const chunks: Buffer[] = [];
    request.on("data", (chunk: Buffer) => chunks.push(chunk));
    request.on("end", () => {
      const { method, url, headers } = request;
      seen.push({ method: method!, url: url!, headers, body: Buffer.concat(chunks).toString("utf8") });
      const { status = 200, headers: sent = {}, body = '{"ok":true}', hang } = next;
      // only the first answer is special, so that redirects arrive somewhere
      next = {};
      if (hang) return;
      response.writeHead(status, { "content-type": "application/json", ...sent });
      response.end(status === 204 ? undefined : body);
    });
  });
  await new Promise<void>((resolve) => {
    server.listen(0, "127.0.0.1", resolve);
  });
  baseUrl = `http://127.0.0.1:${(server.address() as AddressInfo).port}/api/v1`;
});
beforeEach(() => {
  seen = [];
  next = {};
});
afterAll(() => {
  server.closeAllConnections();
  server.close();
});

const documentOf = (paths: object, more: object = {}, openapi = "3.1.0"): OpenApiDocument => ({
  openapi,
  info: { title: "test", version: "1" },
  paths,
  ...more,
});

const toolsOf = (
  paths: object,
  { more, openapi, ...options }: OpenApiToolsOptions & { more?: object; openapi?: string } = {},
) => openApiTools(documentOf(paths, more, openapi), { baseUrl, ...options });

async function run(tool: Tool | undefined, given: JsonObject, signal = new AbortController().signal) {
  const checked = await tool!.check(given);
  if (!checked.ok) throw new Error(`refused: ${checked.issues}`);
  return tool!.execute(checked.value, { signal });
}

const text = { type: "string" };
const parameter = (name: string, place: string, more: object = {}) => ({
  name,
  in: place,
  schema: text,
  ...more,
});
const json = (schema: object, required = true) => ({ required, content: { "application/json": { schema } } });

describe("what the model sees", () => {
  it("names tools after operationId, or after method and path, and never twice", () => {
    const tools = toolsOf({
      "/pets/{id}": {
        parameters: [parameter("id", "path", { required: true })],
        get: { summary: "One pet.", description: "By its id." },
        put: { operationId: "pets.replace/one" },
        delete: { operationId: "pets_replace_one" },
      },
    });
    expect(tools.map(({ name }) => name)).toEqual(["get_pets_id", "pets_replace_one", "pets_replace_one_2"]);
    expect(tools[0]).toMatchObject({ description: "One pet.\nBy its id." });
    expect(tools[1]!.description).toBe("PUT /pets/{id}");
  });

  it("merges path, query, header and body into one schema, with places in the names that two would share", () => {
    const [tool] = toolsOf({
      "/users/{id}/pets": {
        parameters: [parameter("id", "path", { required: true }), parameter("limit", "query")],
        post: {
          parameters: [
            parameter("limit", "query", { schema: { type: "integer" }, description: "how many" }),
            parameter("id", "query"),
            parameter("X-Trace", "header"),
            parameter("filter[kind]", "query"),
          ],
          requestBody: json({
            type: "object",
            required: ["id", "name"],
            properties: { id: text, name: text, tag: text, created: { type: "string", readOnly: true } },
          }),
        },
      },
    });
    expect(tool!.parameters).toEqual({
      type: "object",
      properties: {
        id_in_path: text,
        limit: { type: "integer", description: "how many" },
        id_in_query: text,
        "X-Trace": text,
        filter_kind_: text,
        id_in_body: text,
        name: text,
        tag: text,
      },
      required: ["id_in_path", "id_in_body", "name"],
      additionalProperties: false,
    });
  });

  it("keeps bodies whole that are not plain objects, or need not be there", () => {
    const list = { type: "array", items: { type: "integer" } };
    const half = { type: "object", required: ["a"], properties: { a: text } };
    const tools = toolsOf({
      "/a": { post: { requestBody: json(list) }, put: { requestBody: json(half, false) } },
      "/b": { post: { requestBody: json({ allOf: [half] }) } },
    });
    expect(tools.map(({ parameters }) => [parameters.properties, parameters.required])).toEqual([
      [{ body: half }, undefined],
      [{ body: list }, ["body"]],
      [{ body: { allOf: [half] } }, ["body"]],
    ]);
  });

  it("follows $refs in the document, also those that lead back to themselves", async () => {
    const [tool] = toolsOf(
      { "/trees": { $ref: "#/components/pathItems/trees" } },
      {
        more: {
          components: {
            pathItems: {
              trees: {
                post: { operationId: "plant", requestBody: { $ref: "#/components/requestBodies/tree" } },
              },
            },
            requestBodies: { tree: json({ $ref: "#/components/schemas/a~1tree" }) },
            schemas: {
              "a/tree": {
                type: "object",
                required: ["name"],
                properties: {
                  name: text,
                  children: { type: "array", items: { $ref: "#/components/schemas/a~1tree" } },
                },
              },
            },
          },
        },
      },
    );
    expect(Object.keys(tool!.parameters.$defs as object)).toEqual(["a_1tree"]);
    expect(await tool!.check({ name: "oak", children: [{ name: "twig", children: [] }] })).toMatchObject({
      ok: true,
    });
    expect(await tool!.check({ name: "oak", children: [{ children: [] }] })).toEqual({
      ok: false,
      issues: "arguments/children/0 must have required property 'name'",
    });
  });

  it("reads the dialect of 3.0: nullable types and exclusive bounds", async () => {
    const schema = {
      type: "object",
      properties: {
        kind: { type: "string", enum: ["a"], nullable: true },
        size: { type: "number", minimum: 0, exclusiveMinimum: true, maximum: 5, exclusiveMaximum: false },
        part: { nullable: true, allOf: [{ type: "integer" }] },
      },
    };
    const [tool] = toolsOf({ "/a": { post: { requestBody: json(schema) } } }, { openapi: "3.0.3" });
    expect(tool!.parameters.properties).toEqual({
      kind: { type: ["string", "null"], enum: ["a", null] },
      size: { type: "number", exclusiveMinimum: 0, maximum: 5 },
      part: { anyOf: [{ allOf: [{ type: "integer" }] }, { type: "null" }] },
    });
    expect(await tool!.check({ kind: null, size: 5, part: null })).toMatchObject({ ok: true });
    expect(await tool!.check({ size: 0 })).toMatchObject({ ok: false });
  });

  it("never offers what carries credentials, nor what the user gives", () => {
    const [tool] = toolsOf(
      {
        "/a": {
          get: {
            parameters: [
              parameter("Authorization", "header"),
              parameter("session", "cookie"),
              parameter("X-Key", "header"),
              parameter("key", "query"),
              parameter("Tenant", "header", { required: true }),
              parameter("version", "query"),
              parameter("q", "query"),
            ],
          },
        },
      },
      {
        headers: { tenant: "t1" },
        query: { version: "2" },
        more: {
          components: {
            securitySchemes: {
              one: { type: "apiKey", in: "header", name: "x-key" },
              two: { type: "apiKey", in: "query", name: "key" },
            },
          },
        },
      },
    );
    expect(tool!.parameters).toEqual({
      type: "object",
      properties: { q: text },
      additionalProperties: false,
    });
  });
});

describe("what is sent", () => {
  it("puts every argument in its place, and the user's headers and query beside them", async () => {
    const [tool] = toolsOf(
      {
        "/users/{id}/pets": {
          post: {
            parameters: [
              parameter("id", "path", { required: true }),
              parameter("tags", "query", { schema: { type: "array", items: text } }),
              parameter("ids", "query", { schema: { type: "array", items: text }, explode: false }),
              parameter("filter", "query", { schema: { type: "object" }, style: "deepObject" }),
              parameter("where", "query", {
                schema: undefined,
                content: { "application/json": { schema: {} } },
              }),
              parameter("X-Trace", "header"),
            ],
            requestBody: json({ type: "object", properties: { name: text, age: { type: "integer" } } }),
          },
        },
      },
      { headers: { authorization: "Bearer secret" }, query: { version: "2" }, prefix: "pets_" },
    );
    expect(tool!.name).toBe("pets_post_users_id_pets");
    const given = {
      id: "a/b ?#",
      tags: ["x", "y z"],
      ids: ["1", "2"],
      filter: { kind: "cat" },
      where: { a: [1] },
      "X-Trace": "t",
      name: "Tom",
      age: 3,
    };
    expect(await run(tool, given)).toBe('{"ok":true}');
    const [{ method, url, headers, body }] = seen as [Seen];
    expect(method).toBe("POST");
    const { pathname, searchParams } = new URL(url, baseUrl);
    expect(pathname).toBe("/api/v1/users/a%2Fb%20%3F%23/pets");
    expect([...searchParams]).toEqual([
      ["tags", "x"],
      ["tags", "y z"],
      ["ids", "1,2"],
      ["filter[kind]", "cat"],
      ["where", '{"a":[1]}'],
      ["version", "2"],
    ]);
    expect(headers).toMatchObject({
      authorization: "Bearer secret",
      "x-trace": "t",
      "content-type": "application/json",
    });
    expect(JSON.parse(body)).toEqual({ name: "Tom", age: 3 });
  });

  it("encodes forms, and sends no body where there is none", async () => {
    const form = (type: string) => ({
      requestBody: {
        required: true,
        content: { [type]: { schema: { type: "object", properties: { a: text, b: text } } } },
      },
    });
    const [urlencoded, multipart, plain, none] = toolsOf({
      "/a": { post: form("application/x-www-form-urlencoded") },
      "/b": { post: form("multipart/form-data") },
      "/c": { post: { requestBody: { content: { "text/plain": { schema: text } } } } },
      "/d": { get: {} },
    });
    await run(urlencoded, { a: "1&2", b: "ü" });
    await run(multipart, { a: "1" });
    await run(plain, { body: "hello" });
    await run(none, {});
    expect(seen.map(({ headers }) => headers["content-type"]?.split(";")[0])).toEqual([
      "application/x-www-form-urlencoded",
      "multipart/form-data",
      "text/plain",
      undefined,
    ]);
    expect(seen[0]!.body).toBe("a=1%262&b=%C3%BC");
    expect(seen[1]!.body).toContain('name="a"\r\n\r\n1');
    expect([seen[2]!.body, seen[3]!.body]).toEqual(["hello", ""]);
  });

  it("sends nothing for arguments that do not fit, or that would lead to another operation", async () => {
    const [tool] = toolsOf({
      "/a/{id}/b": {
        get: {
          parameters: [
            parameter("id", "path", { required: true }),
            parameter("n", "query", { schema: { type: "integer", maximum: 5 } }),
            parameter("X-Trace", "header"),
          ],
        },
      },
    });
    expect(await tool!.check({ n: 9, colour: "red" })).toEqual({
      ok: false,
      issues: expect.stringMatching(/required property 'id'.*additional properties.*must be <= 5/),
    });
    for (const id of ["..", ".", ""]) await expect(run(tool, { id })).rejects.toThrow(ToolError);
    await expect(run(tool, { id: "1", "X-Trace": "a\r\nevil: 1" })).rejects.toThrow(ToolError);
    expect(seen).toEqual([]);
    await run(tool, { id: "%2e%2e" });
    expect(seen[0]!.url).toBe("/api/v1/a/%252e%252e/b");
  });
});

describe("what comes back", () => {
  const get = (options: OpenApiToolsOptions = {}) => toolsOf({ "/a": { get: {} } }, options)[0];

  it("cuts long responses, says what is not text, and says ok where there is nothing", async () => {
    next = { body: "x".repeat(50) };
    expect(await run(get({ responseCharacters: 20 }), {})).toBe(`${"x".repeat(20)}… (30 more characters)`);
    next = { body: "x".repeat(500_000) };
    expect(await run(get({ maxResponseBytes: 1000 }), {})).toBe(
      `${"x".repeat(1000)}… (more than 1000 bytes)`,
    );
    next = { body: Buffer.from([1, 2, 3]), headers: { "content-type": "image/png" } };
    expect(await run(get(), {})).toBe("[image/png, 3 bytes, not shown]");
    next = { status: 204 };
    expect(await run(get(), {})).toBe("ok (204)");
  });

  it("shows the policy what it did wrong, and blames the world for the rest", async () => {
    next = { status: 422, body: '{"error":"no such colour"}' };
    await expect(run(get(), {})).rejects.toThrow(new ToolError('422: {"error":"no such colour"}'));
    for (const status of [500, 503, 429, 408]) {
      next = { status, body: "not\nnow" };
      await expect(run(get(), {})).rejects.toMatchObject({
        kind: "environment",
        message: `tool "get_a": the server answered ${status}: not now`,
      });
    }
    next = { status: 500, body: "" };
    await expect(run(get({ blame: () => "policy" }), {})).rejects.toThrow(new ToolError("500"));
    next = { status: 404 };
    await expect(run(get({ blame: () => "world" }), {})).rejects.toMatchObject({ kind: "environment" });
  });

  it("blames the world for a server that is not there or goes away, and stops when told to", async () => {
    const [gone] = openApiTools(documentOf({ "/a": { get: {} } }), { baseUrl: "http://127.0.0.1:1" });
    await expect(run(gone, {})).rejects.toMatchObject({ kind: "environment" });
    next = { hang: true };
    const controller = new AbortController();
    const waiting = run(get(), {}, controller.signal);
    setTimeout(() => controller.abort(new Error("stopped")), 20);
    await expect(waiting).rejects.toThrow("stopped");
  });

  it("follows redirects inside the API and no others", async () => {
    const answered = get({ headers: { authorization: "secret" } });
    next = { status: 307, headers: { location: "/api/v1/b" } };
    expect(await run(answered, {})).toBe('{"ok":true}');
    expect(seen.map(({ url }) => url)).toEqual(["/api/v1/a", "/api/v1/b"]);
    seen = [];
    for (const location of ["/admin", baseUrl.replace("127.0.0.1", "localhost"), "//example.org/api/v1/"]) {
      next = { status: 302, headers: { location } };
      await expect(run(answered, {})).rejects.toThrow(/redirected to .*, outside/);
    }
    expect(seen.map(({ url }) => url)).toEqual(["/api/v1/a", "/api/v1/a", "/api/v1/a"]);
  });

  it("turns a post into a get where the redirect says so", async () => {
    const [post] = toolsOf({
      "/a": { post: { requestBody: json({ type: "object", properties: { n: text } }) } },
    });
    next = { status: 303, headers: { location: "b" } };
    await run(post, { n: "1" });
    expect(seen.map(({ method, body }) => [method, body])).toEqual([
      ["POST", '{"n":"1"}'],
      ["GET", ""],
    ]);
    next = { status: 308, headers: { location: "b" } };
    await run(post, { n: "1" });
    expect(seen.at(-1)).toMatchObject({ method: "POST", body: '{"n":"1"}' });
  });
});

describe("mistakes that are told before anything is sent", () => {
  const paths = { "/a/{id}": { get: { parameters: [parameter("id", "path", { required: true })] } } };

  it.each([
    ["another version", { swagger: "2.0" }, "got Swagger 2.0, expected version 3.0 or 3.1"],
    [
      "a $ref to elsewhere",
      documentOf({ "/a": { $ref: "other.json#/a" } }),
      '$ref "other.json#/a": expected one into',
    ],
    ["a $ref to nothing", documentOf({ "/a": { $ref: "#/b" } }), '$ref "#/b": there is no "b"'],
    [
      "$refs in a circle",
      documentOf({ "/a": { $ref: "#/x" } }, { x: { $ref: "#/y" }, y: { $ref: "#/x" } }),
      "$refs that only lead to each other",
    ],
    ["a path without its parameter", documentOf({ "/a/{id}": { get: {} } }), "no parameter for {id}"],
    [
      "a style it cannot write",
      documentOf({ "/{id}": { get: { parameters: [parameter("id", "path", { style: "matrix" })] } } }),
      'parameter "id": got style "matrix", expected simple',
    ],
    [
      "no address",
      documentOf(paths, { servers: [{ url: "/v1" }] }),
      "baseUrl: the document names no whole one",
    ],
  ])("%s", (_name, document, message) => {
    expect(() => openApiTools(document as unknown as OpenApiDocument)).toThrow(message);
  });

  it.each([
    [{ baseUrl: "ftp://a" }, 'baseUrl: got "ftp://a", expected an absolute http or https URL'],
    [{ baseUrl: "http://me:pw@a" }, "expected one without a name or password"],
    [{ only: ["nothing"] }, 'only: there is no operation "nothing"; there are get_a_id'],
    [{ responseCharacters: 0 }, "responseCharacters: expected a whole number above 0, got 0"],
  ])("%o", (options, message) => {
    expect(() => openApiTools(documentOf(paths), { baseUrl: "http://a", ...options })).toThrow(message);
  });
});
