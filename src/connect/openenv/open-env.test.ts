import { once } from "node:events";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { afterEach, describe, expect, it, vi } from "vitest";
import { type WebSocket, WebSocketServer } from "ws";
import { splitOf } from "../../environment/task.ts";
import { calculator } from "../../gym/calculator/calculator.ts";
import type { Environment, Player, Session, Task } from "../../spec/environment.ts";
import type { JsonObject } from "../../spec/json.ts";
import { environmentContract } from "../../testing/environment-contract.ts";
import { playMessages } from "../../testing/play-messages.ts";
import { type OpenEnvOptions, openEnv } from "./open-env.ts";
import { serveOpenEnv } from "./serve.ts";

const open: (() => Promise<void> | void)[] = [];

afterEach(async () => {
  for (const close of open.splice(0).reverse()) await close();
});

const first = (environment: Environment): Task => {
  for (const task of environment.tasks({ split: "train", seed: 1 })) return task;
  throw new Error("no task");
};

const context = () => ({ seed: 1, signal: new AbortController().signal });

const call = (name: string, given: JsonObject) => ({
  role: "assistant" as const,
  content: "",
  toolCalls: [{ id: "call_0", name, arguments: given }],
});

describe("against our own server", async () => {
  const server = await serveOpenEnv(calculator(), { port: 0, capacity: 64 });
  const environment = await openEnv({ url: server.url, retries: 1 });
  const solve: Player = ({ messages }) => {
    const observations = messages.filter(({ role }) => role === "tool");
    const last = messages.at(-1)!;
    const question = messages.find(({ role }) => role === "user")!.content;
    const [, a, operation, b] = /^(\d+)([-+*])(\d+)\?$/.exec(question) ?? [];
    if (!a || observations.length > 0)
      return { role: "assistant", content: `<answer>${last.content}</answer>` };
    return call("calc", { expression: `${a}${operation}${b}` });
  };

  environmentContract(environment, { tasks: 30 });

  it("plays the same tasks with the same rewards as the environment itself", async () => {
    let right = 0;
    let seen = 0;
    for (const task of environment.tasks({ split: "train", seed: 3 })) {
      const played = await playMessages(environment, { task, player: solve });
      expect(played.outcome).toMatchObject({ done: true, status: "completed", state: { done: true } });
      expect(played.rewards["correct"]).toBe(played.rewards["reward"]);
      expect(Object.keys(played.rewards)).toEqual([
        "reward",
        "done",
        "steps",
        "correct",
        "format",
        "toolUse",
      ]);
      right += played.rewards["reward"]!;
      if (++seen === 30) break;
    }
    expect(right).toBeGreaterThan(5);
    expect(right).toBeLessThan(30);
    await vi.waitFor(() => expect(server.sessions).toBe(0));
  });

  it("keeps the splits of the environment behind it apart", async () => {
    const questions = async (split: "train" | "test") => {
      const found = new Set<string>();
      for (const task of environment.tasks({ split, seed: 1 })) {
        const session = await environment.start(task, context());
        found.add(session.messages.at(-1)!.content);
        await session.close?.();
        if (found.size === 40) break;
      }
      return found;
    };
    const train = await questions("train");
    const test = await questions("test");
    expect([...test].filter((question) => train.has(question))).toEqual([]);
  });

  it("shows the policy its mistakes, and earns nothing for them", async () => {
    const player: Player = ({ messages }) =>
      messages.length < 4 ? call("calc", { expression: "rm -rf" }) : { role: "assistant", content: "" };
    const { calls, rewards } = await playMessages(environment, { task: first(environment), player });
    expect(calls[0]).toMatchObject({
      failure: "tool_error",
      observation: expect.stringContaining("error: "),
    });
    expect(rewards).toMatchObject({ reward: 0, correct: 0, done: 1 });
  });

  it("is missed when it is gone", async () => {
    const session = await environment.start(first(environment), context());
    await server.close();
    await expect(act(session, { expression: "1+1" }, "calc")).rejects.toMatchObject({ kind: "environment" });
    await session.close!();
    await expect(environment.start(first(environment), context())).rejects.toMatchObject({
      kind: "environment",
    });
  });
});

type Frame = { type: string; data?: Record<string, unknown> };

type Foreign = {
  /** Answers of /schema and so on; a path that is not there is 404. */
  routes?: Record<string, unknown>;
  /** What a frame is answered with; a string goes out as it is, undefined is no answer. */
  answer(frame: Frame, socket: WebSocket): unknown;
  /** Called for each connection; what it gives is sent unasked. */
  welcome?(connection: number, socket: WebSocket): unknown;
};

/** A server that somebody else wrote: documented frames, by hand. */
async function foreign({ routes = {}, answer, welcome }: Foreign) {
  const frames: Frame[] = [];
  const server = createServer((request, response) => {
    const body = routes[request.url!];
    response.writeHead(body === undefined ? 404 : 200, { "content-type": "application/json" });
    response.end(JSON.stringify(body ?? { detail: "Not Found" }));
  });
  const sockets = new WebSocketServer({ noServer: true });
  let connections = 0;
  server.on("upgrade", (request, socket, head) => {
    sockets.handleUpgrade(request, socket, head, (connection) => {
      connections++;
      const unasked = welcome?.(connections, connection);
      if (unasked) connection.send(JSON.stringify(unasked));
      connection.on("message", (data: Buffer) => {
        const frame = JSON.parse(data.toString()) as Frame;
        frames.push(frame);
        if (frame.type === "close") return connection.close(1000);
        const said = answer(frame, connection);
        if (said !== undefined) connection.send(typeof said === "string" ? said : JSON.stringify(said));
      });
    });
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const close = async () => {
    for (const connection of sockets.clients) connection.terminate();
    server.closeAllConnections();
    await new Promise((resolve) => server.close(resolve));
  };
  open.push(close);
  const { port } = server.address() as AddressInfo;
  return {
    url: `http://127.0.0.1:${port}`,
    frames,
    get connections() {
      return connections;
    },
    close,
  };
}

const observation = (observation: object, reward: number | boolean | null = null, done = false) => ({
  type: "observation",
  data: { observation, reward, done },
});

/** The shape that pydantic gives for an action with one field. */
const guessSchema = {
  action: {
    title: "GuessAction",
    type: "object",
    additionalProperties: false,
    properties: {
      metadata: { type: "object", additionalProperties: true },
      number: { type: "integer", minimum: 0 },
    },
    required: ["number"],
  },
  observation: { type: "object" },
  state: { type: "object" },
};

const guessing = ({ data, type }: Frame) => {
  if (type === "reset") return observation({ hint: "guess", metadata: {} });
  if (type === "state") return { type: "state", data: { episode_id: "e", step_count: 2 } };
  const number = data?.["number"] as number;
  if (number === 77)
    return {
      type: "error",
      data: { message: "Invalid message", code: "VALIDATION_ERROR", errors: [{ msg: "not 77" }] },
    };
  if (number === 88) return { type: "error", data: { message: "boom", code: "EXECUTION_ERROR" } };
  return number === 5 ? observation({ hint: "yes" }, 1, true) : observation({ hint: "no", tries: 1 }, 0.25);
};

const quick: Partial<OpenEnvOptions> = { retries: 2, messageTimeoutMs: 500 };

/** Runs one call as the rollout does. */
async function act(session: Session, given: JsonObject, name = "step") {
  const tool = session.tools.find((tool) => tool.name === name)!;
  const checked = await tool.check(given);
  if (!checked.ok) throw new Error(checked.issues);
  return tool.execute(checked.value, { signal: new AbortController().signal });
}

async function start(server: { url: string }, options: Partial<OpenEnvOptions> = {}) {
  const environment = await openEnv({ url: server.url, ...quick, ...options });
  const session = await environment.start(first(environment), context());
  open.push(() => session.close?.());
  return { environment, session };
}

describe("against a foreign server with actions of its own", () => {
  const routes = {
    "/schema": guessSchema,
    "/metadata": { name: "Guess It!", description: "Guess a number." },
  };

  it("offers one tool whose parameters are the action's schema, and reads rewards and done", async () => {
    const server = await foreign({ routes, answer: guessing });
    const { environment, session } = await start(server);
    expect(environment.name).toBe("guess-it");
    expect(session.messages).toEqual([
      { role: "system", content: 'Guess a number. Act by calling the tool "step".' },
      { role: "user", content: "guess" },
    ]);
    expect(session.tools.map(({ name, parameters }) => [name, parameters])).toMatchObject([
      ["step", { type: "object", properties: { number: {} }, required: ["number"] }],
    ]);
    expect(JSON.stringify(session.tools[0]!.parameters)).not.toContain("metadata");
    await expect(act(session, { number: "x" })).rejects.toThrow("must be integer");
    expect(await act(session, { number: 4 })).toBe('{"hint":"no","tries":1}');
    expect(await act(session, { number: 5 })).toBe(
      "yes\n(the episode is over: answer without a tool call to end it)",
    );
    await expect(act(session, { number: 5 })).rejects.toMatchObject({ name: "ToolError" });
    const outcome = await session.outcome!();
    expect(outcome).toMatchObject({ done: true, sum: 1.25, last: 1, steps: 2, state: { step_count: 2 } });
    expect(grade(environment, outcome)).toMatchObject({ reward: 1.25, done: 1, steps: 2 });
    expect(grade(await openEnv({ url: server.url, total: "last" }), outcome)).toMatchObject({ reward: 1 });
    expect(grade(environment, { ...(outcome as object), sum: null })).toMatchObject({ reward: null });
    expect(grade(environment, { ...(outcome as object), sum: null, done: false })).toMatchObject({
      reward: 0,
    });
    await session.close!();
    await session.close!();
    const sent = server.frames.map(({ type }) => type);
    expect(sent).toEqual(["reset", "step", "step", "state", "close"]);
    expect(server.frames[0]!.data).toEqual({ seed: expect.any(Number), split: "train" });
    expect(server.frames[1]!.data).toEqual({ number: 4 });
  });

  it("tells an action that the server finds invalid from a server that breaks", async () => {
    const { session } = await start(await foreign({ routes, answer: guessing }));
    await expect(act(session, { number: 77 })).rejects.toMatchObject({
      name: "ToolError",
      message: expect.stringContaining("not 77"),
    });
    await expect(act(session, { number: 88 })).rejects.toMatchObject({
      name: "AttuneError",
      kind: "environment",
      message: expect.stringContaining("EXECUTION_ERROR: boom"),
    });
  });

  it("takes calls made side by side one after the other", async () => {
    const server = await foreign({ routes, answer: guessing });
    const { session } = await start(server);
    const observed = await Promise.all([1, 2, 3].map((number) => act(session, { number })));
    expect(observed).toHaveLength(3);
    expect(server.frames.slice(1).map(({ data }) => data?.["number"])).toEqual([1, 2, 3]);
  });

  it("speaks to worlds whose action is what the agent says", async () => {
    const server = await foreign({
      routes,
      answer: ({ type, data }) => {
        if (type === "reset") return observation({ prompt: "say bye" });
        return data?.["message"] === "bye" ? observation({}, true, true) : observation({ reply: "?" }, false);
      },
    });
    const options = { tools: "none" as const, answer: (message: string) => ({ message }) };
    const { session } = await start(server, options);
    expect(session.tools).toEqual([]);
    const say = (content: string) => session.respond!({ role: "assistant", content });
    expect(await say("hello")).toEqual([{ role: "user", content: "?" }]);
    expect(await say("bye")).toBeUndefined();
    expect(await session.outcome!()).toMatchObject({ done: true, sum: 1, state: null });
    await expect(openEnv({ url: server.url, tools: "none" })).rejects.toMatchObject({ kind: "usage" });
  });

  it("gives the resets that were asked for, split by split", async () => {
    const { url } = await foreign({ routes, answer: guessing });
    const resets = { train: [{ task_id: 1 }, { task_id: 2 }], test: [{ task_id: 3 }] };
    const environment = await openEnv({ url, resets });
    const inputs = (split: "train" | "test") =>
      [...environment.tasks({ split, seed: 1 })].map(({ input }) => input);
    expect(inputs("train")).toHaveLength(2);
    expect(inputs("test")).toEqual([{ reset: { task_id: 3 } }]);
    await expect(openEnv({ url, resets: { ...resets, test: [{ task_id: 1 }] } })).rejects.toMatchObject({
      kind: "usage",
    });
  });

  it("holds a fifth of the seeds out, for all runs alike", async () => {
    const { url } = await foreign({ routes, answer: guessing });
    const environment = await openEnv({ url });
    const seeds = (split: "train" | "test", seed: number) => {
      const drawn: number[] = [];
      for (const { input } of environment.tasks({ split, seed })) {
        drawn.push((input as { reset: { seed: number } }).reset.seed);
        if (drawn.length === 200) return drawn;
      }
      return drawn;
    };
    const test = [...seeds("test", 1), ...seeds("test", 2)];
    expect(test.every((seed) => splitOf(String(seed), { salt: "openenv-1" }) === "test")).toBe(true);
    expect(seeds("train", 1).filter((seed) => test.includes(seed))).toEqual([]);
  });
});

function grade(environment: Environment, outcome: unknown) {
  return Object.fromEntries(
    Object.entries(environment.rewards).map(([name, { grade }]) => [name, grade({ outcome } as never)]),
  );
}

describe("against a foreign server with MCP tools", () => {
  const routes = { "/schema": { action: { title: "CallToolAction", properties: { tool_name: {} } } } };
  const tools = [
    { name: "echo", description: "Echoes.", input_schema: { properties: { text: { type: "string" } } } },
  ];
  const echoing = ({ type, data }: Frame) => {
    if (type === "reset") return observation({});
    if (data?.["type"] === "list_tools") return observation({ tools });
    if (type !== "step") return undefined;
    const { text } = data!["arguments"] as { text: string };
    const tool_name = "echo";
    if (text === "slow")
      return observation({ tool_name, result: null, error: { error_type: "timeout", message: "30 s" } });
    if (text === "bad")
      return observation({
        tool_name,
        result: null,
        error: { error_type: "invalid_args", message: "bad text" },
      });
    if (text === "fail")
      return observation({
        tool_name,
        result: { content: [{ type: "text", text: "no" }], is_error: true },
        error: null,
      });
    const result = {
      content: [{ type: "text", text }],
      structured_content: { result: text },
      data: text,
      is_error: false,
    };
    return observation({ tool_name, result, error: null }, 0.5);
  };

  it("makes the server's tools the session's", async () => {
    const server = await foreign({ routes, answer: echoing });
    const { session } = await start(server);
    expect(
      session.tools.map(({ name, description, parameters }) => ({ name, description, parameters })),
    ).toEqual([
      {
        name: "echo",
        description: "Echoes.",
        parameters: { type: "object", properties: { text: { type: "string" } } },
      },
    ]);
    expect(await act(session, { text: "hi" }, "echo")).toBe("hi");
    await expect(act(session, { text: "bad" }, "echo")).rejects.toMatchObject({
      name: "ToolError",
      message: "bad text",
    });
    await expect(act(session, { text: "fail" }, "echo")).rejects.toMatchObject({
      name: "ToolError",
      message: "no",
    });
    await expect(act(session, { text: "slow" }, "echo")).rejects.toMatchObject({ kind: "environment" });
    expect(server.frames[2]!.data).toEqual({
      type: "call_tool",
      tool_name: "echo",
      arguments: { text: "hi" },
    });
    expect(await session.outcome!()).toMatchObject({ sum: 0.5, done: false });
  });

  it.each([
    ["a reserved name", { tools: [{ name: "reset", input_schema: {} }] }, /a tool "reset"/],
    ["no list", { text: "?" }, /without a list of tools/],
    ["a name that is none", { tools: [{ name: "a b", input_schema: {} }] }, /expected a name/],
    ["a schema that is none", { tools: [{ name: "a", input_schema: { type: 5 } }] }, /not a JSON Schema/],
  ])("refuses tools with %s as the server's failure, and closes", async (_what, listed, message) => {
    let closed = 0;
    const server = await foreign({
      routes,
      welcome: (_, socket) => void socket.on("close", () => closed++),
      answer: ({ type }) => (type === "reset" ? observation({}) : observation(listed)),
    });
    await expect(start(server)).rejects.toMatchObject({
      kind: "environment",
      message: expect.stringMatching(message),
    });
    await vi.waitFor(() => expect(closed).toBe(1));
  });
});

describe("when a server is full, gone or wrong", () => {
  const routes = { "/schema": guessSchema };
  const full = { type: "error", data: { message: "full", code: "CAPACITY_REACHED", active_sessions: 1 } };

  it("tries a full server again, with a bound", async () => {
    const busy = await foreign({
      routes,
      answer: guessing,
      welcome: (connection, socket) => {
        if (connection > 2) return undefined;
        setTimeout(() => socket.close(), 5);
        return full;
      },
    });
    await start(busy);
    expect(busy.connections).toBe(3);
    const always = await foreign({ routes, answer: () => undefined, welcome: () => full });
    await expect(start(always)).rejects.toMatchObject({
      kind: "environment",
      message: expect.stringContaining("CAPACITY_REACHED: full"),
    });
    expect(always.connections).toBe(3);
  });

  it("tries again when the connection breaks before the reset is answered, never after", async () => {
    const server = await foreign({
      routes,
      welcome: (connection, socket) => void (connection === 1 && socket.terminate()),
      answer: (frame, socket) => {
        if (frame.type !== "step") return guessing(frame);
        socket.close(1011, "out of memory");
        return undefined;
      },
    });
    const { session } = await start(server);
    expect(server.connections).toBe(2);
    await expect(act(session, { number: 1 })).rejects.toMatchObject({
      kind: "environment",
      message: expect.stringMatching(/closed \(1011: "out of memory"\)/),
    });
    await expect(act(session, { number: 1 })).rejects.toMatchObject({ kind: "environment" });
    expect(server.connections).toBe(2);
    expect(await session.outcome!()).toMatchObject({ state: null });
  });

  it.each<[string, unknown, RegExp]>([
    ["text that is no JSON", "NaN", /got "NaN", expected JSON/],
    [
      "a reward that is NaN",
      '{"type":"observation","data":{"observation":{},"reward":NaN}}',
      /expected JSON/,
    ],
    ["a frame of no known type", { type: "surprise" }, /frame: got .*surprise/],
    ["an observation without one", { type: "observation", data: {} }, /observation: .*expected record/],
    [
      "the answer to something else",
      { type: "state", data: {} },
      /got a frame "state", expected "observation"/,
    ],
    ["nothing in time", undefined, /no answer within 500 ms/],
  ])("takes %s as the world's failure", async (_what, said, message) => {
    const server = await foreign({
      routes,
      answer: (frame) => (frame.type === "reset" ? guessing(frame) : said),
    });
    const { session } = await start(server);
    await expect(act(session, { number: 1 })).rejects.toMatchObject({
      kind: "environment",
      message: expect.stringMatching(message),
    });
  });

  it("stops when it is told to, in a call and while it opens", async () => {
    const server = await foreign({
      routes,
      answer: (frame) => (frame.type === "reset" ? guessing(frame) : undefined),
    });
    const { environment, session } = await start(server, { messageTimeoutMs: 10_000 });
    const stop = new AbortController();
    const tool = session.tools[0]!;
    const running = Promise.resolve(tool.execute({ number: 1 }, { signal: stop.signal }));
    setTimeout(() => stop.abort(new Error("enough")), 20);
    await expect(running).rejects.toThrow("given up");
    await server.close();
    const opening = new AbortController();
    setTimeout(() => opening.abort(new Error("enough")), 50);
    const { signal } = opening;
    await expect(environment.start(first(environment), { seed: 1, signal })).rejects.toThrow();
  });

  it("says which server is not there, and refuses addresses and options that cannot be", async () => {
    const { url, close } = await foreign({ routes, answer: guessing });
    await close();
    await expect(openEnv({ url, retries: 1 })).rejects.toMatchObject({
      kind: "environment",
      message: expect.stringContaining(url),
    });
    for (const wrong of ["nowhere", "ftp://host", "http://user:secret@host", "http://host?key=1"])
      await expect(openEnv({ url: wrong })).rejects.toMatchObject({ kind: "usage" });
    await expect(openEnv({ url, sessions: 0 })).rejects.toMatchObject({ kind: "usage" });
  });

  it("opens no more sessions than it may, and gives up waiting after a while", async () => {
    const server = await foreign({ routes, answer: guessing });
    const environment = await openEnv({ url: server.url, sessions: 1, waitTimeoutMs: 100 });
    const task = first(environment);
    const one = await environment.start(task, context());
    await expect(environment.start(task, context())).rejects.toMatchObject({ kind: "environment" });
    const two = environment.start(task, context());
    await one.close!();
    await (await two).close!();
    expect(server.connections).toBe(2);
  });
});

describe("against a server that has only HTTP", () => {
  it("plays over the HTTP routes, one session at a time", async () => {
    const worlds: number[] = [];
    const bodies: unknown[] = [];
    const server = createServer((request, response) => {
      const parts: Buffer[] = [];
      request.on("data", (part: Buffer) => parts.push(part));
      request.on("end", () => {
        const body = parts.length > 0 ? (JSON.parse(Buffer.concat(parts).toString()) as JsonObject) : {};
        bodies.push(body);
        const reply = (status: number, value: unknown) => {
          response.writeHead(status, { "content-type": "application/json" });
          response.end(JSON.stringify(value));
        };
        if (request.url === "/schema") return reply(200, guessSchema);
        if (request.url === "/state") return reply(200, { step_count: 1 });
        if (request.url === "/reset") {
          worlds.push(body["seed"] as number);
          return reply(200, observation({ hint: "guess" }).data);
        }
        if (request.url !== "/step") return reply(404, { detail: "Not Found" });
        const { number } = body["action"] as { number: number };
        if (number === 9) return reply(422, { detail: [{ msg: "not 9" }] });
        if (number === 8) return reply(500, { detail: "boom" });
        return reply(200, observation({ hint: "yes" }, 1, true).data);
      });
    });
    server.listen(0, "127.0.0.1");
    await once(server, "listening");
    open.push(() => void server.close());
    const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
    const environment = await openEnv({ url, ...quick });
    const task = first(environment);
    const [one, other] = [environment.start(task, context()), environment.start(task, context())];
    const session = await one;
    await expect(act(session, { number: 9 })).rejects.toMatchObject({ name: "ToolError" });
    await expect(act(session, { number: 8 })).rejects.toMatchObject({ kind: "environment" });
    expect(await act(session, { number: 1 })).toContain("yes");
    expect(bodies.at(-1)).toEqual({ action: { number: 1 } });
    expect(worlds).toHaveLength(1);
    expect(await session.outcome!()).toMatchObject({ done: true, sum: 1, state: { step_count: 1 } });
    await session.close!();
    await (await other).close!();
    expect(worlds).toHaveLength(2);
  });
});
