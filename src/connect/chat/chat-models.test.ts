import { createServer, type IncomingHttpHeaders, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { createOpenAICompatible } from "@ai-sdk/openai-compatible";
import { afterEach, describe, expect, it } from "vitest";
import type { ChatRequest } from "../../spec/chat-model.ts";
import { aiSdkChatModel } from "./ai-sdk.ts";
import { openAiChatModel } from "./open-ai.ts";
import { retryAfterMs } from "./patience.ts";

type Seen = { body: Record<string, unknown>; headers: IncomingHttpHeaders };
type Reply = { status?: number; headers?: Record<string, string>; body: unknown };

const closing: (() => Promise<void>)[] = [];
afterEach(async () => {
  for (const close of closing.splice(0)) await close();
});

/** A server that speaks the protocol, as far as `answer` says. */
async function serve(answer: (count: number, seen: Seen) => Reply | undefined) {
  const seen: Seen[] = [];
  const attend = async (request: IncomingMessage, response: ServerResponse) => {
    const chunks: Buffer[] = [];
    for await (const chunk of request) chunks.push(chunk as Buffer);
    const each = {
      body: JSON.parse(Buffer.concat(chunks).toString("utf8")) as Record<string, unknown>,
      headers: request.headers,
    };
    seen.push(each);
    const reply = answer(seen.length, each);
    if (reply === undefined) return; // never answers
    response.writeHead(reply.status ?? 200, { "content-type": "application/json", ...reply.headers });
    response.end(typeof reply.body === "string" ? reply.body : JSON.stringify(reply.body));
  };
  const server = createServer((request, response) => void attend(request, response));
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  closing.push(async () => {
    server.closeAllConnections();
    await new Promise((resolve) => server.close(resolve));
  });
  return { seen, baseUrl: `http://127.0.0.1:${(server.address() as AddressInfo).port}/v1` };
}

const said = (message: unknown, extra = {}) => ({
  choices: [{ message, finish_reason: "stop", ...extra }],
  usage: { prompt_tokens: 12, completion_tokens: 3 },
});
const called = said(
  {
    role: "assistant",
    content: null,
    tool_calls: [
      { id: "a", type: "function", function: { name: "add", arguments: '{"x": 1.0, "y":2}' } },
      { id: "b", type: "function", function: { name: "add", arguments: "{broken" } },
    ],
  },
  { finish_reason: "tool_calls" },
);
const request: ChatRequest = {
  messages: [
    { role: "system", content: "Be brief." },
    { role: "user", content: "1 + 2?" },
  ],
  tools: [{ name: "add", description: "Adds.", parameters: { type: "object", properties: {} } }],
  temperature: 0,
  maxTokens: 50,
};
const quick = { firstDelayMs: 1, mostDelayMs: 2 };

describe("a model behind an OpenAI-compatible endpoint", () => {
  it("is sent messages and tools, and its calls keep the text of their arguments", async () => {
    const { seen, baseUrl } = await serve(() => ({ body: called }));
    const model = openAiChatModel({ baseUrl: `${baseUrl}/`, model: "m", key: "k", extra: { top_p: 1 } });
    const reply = await model.complete(request);
    expect(reply).toMatchObject({
      argumentTexts: ['{"x": 1.0, "y":2}', "{broken"],
      usage: { inputTokens: 12, outputTokens: 3 },
      message: {
        content: "",
        toolCalls: [
          { id: "a", arguments: { x: 1, y: 2 } },
          { id: "b", arguments: {} },
        ],
      },
    });
    expect(seen[0]?.headers.authorization).toBe("Bearer k");
    expect(seen[0]?.body).toMatchObject({
      model: "m",
      max_tokens: 50,
      temperature: 0,
      top_p: 1,
      tools: [{ type: "function", function: { name: "add" } }],
    });

    await model.complete({
      messages: [
        ...request.messages,
        reply.message,
        { role: "tool", callId: "a", name: "add", content: "3" },
      ],
    });
    expect((seen[1]!.body["messages"] as unknown[]).slice(2)).toEqual([
      {
        role: "assistant",
        content: null,
        tool_calls: [
          { id: "a", type: "function", function: { name: "add", arguments: '{"x": 1.0, "y":2}' } },
          { id: "b", type: "function", function: { name: "add", arguments: "{broken" } },
        ],
      },
      { role: "tool", tool_call_id: "a", content: "3" },
    ]);
  });

  it("gives text in parts, the thought, and why it ended", async () => {
    const message = { content: [{ type: "text", text: "th" }, { text: "ree" }], reasoning_content: "1+2" };
    const { baseUrl } = await serve(() => ({ body: { choices: [{ message, finish_reason: "length" }] } }));
    expect(await openAiChatModel({ baseUrl, model: "m" }).complete(request)).toEqual({
      message: { role: "assistant", content: "three" },
      argumentTexts: [],
      reasoning: "1+2",
      stopReason: "length",
      usage: null,
    });
  });

  it("is asked again while it is busy", async () => {
    const { seen, baseUrl } = await serve((count) =>
      count < 3
        ? { status: 429, headers: { "retry-after": "0" }, body: { error: { message: "slow" } } }
        : { body: called },
    );
    await openAiChatModel({ baseUrl, model: "m", patience: quick }).complete(request);
    expect(seen.length).toBe(3);
  });

  it("is given up when the wait it asks for passes the budget", async () => {
    const { seen, baseUrl } = await serve(() => ({
      status: 503,
      headers: { "retry-after": "3600" },
      body: { error: { message: "down\nfor today" } },
    }));
    const model = openAiChatModel({ baseUrl, model: "m", patience: { ...quick, budgetMs: 1000 } });
    await expect(model.complete(request)).rejects.toMatchObject({
      kind: "environment",
      message: `m at ${baseUrl}/chat/completions: 503: down for today`,
    });
    expect(seen.length).toBe(1);
  });

  it.each([
    [401, "usage"],
    [404, "usage"],
    [400, "engine"],
  ])("is not asked again after %i, which is a %s error", async (status, kind) => {
    const { seen, baseUrl } = await serve(() => ({ status, body: { error: { message: "no" } } }));
    const model = openAiChatModel({ baseUrl, model: "m", key: "secret", patience: quick });
    const failure = (await model.complete(request).catch((error: unknown) => error)) as Error;
    expect(failure).toMatchObject({ kind, message: expect.stringContaining(`${status}: no`) });
    expect(failure.message).not.toContain("secret");
    expect(seen.length).toBe(1);
  });

  it("says what came instead of a reply", async () => {
    const { baseUrl } = await serve(() => ({ body: { choices: [] } }));
    await expect(openAiChatModel({ baseUrl, model: "m" }).complete(request)).rejects.toThrow(
      'got {"choices":[]}, expected choices[0].message',
    );
    const broken = await serve(() => ({ body: "<html>" }));
    await expect(
      openAiChatModel({ baseUrl: broken.baseUrl, model: "m", patience: { ...quick, retries: 1 } }).complete(
        request,
      ),
    ).rejects.toThrow('got "<html>", expected JSON');
  });

  it("is not waited for where nothing listens, or where the address is none", async () => {
    const { baseUrl } = await serve(() => undefined);
    await closing.pop()?.();
    const model = openAiChatModel({ baseUrl, model: "m" });
    await expect(model.complete(request)).rejects.toMatchObject({ kind: "environment" });
    expect(() => openAiChatModel({ baseUrl: "localhost", model: "m" })).toThrow(/base URL: got "localhost"/);
  });

  it("stops when it is told to", async () => {
    const { baseUrl } = await serve(() => undefined);
    const controller = new AbortController();
    const reply = openAiChatModel({ baseUrl, model: "m" }).complete({
      ...request,
      signal: controller.signal,
    });
    controller.abort(new Error("enough"));
    await expect(reply).rejects.toThrow("enough");
  });
});

describe("a model of the AI SDK", () => {
  const open = (baseUrl: string) =>
    aiSdkChatModel(createOpenAICompatible({ name: "local", baseURL: baseUrl })("m"), {
      patience: quick,
    });

  it("is sent the conversation with its calls and results", async () => {
    const { seen, baseUrl } = await serve((count) =>
      count === 1 ? { body: called } : { body: said({ role: "assistant", content: "3" }) },
    );
    const model = open(baseUrl);
    expect(model.name).toBe("m");
    const reply = await model.complete(request);
    expect(reply).toMatchObject({
      argumentTexts: ['{"x": 1.0, "y":2}', "{broken"],
      usage: { inputTokens: 12, outputTokens: 3 },
      stopReason: "stop",
    });
    const next = await model.complete({
      messages: [
        ...request.messages,
        reply.message,
        { role: "tool", callId: "a", name: "add", content: "3" },
      ],
    });
    expect(next.message).toEqual({ role: "assistant", content: "3" });
    expect(seen[1]?.body["messages"]).toMatchObject([
      { role: "system", content: "Be brief." },
      { role: "user", content: "1 + 2?" },
      { role: "assistant", tool_calls: [{ id: "a" }, { id: "b" }] },
      { role: "tool", tool_call_id: "a", content: "3" },
    ]);
  });

  it("is asked again where the SDK says so, and refused where it does not", async () => {
    const busy = await serve((count) =>
      count === 1 ? { status: 503, body: { error: { message: "busy" } } } : { body: said({ content: "3" }) },
    );
    expect((await open(busy.baseUrl).complete(request)).message.content).toBe("3");
    const refused = await serve(() => ({ status: 401, body: { error: { message: "no key" } } }));
    await expect(open(refused.baseUrl).complete(request)).rejects.toMatchObject({
      kind: "usage",
      message: expect.stringContaining("401: no key"),
    });
    const long = await serve(() => ({ status: 400, body: { error: { message: "too long" } } }));
    await expect(open(long.baseUrl).complete(request)).rejects.toMatchObject({ kind: "engine" });
  });

  it("is of specification v2 or later", () => {
    const old = { specificationVersion: "v1", modelId: "m", doGenerate: async () => ({}) };
    expect(() => aiSdkChatModel(old)).toThrow("got specification v1, expected v2 or later");
  });
});

describe("the header retry-after", () => {
  it.each([
    ["2", 2000],
    ["Thu, 01 Jan 1970 00:00:05 GMT", 4000],
    ["Thu, 01 Jan 1970 00:00:00 GMT", 0],
    ["soon", undefined],
  ])("%s is %s ms", (text, expected) => {
    expect(retryAfterMs(new Headers({ "retry-after": text }), 1000)).toBe(expected);
  });
});
