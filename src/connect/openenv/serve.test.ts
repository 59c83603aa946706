import { once } from "node:events";
import { afterEach, expect, it, vi } from "vitest";
import { WebSocket } from "ws";
import { z } from "zod";
import { defineEnvironment } from "../../environment/define-environment.ts";
import { toTask } from "../../environment/task.ts";
import { tool } from "../../environment/tool.ts";
import type { Environment } from "../../spec/environment.ts";
import { ToolError } from "../../spec/tool.ts";
import { type OpenEnvServer, type ServeOptions, serveOpenEnv } from "./serve.ts";

/** A counter that must reach a number, which is then to be said. */
function counter({ toolName = "add" }: { toolName?: string } = {}) {
  const sessions = { opened: 0, closed: 0 };
  const environment = defineEnvironment<{ goal: number }>({
    name: "counter",
    description: "Counts.",
    limits: { turns: 4, toolTimeoutMs: 200 },
    *tasks({ split, seed }) {
      for (let offset = 0; offset < 5; offset++)
        yield toTask({ environment: "counter", kind: "count", input: { goal: seed + offset }, split });
    },
    start: ({ input: { goal } }) => {
      sessions.opened++;
      let count = 0;
      return {
        messages: [{ role: "user", content: `count to ${goal}` }],
        tools: [
          tool({
            name: toolName,
            description: "Adds.",
            input: z.object({ by: z.number() }),
            execute: ({ by }) => {
              if (by === 13) throw new ToolError("13 is unlucky");
              if (by === 99) throw new Error("the counter fell down");
              if (by === 7) return new Promise<string>(() => undefined);
              count += by;
              return String(count);
            },
          }),
        ],
        respond: ({ content }) => (content === "hint?" ? [{ role: "user", content: "just add" }] : undefined),
        outcome: () => ({ count }),
        close: () => {
          sessions.closed++;
        },
      };
    },
    rewards: {
      correct: {
        weight: 1,
        grade: ({ task, outcome, answer }) => {
          const { goal } = task.input as { goal: number };
          return (outcome as { count: number }).count === goal && answer === String(goal) ? 1 : 0;
        },
      },
      calls: { weight: 0, grade: ({ calls }) => calls.length },
    },
  });
  return { environment, sessions };
}

const open: (() => Promise<void> | void)[] = [];

afterEach(async () => {
  for (const close of open.splice(0).reverse()) await close();
});

async function serve(environment: Environment, options: ServeOptions = {}): Promise<OpenEnvServer> {
  const server = await serveOpenEnv(environment, { port: 0, ...options });
  open.push(() => server.close());
  return server;
}

type Frame = { type?: string; data?: Record<string, unknown> } & Record<string, unknown>;

/** A client that knows nothing of ours: what it sends is written by hand, what comes back is kept in order. */
async function dial({ port }: OpenEnvServer, path = "/ws", headers: Record<string, string> = {}) {
  const socket = new WebSocket(`ws://127.0.0.1:${port}${path}`, { headers });
  const inbox: Frame[] = [];
  const waiting: ((frame: Frame) => void)[] = [];
  socket.on("message", (data: Buffer) => {
    const frame = JSON.parse(data.toString()) as Frame;
    const next = waiting.shift();
    if (next) next(frame);
    else inbox.push(frame);
  });
  const closed = new Promise<number>((resolve) => socket.once("close", resolve));
  await once(socket, "open");
  open.push(() => socket.terminate());
  const receive = () => {
    const frame = inbox.shift();
    return frame ? Promise.resolve(frame) : new Promise<Frame>((resolve) => waiting.push(resolve));
  };
  const ask = (text: string) => {
    socket.send(text);
    return receive();
  };
  return { socket, closed, receive, ask };
}

const add = (by: unknown) =>
  JSON.stringify({ type: "step", data: { type: "call_tool", tool_name: "add", arguments: { by } } });

it("plays an episode frame by frame, as the protocol has it", async () => {
  const { environment, sessions } = counter();
  const { ask, closed, socket } = await dial(await serve(environment));
  expect(await ask('{"type":"reset","data":{"seed":5,"episode_id":"first"}}')).toEqual({
    type: "observation",
    data: {
      observation: { messages: [{ role: "user", content: "count to 5" }] },
      reward: null,
      done: false,
    },
  });
  expect(await ask('{"type":"step","data":{"type":"list_tools"}}')).toMatchObject({
    type: "observation",
    data: {
      observation: {
        tools: [{ name: "add", description: "Adds.", input_schema: { type: "object", required: ["by"] } }],
      },
      done: false,
    },
  });
  expect(await ask(add(5))).toMatchObject({
    data: {
      observation: {
        tool_name: "add",
        result: { content: [{ type: "text", text: "5" }], data: "5", is_error: false },
        error: null,
      },
      reward: null,
      done: false,
    },
  });
  expect(await ask('{"type":"state"}')).toMatchObject({
    type: "state",
    data: { episode_id: "first", step_count: 1, kind: "count", done: false },
  });
  expect(await ask('{"type":"step","data":{"type":"message","content":"hint?"}}')).toMatchObject({
    data: { observation: { messages: [{ role: "user", content: "just add" }] }, done: false },
  });
  expect(await ask('{"type":"step","data":{"type":"message","content":"5"}}')).toEqual({
    type: "observation",
    data: {
      observation: { messages: [], status: "completed", rewards: { correct: 1, calls: 1 } },
      reward: 1,
      done: true,
    },
  });
  expect(await ask(add(1))).toMatchObject({ type: "error", data: { code: "EXECUTION_ERROR" } });
  socket.send('{"type":"close"}');
  expect(await closed).toBe(1000);
  // one for the look at its tools when it was loaded
  await vi.waitFor(() => expect(sessions).toEqual({ opened: 2, closed: 2 }));
});

it("gives the same task for a seed, and others of its stream by index and split", async () => {
  const { ask } = await dial(await serve(counter().environment));
  const goal = async (data: object) => {
    const frame = await ask(JSON.stringify({ type: "reset", data }));
    return JSON.stringify(frame.data);
  };
  expect(await goal({ seed: 8 })).toContain("count to 8");
  expect(await goal({ seed: 8, index: 2, split: "test", unknown: true })).toContain("count to 10");
  expect(await goal({ seed: 8, index: 5 })).toContain('index: got 5, the split \\"train\\" has 5 tasks');
});

it("ends an episode at the environment's limit of turns, and grades it", async () => {
  const { ask } = await dial(await serve(counter().environment));
  await ask('{"type":"reset","data":{"seed":3}}');
  for (let turn = 0; turn < 3; turn++) await ask(add(1));
  expect(await ask(add(0))).toMatchObject({
    data: { observation: { status: "max_turns", rewards: { correct: 0, calls: 4 } }, reward: 0, done: true },
  });
});

it("tells the agent's mistakes in the observation and goes on", async () => {
  const { ask } = await dial(await serve(counter().environment));
  await ask('{"type":"reset","data":{"seed":3}}');
  expect(await ask(add("x"))).toMatchObject({
    data: {
      observation: {
        result: null,
        error: { error_type: "invalid_args", message: expect.stringContaining("by") },
      },
      done: false,
    },
  });
  expect(await ask(add(13))).toMatchObject({
    data: { observation: { result: { is_error: true, data: "13 is unlucky" } }, done: false },
  });
  expect(
    await ask('{"type":"step","data":{"type":"call_tool","tool_name":"nope","arguments":{}}}'),
  ).toMatchObject({ data: { observation: { error: { error_type: "tool_not_found" } }, done: false } });
});

it.each([
  ["breaks", 99, "the counter fell down"],
  ["hangs", 7, "no answer within 200 ms"],
])("ends an episode without a reward where the world %s", async (_how, by, message) => {
  const { environment, sessions } = counter();
  const { ask } = await dial(await serve(environment));
  await ask('{"type":"reset","data":{"seed":3}}');
  expect(await ask(add(by))).toMatchObject({
    type: "error",
    data: { code: "EXECUTION_ERROR", message: expect.stringContaining(message) },
  });
  expect(await ask(add(1))).toMatchObject({
    type: "error",
    data: { message: expect.stringContaining("over") },
  });
  expect(sessions).toEqual({ opened: 2, closed: 2 });
  expect(await ask('{"type":"reset"}')).toMatchObject({ type: "observation" });
});

it.each([
  ["{", "INVALID_JSON", /got "\{", expected JSON/],
  ['"reset"', "UNKNOWN_TYPE", /got undefined, expected one of reset, step, state, close, mcp/],
  ["null", "UNKNOWN_TYPE", /expected one of/],
  ['{"type":"constructor"}', "UNKNOWN_TYPE", /got "constructor"/],
  ['{"type":"step"}', "VALIDATION_ERROR", /data: .*expected record/],
  ['{"type":"state","data":{}}', "VALIDATION_ERROR", /data/],
  ['{"type":"reset","data":{"seed":-1}}', "VALIDATION_ERROR", /seed: .*>=0/],
  ['{"type":"step","data":{"type":"fly"}}', "VALIDATION_ERROR", /action: type/],
  ['{"type":"step","data":{"type":"call_tool"}}', "VALIDATION_ERROR", /tool_name: .*expected string/],
  ['{"type":"step","data":{"type":"message","content":"x"}}', "EXECUTION_ERROR", /expected a reset first/],
])("answers %s with %s, says what was expected, and stays", async (text, code, message) => {
  const { ask } = await dial(await serve(counter().environment));
  expect(await ask(text)).toMatchObject({
    type: "error",
    data: { code, message: expect.stringMatching(message) },
  });
  expect(await ask('{"type":"state"}')).toMatchObject({ type: "state", data: { step_count: 0 } });
});

it("refuses a message that is too long, binary frames, and a flood", async () => {
  const server = await serve(counter().environment, { maxMessageBytes: 1000 });
  const long = await dial(server);
  long.socket.send(JSON.stringify({ type: "reset", data: { episode_id: "x".repeat(2000) } }));
  expect(await long.closed).toBe(1009);
  const binary = await dial(server);
  binary.socket.send(Buffer.from('{"type":"state"}'));
  expect(await binary.receive()).toMatchObject({ data: { code: "SESSION_ERROR" } });
  await binary.closed;
  const flood = await dial(server);
  for (let frame = 0; frame < 200; frame++) flood.socket.send('{"type":"state"}');
  await flood.closed;
  await vi.waitFor(() => expect(server.sessions).toBe(0));
});

it("has room for as many sessions as its capacity, and says so in the protocol's form", async () => {
  const server = await serve(counter().environment, { capacity: 1 });
  const first = await dial(server);
  const second = await dial(server);
  expect(await second.receive()).toEqual({
    type: "error",
    data: {
      message: "1 of 1 sessions are open",
      code: "CAPACITY_REACHED",
      active_sessions: 1,
      max_sessions: 1,
    },
  });
  await second.closed;
  first.socket.terminate();
  await vi.waitFor(() => expect(server.sessions).toBe(0));
  const third = await dial(server);
  expect(await third.ask('{"type":"reset"}')).toMatchObject({ type: "observation" });
});

it("closes a session once when its client vanishes in the middle of a call", async () => {
  const { environment, sessions } = counter();
  const server = await serve(environment);
  const { socket, ask } = await dial(server);
  await ask('{"type":"reset","data":{"seed":1}}');
  socket.send(add(7));
  socket.terminate();
  await vi.waitFor(() => expect(sessions).toEqual({ opened: 2, closed: 2 }));
  expect(server.sessions).toBe(0);
});

it("closes a session that is silent, and tells its client", async () => {
  const { environment, sessions } = counter();
  const server = await serve(environment, { idleTimeoutMs: 50 });
  const { ask, receive, closed } = await dial(server);
  await ask('{"type":"reset"}');
  expect(await receive()).toMatchObject({ type: "error", data: { code: "SESSION_ERROR" } });
  expect(await closed).toBe(1000);
  expect(server.sessions).toBe(0);
  expect(sessions).toEqual({ opened: 2, closed: 2 });
});

it("refuses an environment with a tool of a reserved name when it is loaded", async () => {
  for (const toolName of ["reset", "step", "state", "close"]) {
    const { environment, sessions } = counter({ toolName });
    await expect(serveOpenEnv(environment, { port: 0 })).rejects.toMatchObject({
      kind: "usage",
      message: expect.stringContaining(`got a tool "${toolName}"`),
    });
    expect(sessions).toEqual({ opened: 1, closed: 1 });
  }
});

it("needs a key beyond loopback, and lets in who has it", async () => {
  const { environment } = counter();
  await expect(serveOpenEnv(environment, { port: 0, host: "0.0.0.0" })).rejects.toMatchObject({
    kind: "usage",
    message: expect.stringContaining("give a key"),
  });
  await expect(serveOpenEnv(environment, { port: 0, key: "" })).rejects.toMatchObject({ kind: "usage" });
  await expect(serveOpenEnv(environment, { port: 0, capacity: 0 })).rejects.toMatchObject({ kind: "usage" });
  const server = await serve(environment, { host: "0.0.0.0", key: "sesame" });
  const url = `http://127.0.0.1:${server.port}`;
  const status = async (headers: Record<string, string>) =>
    (await fetch(`${url}/schema`, { headers })).status;
  expect(await status({})).toBe(401);
  expect(await status({ authorization: "Bearer wrong" })).toBe(401);
  expect(await status({ authorization: "Bearer sesame" })).toBe(200);
  expect(await status({ authorization: `Basic ${btoa("anyone:sesame")}` })).toBe(200);
  expect((await fetch(`${url}/health`)).status).toBe(200);
  await expect(dial(server)).rejects.toThrow("401");
  const { ask } = await dial(server, "/ws", { authorization: "Bearer sesame" });
  expect(await ask('{"type":"state"}')).toMatchObject({ type: "state" });
});

it("turns away what a page in a browser sends to a server without a key", async () => {
  const server = await serve(counter().environment);
  await expect(dial(server, "/ws", { origin: "https://elsewhere.example" })).rejects.toThrow("403");
  await expect(dial(server, "/ws", { host: "rebound.example" })).rejects.toThrow("403");
  await dial(server, "/ws", { origin: "http://localhost:3000" });
});

it("answers the HTTP routes: health, metadata, schema, reset, step, state", async () => {
  const { environment, sessions } = counter();
  const { url } = await serve(environment);
  const get = async (path: string) => (await fetch(`${url}${path}`)).json();
  const post = async (path: string, body: unknown) => {
    const response = await fetch(`${url}${path}`, { method: "POST", body: JSON.stringify(body) });
    return [response.status, await response.json()];
  };
  expect(await get("/health")).toEqual({ status: "healthy" });
  expect(await get("/metadata")).toMatchObject({ name: "counter", description: "Counts." });
  expect(await get("/schema")).toMatchObject({
    action: { oneOf: [{}, { title: "CallToolAction" }, {}] },
    observation: { properties: { rewards: { properties: { correct: {}, calls: {} } } } },
    state: { properties: { step_count: { type: "integer" } } },
  });
  expect(await post("/step", { action: { type: "message", content: "2" } })).toMatchObject([409, {}]);
  expect(await post("/reset", { seed: 2 })).toMatchObject([200, { done: false }]);
  expect(await post("/step", { action: { type: "call_tool" } })).toMatchObject([422, {}]);
  expect(
    await post("/step", { action: { type: "call_tool", tool_name: "add", arguments: { by: 2 } } }),
  ).toMatchObject([200, { observation: { result: { data: "2" } } }]);
  expect(await get("/state")).toMatchObject({ step_count: 1 });
  expect(await post("/step", { action: { type: "message", content: "2" } })).toMatchObject([
    200,
    { reward: 1, done: true },
  ]);
  expect(await get("/state")).toMatchObject({ step_count: 2, done: true });
  expect((await fetch(`${url}/nothing`)).status).toBe(404);
  expect((await fetch(`${url}//`)).status).toBe(404);
  expect((await fetch(`${url}/reset`)).status).toBe(405);
  const long = await fetch(`${url}/reset`, { method: "POST", body: "x".repeat(2 << 20) });
  expect(long.status).toBe(413);
  expect(sessions).toEqual({ opened: 2, closed: 2 });
});

it("gives the agent's tools as MCP over POST /mcp, in sessions that are kept or for one call", async () => {
  const server = await serve(counter().environment, { capacity: 1 });
  const rpc = async (method: string, params?: unknown) => {
    const response = await fetch(`${server.url}/mcp`, {
      method: "POST",
      body: JSON.stringify({ jsonrpc: "2.0", id: 1, method, params }),
    });
    return (await response.json()) as { result?: Record<string, unknown>; error?: object };
  };
  expect(await rpc("tools/list")).toMatchObject({
    jsonrpc: "2.0",
    id: 1,
    result: { tools: [{ name: "add", inputSchema: { type: "object" } }] },
  });
  expect(await rpc("tools/call", { name: "add", arguments: { by: 4 } })).toMatchObject({
    result: { content: [{ text: "4" }], isError: false },
  });
  const { result } = await rpc("openenv/session/create");
  const { session_id } = result as { session_id: string };
  expect(await rpc("openenv/session/create")).toMatchObject({
    error: { code: -32000, data: { active_sessions: 1, max_sessions: 1 } },
  });
  await rpc("tools/call", { name: "add", arguments: { by: 4 }, session_id });
  expect(await rpc("tools/call", { name: "add", arguments: { by: 4 }, session_id })).toMatchObject({
    result: { data: "8" },
  });
  // the same session over a WebSocket
  const attached = await dial(server, `/ws?session_id=${session_id}`);
  expect(await attached.ask('{"type":"state"}')).toMatchObject({ data: { step_count: 2 } });
  attached.socket.close();
  await attached.closed;
  expect(await rpc("openenv/session/close", { session_id })).toMatchObject({ result: { closed: true } });
  expect(await rpc("openenv/session/close", { session_id })).toMatchObject({ error: { code: -32602 } });
  expect(await rpc("tools/call", { name: "add", session_id })).toMatchObject({ error: { code: -32602 } });
  expect(await rpc("tools/call", {})).toMatchObject({ error: { code: -32602 } });
  expect(await rpc("reset")).toMatchObject({ error: { code: -32601 } });
  const broken = await fetch(`${server.url}/mcp`, { method: "POST", body: "{" });
  expect(await broken.json()).toMatchObject({ id: null, error: { code: -32700 } });
  await expect(dial(server, "/ws?session_id=none").then(({ receive }) => receive())).resolves.toMatchObject({
    data: { code: "SESSION_ERROR" },
  });
});

it("gives the agent's tools as MCP over a WebSocket, and inside of a session", async () => {
  const server = await serve(counter().environment);
  const mcp = await dial(server, "/mcp");
  expect(await mcp.ask('{"jsonrpc":"2.0","id":"a","method":"tools/list"}')).toMatchObject({
    id: "a",
    result: { tools: [{ name: "add" }] },
  });
  const call = '{"jsonrpc":"2.0","id":2,"method":"tools/call","params":{"name":"add","arguments":{"by":3}}}';
  expect(await mcp.ask(call)).toMatchObject({ id: 2, result: { data: "3" } });
  expect(await mcp.ask(call)).toMatchObject({ id: 2, result: { data: "6" } });
  expect(await mcp.ask("[1]")).toMatchObject({ error: { code: -32600 } });
  expect(await mcp.ask("nonsense")).toMatchObject({ error: { code: -32700 } });
  const session = await dial(server);
  await session.ask('{"type":"reset","data":{"seed":3}}');
  expect(await session.ask(`{"type":"mcp","data":${call}}`)).toMatchObject({
    type: "mcp",
    data: { id: 2, result: { data: "3" } },
  });
  expect(await session.ask('{"type":"step","data":{"type":"message","content":"3"}}')).toMatchObject({
    data: { reward: 1 },
  });
});

it("says that a port is taken, and closes with everything in it", async () => {
  const { environment, sessions } = counter();
  const server = await serveOpenEnv(environment, { port: 0 });
  const { ask, closed } = await dial(server);
  await ask('{"type":"reset"}');
  await expect(serveOpenEnv(counter().environment, { port: server.port })).rejects.toMatchObject({
    kind: "io",
  });
  await server.close();
  await closed;
  expect(sessions).toEqual({ opened: 2, closed: 2 });
  await expect(fetch(`${server.url}/health`)).rejects.toThrow();
});
