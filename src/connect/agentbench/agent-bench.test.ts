import { afterEach, describe, expect, it, vi } from "vitest";
import { type FixtureOptions, startController } from "../../../test/agentbench/controller.ts";
import type { Environment, Player, Session, Task } from "../../spec/environment.ts";
import type { JsonObject } from "../../spec/json.ts";
import { environmentContract } from "../../testing/environment-contract.ts";
import { playMessages } from "../../testing/play-messages.ts";
import { type AgentBenchOptions, agentBench, agentBenchTasks } from "./agent-bench.ts";
import { readTurn } from "./protocol.ts";

const open: (() => Promise<void> | void)[] = [];

afterEach(async () => {
  for (const close of open.splice(0).reverse()) await close();
});

async function connect(fixture: FixtureOptions, options: Partial<AgentBenchOptions> = {}) {
  const controller = await startController(fixture);
  open.push(() => controller.close());
  const environment = await agentBench({ url: controller.url, task: "sums", retries: 2, ...options });
  return { controller, environment };
}

const taskOf = (environment: Environment, index: number): Task => {
  const tasks = [
    ...environment.tasks({ split: "train", seed: 1 }),
    ...environment.tasks({ split: "test", seed: 1 }),
  ];
  return tasks.find(({ input }) => (input as { index: number }).index === index)!;
};

const context = () => ({ seed: 1, signal: new AbortController().signal });

async function act(session: Session, name: string, given: JsonObject) {
  const tool = session.tools.find((tool) => tool.name === name)!;
  return tool.execute(given, { signal: new AbortController().signal });
}

const call = (name: string, given: JsonObject) => ({
  role: "assistant" as const,
  content: "",
  toolCalls: [{ id: "call_0", name, arguments: given }],
});

const solve: Player = ({ messages }) => {
  const [, goal] = /reach (\d+)/.exec(messages.findLast(({ role }) => role === "user")!.content)!;
  const acted = messages.filter(({ role }) => role === "tool").length;
  if (acted === 0) return call("add", { by: Number(goal) });
  if (acted === 1) return call("finish", { answer: goal! });
  return { role: "assistant", content: "done" };
};

describe.each<[string, FixtureOptions]>([
  ["as the controller gives it", { edition: "tools" }],
  ["wrapped, as a worker gives it", { edition: "tools", wrapped: true }],
  ["with the whole conversation each time", { edition: "tools", fullHistory: true }],
])("the function-calling edition, %s", (_how, fixture) => {
  it("plays a sample with the worker's messages and tools, and takes its reward", async () => {
    const { controller, environment } = await connect(fixture);
    const task = taskOf(environment, 7);
    const played = await playMessages(environment, { task, player: solve });
    expect(played.messages.slice(0, 2)).toEqual([
      { role: "system", content: "You add." },
      { role: "user", content: "reach 7" },
    ]);
    expect(played.calls.map(({ observation }) => observation)).toEqual([
      "7",
      "(the task is over: answer without a tool call to end it)",
    ]);
    expect(played.outcome).toMatchObject({
      finished: true,
      status: "completed",
      ended: "completed",
      reward: 1,
    });
    expect(played.rewards).toEqual({ reward: 1, score: 1, finished: 1, invalid: 0, limit: 0, rounds: 2 });
    expect(controller.running).toBe(0);
    const [start, first] = controller.requests.slice(1);
    expect(start).toMatchObject({ path: "/api/start_sample", body: { name: "sums", index: 7 } });
    expect(first).toEqual({
      path: "/api/interact",
      session: "0",
      body: {
        messages: [
          {
            role: "assistant",
            content: "",
            tool_calls: [
              { id: "call_0", type: "function", function: { name: "add", arguments: '{"by":7}' } },
            ],
          },
        ],
      },
    });
    expect(controller.requests.filter(({ path }) => path === "/api/cancel")).toEqual([]);
  });

  it("sends the calls of one message together, as one round", async () => {
    const { controller, environment } = await connect(fixture);
    const session = await environment.start(taskOf(environment, 7), context());
    const observed = await Promise.all([1, 2, 3].map((by) => act(session, "add", { by })));
    expect(observed).toEqual(["1", "3", "6"]);
    expect(controller.requests.filter(({ path }) => path === "/api/interact")).toHaveLength(1);
    expect(await session.outcome!()).toMatchObject({ rounds: 1, finished: false });
    expect(controller.running).toBe(1);
    await session.close!();
    await session.close!();
    expect(controller.running).toBe(0);
    expect(controller.requests.filter(({ path }) => path === "/api/cancel")).toEqual([
      { path: "/api/cancel", session: "0", body: {} },
    ]);
  });

  it("lets the worker answer a message without tool calls, and earns nothing for it", async () => {
    const { environment } = await connect(fixture);
    const session = await environment.start(taskOf(environment, 7), context());
    const say = () => session.respond!({ role: "assistant", content: "it is 7" });
    expect(await say()).toEqual([{ role: "user", content: "call a tool" }]);
    for (const _ of [2, 3]) await say();
    expect(await say()).toBeUndefined();
    const outcome = (await session.outcome!())!;
    expect(outcome).toMatchObject({ status: "task limit reached", ended: "max_turns", reward: 0 });
    expect(graded(environment, outcome)).toMatchObject({ reward: 0, limit: 1 });
  });

  it("ends a sample at the agent's invalid action, and takes no more", async () => {
    const { environment } = await connect(fixture);
    const session = await environment.start(taskOf(environment, 7), context());
    expect(await act(session, "add", { by: 13 })).toContain("the task is over");
    await expect(act(session, "add", { by: 1 })).rejects.toMatchObject({ name: "ToolError" });
    expect(await session.respond!({ role: "assistant", content: "" })).toBeUndefined();
    const outcome = (await session.outcome!())!;
    expect(graded(environment, outcome)).toMatchObject({ reward: 0, invalid: 1, limit: 0 });
    await session.close!();
  });

  it("takes a task that breaks as the world's failure", async () => {
    const { environment } = await connect(fixture);
    const session = await environment.start(taskOf(environment, 7), context());
    await expect(act(session, "add", { by: 99 })).rejects.toMatchObject({
      kind: "environment",
      message: expect.stringContaining('got status "task error"'),
    });
    await expect(act(session, "add", { by: 1 })).rejects.toMatchObject({ kind: "environment" });
    await session.close!();
  });
});

const graded = (environment: Environment, outcome: unknown) =>
  Object.fromEntries(
    Object.entries(environment.rewards).map(([name, { grade }]) => [name, grade({ outcome } as never)]),
  );

describe("the text edition", () => {
  it("plays a sample in messages, after the examples that the worker gives", async () => {
    const { controller, environment } = await connect({ edition: "text" });
    const session = await environment.start(taskOf(environment, 5), context());
    expect(session.tools).toEqual([]);
    expect(session.messages.map(({ role }) => role)).toEqual(["user", "assistant", "user"]);
    const say = (content: string) => session.respond!({ role: "assistant", content });
    expect(await say("add 5")).toEqual([{ role: "user", content: "sum: 5" }]);
    expect(await say("answer 5")).toBeUndefined();
    const outcome = (await session.outcome!())!;
    expect(outcome).toMatchObject({ reward: 1, result: { result: true }, rounds: 2 });
    expect(graded(environment, outcome)).toMatchObject({ reward: 1, score: null });
    expect(controller.requests.at(-1)).toMatchObject({
      body: { session_id: 0, agent_response: { status: "normal", content: "answer 5" } },
    });
    await session.close!();
    expect(controller.requests.at(-1)!.path).toBe("/api/interact");
  });

  it("has the ends that the agent is to blame for, and cancels by the body", async () => {
    const { controller, environment } = await connect({ edition: "text" });
    const invalid = await environment.start(taskOf(environment, 5), context());
    expect(await invalid.respond!({ role: "assistant", content: "what?" })).toBeUndefined();
    const outcome = (await invalid.outcome!())!;
    expect(outcome).toMatchObject({ status: "agent validation failed", ended: "parse_error" });
    expect(graded(environment, outcome)).toMatchObject({ reward: 0, invalid: 1 });
    const left = await environment.start(taskOf(environment, 5), context());
    await left.close!();
    expect(controller.requests.at(-1)).toMatchObject({ path: "/api/cancel", body: { session_id: 1 } });
    const broken = await environment.start(taskOf(environment, 5), context());
    await expect(
      Promise.resolve(broken.respond!({ role: "assistant", content: "add 99" })),
    ).rejects.toMatchObject({ kind: "environment", message: expect.stringContaining("501") });
    // the session is gone at the controller, which is as good as cancelled
    await broken.close!();
  });

  it("scores results as it is told to", async () => {
    const score = (result: unknown) => ((result as { result: boolean }).result ? 10 : -1);
    const { environment } = await connect({ edition: "text" }, { score });
    const result = { finished: true, result: { result: false }, metrics: {} };
    expect(graded(environment, result)).toMatchObject({ reward: -1 });
    expect(graded(environment, { ...result, finished: false })).toMatchObject({ reward: 0 });
  });
});

describe("tasks", () => {
  it("are the controller's indices, a fifth held out, without the one for custom tasks", async () => {
    const { environment } = await connect({ edition: "tools" });
    const indices = (split: "train" | "test") =>
      [...environment.tasks({ split, seed: 1 })].map(({ input }) => (input as { index: number }).index);
    const [train, test] = [indices("train"), indices("test")];
    expect([...train, ...test].sort((a, b) => a - b)).toEqual([...Array(40).keys()]);
    expect(test.length).toBeGreaterThan(2);
    expect(environment.name).toBe("agentbench-sums");
  });

  it("can be given split by split", async () => {
    const splits = { train: [1, 2], test: ["x"] };
    const { controller, environment } = await connect({ edition: "tools" }, { splits });
    expect([...environment.tasks({ split: "test", seed: 1 })]).toHaveLength(1);
    expect(controller.requests).toEqual([]);
    await expect(
      agentBench({ url: controller.url, task: "sums", splits: { train: [1], test: [1] } }),
    ).rejects.toMatchObject({ kind: "usage" });
  });

  it("are listed with the room that their living workers have", async () => {
    const { controller, environment } = await connect({ edition: "tools", concurrency: 3 });
    await environment.start(taskOf(environment, 5), context());
    expect(await agentBenchTasks({ url: controller.url })).toEqual([
      { task: "sums", workers: 1, capacity: 3, current: 1 },
    ]);
    await expect(agentBench({ url: controller.url, task: "none" })).rejects.toMatchObject({
      kind: "usage",
      message: expect.stringMatching(/task: got "none"; .* has sums/),
    });
  });
});

describe("when a controller is busy, gone or wrong", () => {
  it("starts again where every worker was busy, with a bound", async () => {
    const { controller, environment } = await connect({ edition: "tools", concurrency: 1 });
    const task = taskOf(environment, 5);
    const one = await environment.start(task, context());
    const two = environment.start(task, context());
    setTimeout(() => void one.close!(), 50);
    await (await two).close!();
    const starts = () => controller.requests.filter(({ path }) => path === "/api/start_sample").length;
    expect(starts()).toBeGreaterThan(2);
    const before = starts();
    const full = await environment.start(task, context());
    await expect(environment.start(task, context())).rejects.toMatchObject({
      kind: "environment",
      message: expect.stringContaining("406: Error: No workers available"),
    });
    expect(starts()).toBe(before + 4);
    await full.close!();
  });

  it("never sends twice what may have arrived", async () => {
    let broken: string | undefined;
    const { controller, environment } = await connect({
      edition: "tools",
      instead: (path) => (path === broken ? "hang up" : undefined),
    });
    const task = taskOf(environment, 5);
    const session = await environment.start(task, context());
    const count = (path: string) => controller.requests.filter((request) => request.path === path).length;
    broken = "/api/interact";
    await expect(act(session, "add", { by: 1 })).rejects.toMatchObject({ kind: "environment" });
    expect(count(broken)).toBe(1);
    broken = "/api/start_sample";
    await expect(environment.start(task, context())).rejects.toMatchObject({ kind: "environment" });
    expect(count(broken)).toBe(2);
  });

  it("reads again what could not be read", async () => {
    let failures = 2;
    const { controller } = await connect({
      edition: "tools",
      instead: (path) => {
        if (!path.startsWith("/api/get_indices") || failures-- <= 0) return undefined;
        return failures === 1 ? "hang up" : { status: 503, body: { detail: "restarting" } };
      },
    });
    expect(controller.requests).toHaveLength(3);
  });

  it.each<[string, { status: number; body: unknown }, RegExp]>([
    ["a body that is no JSON", { status: 200, body: "<html>" }, /got "<html>", expected JSON/],
    ["a status that does not exist", { status: 200, body: { status: "fine" } }, /status: Invalid option/],
    ["an end that is none", { status: 200, body: { finish: true, status: "running" } }, /expected an end/],
    [
      "a lost session",
      { status: 400, body: { detail: "Session does not exist" } },
      /400: Session does not exist/,
    ],
    ["an overlapping request", { status: 400, body: { detail: "Task Executing" } }, /Task Executing/],
    [
      "an unknown failure",
      { status: 200, body: { finish: true, status: "unknown", result: "oops\nhere" } },
      /oops here/,
    ],
    ["somebody's cancelling", { status: 200, body: { finish: true, status: "cancelled" } }, /"cancelled"/],
  ])("takes %s as the world's failure, and cancels", async (_what, answer, message) => {
    const { controller, environment } = await connect({
      edition: "tools",
      instead: (path) => (path === "/api/interact" ? answer : undefined),
    });
    const session = await environment.start(taskOf(environment, 5), context());
    await expect(act(session, "add", { by: 1 })).rejects.toMatchObject({
      kind: "environment",
      message: expect.stringMatching(message),
    });
    await session.close!();
    expect(controller.running).toBe(0);
  });

  it("takes a start that cannot be read as the world's failure", async () => {
    let body: unknown = { messages: [] };
    const { environment } = await connect({
      edition: "tools",
      instead: (path) => (path === "/api/start_sample" ? { status: 200, body } : undefined),
    });
    const start = () => environment.start(taskOf(environment, 5), context());
    await expect(start()).rejects.toThrow("got no session_id");
    body = { session_id: 3, messages: [{ role: "wizard", content: "" }] };
    await expect(start()).rejects.toThrow("messages.0.role");
    body = { session_id: 3, messages: [] };
    await expect(start()).rejects.toThrow("a session started without messages");
  });

  it("cancels a sample that starts after the attempt was aborted", async () => {
    const { controller, environment } = await connect({ edition: "tools" });
    const abort = new AbortController();
    const starting = environment.start(taskOf(environment, 5), { seed: 1, signal: abort.signal });
    abort.abort(new Error("enough"));
    await expect(starting).rejects.toThrow("enough");
    await vi.waitFor(() => expect(controller.requests.at(-1)!.path).toBe("/api/cancel"));
    expect(controller.running).toBe(0);
  });

  it("says that nobody is there, and what an address must be", async () => {
    const { controller } = await connect({ edition: "tools" });
    await controller.close();
    open.pop();
    await expect(agentBench({ url: controller.url, task: "sums", retries: 0 })).rejects.toMatchObject({
      kind: "environment",
      message: expect.stringContaining("/get_indices"),
    });
    for (const url of ["here", "ws://host", "http://me:secret@host"])
      await expect(agentBench({ url, task: "sums" })).rejects.toMatchObject({ kind: "usage" });
  });
});

it("reads a reward of the text edition from where tasks put it", () => {
  const reward = (result: unknown) =>
    readTurn({ output: { status: "completed", history: [], result } }, "test").reward;
  expect(
    [{ result: true }, { reward: 0.8 }, { score: 2, result: false }, { answer: "x" }, null].map(reward),
  ).toEqual([1, 0.8, 2, null, null]);
});

describe("as an environment", async () => {
  const controller = await startController({ edition: "tools", concurrency: 50 });
  environmentContract(await agentBench({ url: controller.url, task: "sums" }), { tasks: 10 });
  it("ends", () => controller.close());
});
