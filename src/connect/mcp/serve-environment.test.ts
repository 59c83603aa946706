import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { Client, StreamableHTTPClientTransport } from "@modelcontextprotocol/client";
import { StdioClientTransport } from "@modelcontextprotocol/client/stdio";
import { Client as EarlierClient } from "@modelcontextprotocol/sdk/client/index.js";
import { StreamableHTTPClientTransport as EarlierTransport } from "@modelcontextprotocol/sdk/client/streamableHttp.js";
import { afterEach, describe, expect, it } from "vitest";
import { z } from "zod";
import { defineEnvironment } from "../../environment/define-environment.ts";
import { toTask } from "../../environment/task.ts";
import { tool } from "../../environment/tool.ts";
import { correct } from "../../reward/components.ts";
import type { Environment, Session } from "../../spec/environment.ts";
import { ToolError } from "../../spec/tool.ts";
import { mcpTools } from "./mcp-tools.ts";
import { type ServeEnvironmentOptions, serveEnvironment } from "./serve-environment.ts";
import type { ServedResult } from "./served-session.ts";

const undo: (() => unknown)[] = [];
afterEach(async () => {
  for (const step of undo.splice(0).toReversed()) await step();
});

/** A safe that opens with the number told; `opened` and `closed` count sessions. */
function safe({ respond, tools = [] }: Partial<Session> = {}) {
  const counts = { opened: 0, closed: 0 };
  const environment: Environment = defineEnvironment({
    name: "safe",
    description: "Open the safe.",
    *tasks({ split, seed }) {
      for (let index = 0; index < 3; index++)
        yield toTask({
          environment: "safe",
          kind: "safe",
          split,
          input: { code: `${split}-${seed}-${index}` },
          answer: `gold ${seed}`,
        });
    },
    start({ input, answer }) {
      counts.opened++;
      let tries = 0;
      const { code } = input;
      return {
        messages: [
          { role: "system", content: "Open the safe and say what is inside." },
          { role: "user", content: `The code is ${code}.` },
        ],
        tools: [
          tool({
            name: "dial",
            description: "Dials a code.",
            input: z.object({ code: z.string() }),
            async execute({ code: given }, { signal }) {
              tries++;
              if (given === "jam") throw new Error("the dial is stuck");
              if (given === "slow") await delay(10_000, undefined, { signal });
              if (given !== code) throw new ToolError("it stays shut");
              return `inside: ${answer as string} after ${tries}`;
            },
          }),
          ...tools,
        ],
        ...(respond && { respond }),
        close: () => void counts.closed++,
      };
    },
    rewards: { correct: correct() },
    limits: { turns: 4 },
  });
  return { environment, counts };
}

async function serve(environment: Environment, options: ServeEnvironmentOptions = {}) {
  const results: ServedResult[] = [];
  const server = await serveEnvironment(environment, {
    port: 0,
    onResult: (result) => results.push(result),
    ...options,
  });
  undo.push(() => server.close());
  return { server, results };
}

type Reach = { url: string; headers?: Record<string, string> };

/** Official clients of either generation, each with the era it ends up with. */
const clients = {
  "the client of SDK 1.x": async ({ url, headers = {} }: Reach) => {
    const client = new EarlierClient({ name: "test", version: "1" });
    const transport = new EarlierTransport(new URL(url), { requestInit: { headers } });
    await client.connect(transport as unknown as Parameters<typeof client.connect>[0]);
    undo.push(() => client.close());
    return { client: client as unknown as Client, leave: () => transport.terminateSession() };
  },
  "the client of 2.x, negotiating": (reach: Reach) => connect2(reach, "auto"),
  "the client of 2.x, in the earlier era": (reach: Reach) => connect2(reach, "legacy"),
  "the client of 2.x, in the current era": ({ url, headers }: Reach) => {
    const named = new URL(url);
    named.searchParams.set("session", `test-${Math.random()}`);
    return connect2({ url: named.href, ...(headers && { headers }) }, { pin: "2026-07-28" });
  },
};

async function connect2({ url, headers = {} }: Reach, mode: "auto" | "legacy" | { pin: string }) {
  const client = new Client({ name: "test", version: "1" }, { versionNegotiation: { mode } });
  const transport = new StreamableHTTPClientTransport(new URL(url), { requestInit: { headers } });
  await client.connect(transport);
  undo.push(() => client.close());
  return { client, leave: () => transport.terminateSession() };
}

type Shown = { content: { text: string }[]; isError?: boolean; structuredContent?: unknown };
const call = async (client: Client, name: string, given: Record<string, unknown>) => {
  const result = (await client.callTool({ name, arguments: given })) as unknown as Shown;
  return { ...result, text: result.content.map(({ text }) => text).join("\n") };
};

describe.each(Object.entries(clients))("%s", (name, connect) => {
  it("gets the task, uses the tools, answers, and is told what it earned", async () => {
    const { environment, counts } = safe();
    const { server, results } = await serve(environment, { split: "test", seed: 3 });
    const { client } = await connect({ url: server.url });
    if (name.includes("negotiating")) expect(client.getProtocolEra()).toBe("legacy");
    if (name.includes("current")) expect(client.getProtocolEra()).toBe("modern");
    expect(client.getInstructions()).toContain('Get the prompt "task"');
    expect(client.getServerVersion()).toMatchObject({ name: "safe" });

    const { prompts } = await client.listPrompts();
    expect(prompts.map((prompt) => prompt.name)).toEqual(["task"]);
    const { messages } = await client.getPrompt({ name: "task" });
    expect(messages).toEqual([
      { role: "user", content: { type: "text", text: "Open the safe and say what is inside." } },
      { role: "user", content: { type: "text", text: "The code is test-3-0." } },
    ]);
    const { resources } = await client.listResources();
    expect(resources.map(({ uri }) => uri)).toEqual(["attune://task", "attune://result"]);
    const read = async (uri: string) =>
      JSON.parse(((await client.readResource({ uri })).contents[0] as { text: string }).text) as unknown;
    expect(await read("attune://task")).toMatchObject([{ role: "system" }, { role: "user" }]);
    expect(await read("attune://result")).toEqual({ status: "running" });

    const { tools } = await client.listTools();
    expect(tools.map((tool) => tool.name)).toEqual(["dial", "submit_answer"]);
    expect(tools[0]!.inputSchema).toMatchObject({ type: "object", required: ["code"] });
    expect(await call(client, "dial", {})).toMatchObject({
      isError: true,
      text: expect.stringMatching(/^code/),
    });
    expect(await call(client, "dial", { code: "0" })).toMatchObject({
      isError: true,
      text: "it stays shut",
    });
    expect((await call(client, "dial", { code: "test-3-0" })).text).toBe("inside: gold 3 after 2");
    const grade = { status: "completed", reward: 1, rewards: { correct: 1 } };
    const said = await call(client, "submit_answer", { answer: "<answer>gold 3</answer>" });
    expect(said.text).toBe(`the episode is over: ${JSON.stringify(grade)}`);
    expect(said.structuredContent).toEqual(grade);
    expect(await read("attune://result")).toEqual(grade);
    expect(await call(client, "dial", { code: "0" })).toMatchObject({ isError: true });
    expect(results).toMatchObject([{ grade, task: { split: "test" } }]);
    await server.close();
    expect(counts).toEqual({ opened: 2, closed: 2 });
  });

  it("is let in with the key and not without it", async () => {
    const { server } = await serve(safe().environment, { key: "sesame" });
    await expect(connect({ url: server.url })).rejects.toThrow();
    await expect(connect({ url: server.url, headers: { authorization: "Bearer thyme" } })).rejects.toThrow();
    expect(server.sessions).toBe(0);
    const { client } = await connect({ url: server.url, headers: { authorization: "Bearer sesame" } });
    expect((await client.listTools()).tools.length).toBe(2);
  });

  it("is told when there is no room", async () => {
    const { server } = await serve(safe().environment, { capacity: 1 });
    await connect({ url: server.url });
    await expect(connect({ url: server.url })).rejects.toThrow(/no room: 1 of 1 sessions are open|503/);
    expect(server.sessions).toBe(1);
  });

  it("finds the world's failures to be errors of the protocol, after which the episode is over", async () => {
    const { environment, counts } = safe();
    const { server, results } = await serve(environment);
    const { client } = await connect({ url: server.url });
    await expect(call(client, "dial", { code: "jam" })).rejects.toThrow("the dial is stuck");
    expect(await call(client, "dial", { code: "0" })).toMatchObject({
      isError: true,
      text: expect.stringContaining("over"),
    });
    expect(counts).toEqual({ opened: 2, closed: 2 });
    await server.close();
    expect(results).toMatchObject([{ grade: undefined }]);
  });

  it("has a session to itself, which is closed when it is silent for too long", async () => {
    const { environment, counts } = safe();
    const { server } = await serve(environment, { idleTimeoutMs: 1000 });
    const [one, other] = [await connect({ url: server.url }), await connect({ url: server.url })];
    const taskOf = async ({ client }: typeof one) => JSON.stringify(await client.getPrompt({ name: "task" }));
    expect(await taskOf(one)).toContain("train-0-0");
    expect(await taskOf(other)).toContain("train-1-0");
    expect(server.sessions).toBe(2);
    await expect.poll(() => server.sessions, { timeout: 5000 }).toBe(0);
    expect(counts).toEqual({ opened: 3, closed: 3 });
    await expect(one.client.listTools()).rejects.toThrow(/no such session|404/);
  });
});

describe("a served environment", () => {
  it("gives the place back when the client says that it leaves", async () => {
    const { environment, counts } = safe();
    const { server, results } = await serve(environment, { capacity: 1 });
    for (const name of ["the client of SDK 1.x", "the client of 2.x, negotiating"] as const) {
      const { client, leave } = await clients[name]({ url: server.url });
      await client.listTools();
      await leave();
      expect(server.sessions).toBe(0);
    }
    expect(counts).toEqual({ opened: 3, closed: 3 });
    expect(results.map(({ grade }) => grade)).toEqual([undefined, undefined]);
  });

  it("gives the place of a named session back on a DELETE, and its name to nobody", async () => {
    const { environment, counts } = safe();
    const { server } = await serve(environment);
    const url = `${server.url}?session=chosen-name`;
    const { client } = await connect2({ url }, { pin: "2026-07-28" });
    await client.listTools();
    expect(server.sessions).toBe(1);
    expect((await fetch(url, { method: "DELETE" })).status).toBe(204);
    expect([server.sessions, counts]).toEqual([0, { opened: 2, closed: 2 }]);
    await expect(client.listTools()).rejects.toThrow(/no such session|404/);
    expect((await fetch(url, { method: "DELETE" })).status).toBe(400);
  });

  it("plays the task that the address asks for", async () => {
    const { server } = await serve(safe().environment);
    const connect = clients["the client of 2.x, negotiating"];
    const { client } = await connect({ url: `${server.url}?split=test&seed=9&index=2` });
    expect(JSON.stringify(await client.getPrompt({ name: "task" }))).toContain("test-9-2");
    await expect(connect({ url: `${server.url}?split=all` })).rejects.toThrow(/expected train or test|400/);
    const far = await connect({ url: `${server.url}?index=3` });
    await expect(far.client.listTools()).rejects.toThrow('index: got 3, its split "train" has 3 tasks');
  });

  it("ends at the environment's own limit of turns", async () => {
    const { server, results } = await serve(safe().environment);
    const { client } = await clients["the client of SDK 1.x"]({ url: server.url });
    for (let turn = 0; turn < 3; turn++) await call(client, "dial", { code: "0" });
    const last = await call(client, "dial", { code: "0" });
    expect(last).toMatchObject({ isError: true, structuredContent: { status: "max_turns", reward: 0 } });
    expect(results).toMatchObject([{ grade: { status: "max_turns", reward: 0 } }]);
  });

  it("passes on what is answered to an answer, until nothing is", async () => {
    let left = 1;
    const respond = () => (left-- > 0 ? [{ role: "user" as const, content: "are you sure?" }] : undefined);
    const { server } = await serve(safe({ respond }).environment);
    const { client } = await clients["the client of SDK 1.x"]({ url: server.url });
    const first = await call(client, "submit_answer", { answer: "gold" });
    expect([first.text, first.structuredContent]).toEqual(["are you sure?", undefined]);
    const second = await call(client, "submit_answer", { answer: "<answer>gold 0</answer>" });
    expect(second.structuredContent).toMatchObject({ reward: 1 });
    expect(await call(client, "submit_answer", { answer: 1 })).toMatchObject({ isError: true });
  });

  it("takes calls made at once in turn", async () => {
    const { server } = await serve(safe().environment);
    const { client } = await clients["the client of 2.x, negotiating"]({ url: server.url });
    const calls = [1, 2, 3].map(() => call(client, "dial", { code: "train-0-0" }));
    expect((await Promise.all(calls)).map(({ text }) => text.slice(-1))).toEqual(["1", "2", "3"]);
  });

  it("has its tools taken by another environment", async () => {
    const { server } = await serve(safe().environment);
    const opened = await mcpTools({ url: server.url }, { only: ["dial"] });
    const context = { signal: new AbortController().signal };
    expect(await opened.tools[0]!.execute({ code: "train-0-0" }, context)).toBe("inside: gold 0 after 1");
    await expect(opened.tools[0]!.execute({ code: "0" }, context)).rejects.toThrow(
      new ToolError("it stays shut"),
    );
    await opened.close();
    expect(server.sessions).toBe(0);
  });

  it("closes while a call is running", async () => {
    const { environment, counts } = safe();
    const { server } = await serve(environment);
    const { client } = await clients["the client of SDK 1.x"]({ url: server.url });
    const running = call(client, "dial", { code: "slow" }).catch((error: unknown) => error);
    await delay(100);
    await server.close();
    expect(await running).toBeInstanceOf(Error);
    expect(counts).toEqual({ opened: 2, closed: 2 });
  });

  it("turns away what is not meant for it", async () => {
    const { server } = await serve(safe().environment, { maxMessageBytes: 1000 });
    const post = (body: string, { path = "", headers = {} } = {}) =>
      fetch(`${server.url}${path}`, {
        method: "POST",
        body,
        headers: {
          "content-type": "application/json",
          accept: "application/json, text/event-stream",
          ...headers,
        },
      });
    const list = '{"jsonrpc":"2.0","id":1,"method":"tools/list"}';
    expect((await post("{")).status).toBe(400);
    expect((await post(list)).status).toBe(400);
    for (const length of [2000, 15_000]) expect((await post("x".repeat(length))).status).toBe(413);
    expect((await post(list, { path: "/more" })).status).toBe(404);
    expect((await post(list, { headers: { "mcp-session-id": "none" } })).status).toBe(404);
    expect((await post(list, { headers: { origin: "https://example.org" } })).status).toBe(403);
    expect((await fetch(server.url)).status).toBe(400);
    const { url } = server;
    await expect(connect2({ url }, { pin: "2026-07-28" })).rejects.toThrow();
    await expect(connect2({ url: `${url}?session=a` }, { pin: "2026-07-28" })).rejects.toThrow();
    expect(server.sessions).toBe(0);
  });

  it("is refused where it cannot be served", async () => {
    const { environment } = safe();
    await expect(serveEnvironment(environment, { host: "0.0.0.0" })).rejects.toThrow("give a key");
    await expect(serveEnvironment(environment, { key: "" })).rejects.toThrow("key: expected some characters");
    await expect(serveEnvironment(environment, { capacity: 0 })).rejects.toThrow(
      "capacity: expected a whole",
    );
    await expect(serveEnvironment(environment, { answerTool: "dial" })).rejects.toThrow(
      'has a tool "dial" itself',
    );
    const { server } = await serve(environment);
    await expect(serveEnvironment(environment, { port: server.port })).rejects.toMatchObject({ kind: "io" });
  });
});

describe.each(["auto", "legacy", { pin: "2026-07-28" }] as const)("over standard streams, %s", (mode) => {
  it("plays one episode and ends with the client", async () => {
    const folder = mkdtempSync(join(tmpdir(), "mcp-"));
    undo.push(() => rmSync(folder, { recursive: true, force: true }));
    const log = join(folder, "log");
    const fixture = join(import.meta.dirname, "fixtures", "environment-server.mjs");
    const client = new Client({ name: "test", version: "1" }, { versionNegotiation: { mode } });
    await client.connect(
      new StdioClientTransport({ command: process.execPath, args: [fixture, log], stderr: "ignore" }),
    );
    undo.push(() => client.close());
    expect(client.getProtocolEra()).toBe(mode === "legacy" ? "legacy" : "modern");
    const { messages } = await client.getPrompt({ name: "task" });
    expect(messages.length).toBe(2);
    expect((await call(client, "calc", { expression: "6*7" })).text).toBe("42");
    const { structuredContent } = await call(client, "submit_answer", { answer: "<answer>no</answer>" });
    expect(structuredContent).toMatchObject({ status: "completed", reward: 0 });
    await client.close();
    const lines = readFileSync(log, "utf8").trim().split("\n");
    expect(JSON.parse(lines.find((line) => line.startsWith("{"))!)).toMatchObject({ reward: 0 });
    expect(lines.at(-1)).toBe("over");
  });
});
