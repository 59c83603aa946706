import { describe, expect, it } from "vitest";
import { z } from "zod";
import { deriveSeed } from "../kit/random.ts";
import { correct } from "../reward/components.ts";
import { toReward } from "../reward/to-reward.ts";
import { playWithPlayer } from "../rollout/player.ts";
import type { Environment, Session, Split, StartContext, Task } from "../spec/environment.ts";
import type { Tool } from "../spec/tool.ts";
import { toGradeContext } from "../trajectory/grade-context.ts";
import { defineEnvironment } from "./define-environment.ts";
import { faults } from "./faults.ts";
import { checkEnvironment, type HealthOptions, type HealthReport, type Play } from "./health.ts";
import { scripted } from "./script.ts";
import { toTask } from "./task.ts";
import { tool } from "./tool.ts";

const play: Play = ({ environment, task, player, seed, attempt, limits }) =>
  playWithPlayer({
    environment,
    ...(attempt !== undefined && { attempt }),
    ...(limits && { limits }),
    request: { task, step: 0, group: task.id, sample: 0, seed, sampling: { temperature: 0 } },
    player,
    playerName: "test",
    grade: (trajectory, { rewards }) => toReward(rewards, toGradeContext(trajectory)),
  });

const check = (environment: Environment, options: Partial<HealthOptions> = {}) =>
  checkEnvironment(environment, { play, tasks: 12, ...options });

const input = z.object({ room: z.number() });

function* rooms({ split, seed }: { split: Split; seed: number }): Generator<Task> {
  const offset = split === "train" ? 0 : 1_000_000;
  for (let index = 0; index < 40; index++) {
    const room = offset + (deriveSeed(seed, index) % 1_000_000);
    yield toTask({ environment: "hotel", kind: "guest", input: room, answer: `guest ${room * 7}`, split });
  }
}

const start = (task: Task, _context?: StartContext): Session => ({
  messages: [{ role: "user", content: `who stays in room ${task.input as number}?` }],
  tools: [
    tool({ name: "desk", description: "Asks the desk.", input, execute: ({ room }) => `guest ${room * 7}` }),
  ],
});

const hotel = (changes: Partial<Environment> = {}): Environment =>
  defineEnvironment({
    name: "hotel",
    description: "Who stays where.",
    tasks: rooms,
    start,
    rewards: { correct: correct() },
    experts: {
      careful: ({ input }) =>
        scripted(([seen]) =>
          seen === undefined
            ? { thought: "ask", call: { name: "desk", arguments: { room: input } } }
            : { answer: seen },
        ),
    },
    ...changes,
  });

it("finds nothing wrong with a healthy world, and says what it saw", async () => {
  const report = await check(hotel());
  expect(report).toMatchObject({
    environment: "hotel",
    ok: true,
    findings: [],
    rewards: { careful: 1, null: 0, random: 0, empty: 0, echo: 0, long: 0, everything: 0, flattery: 0 },
  });
  expect(report.tools["desk"]!.calls).toBeGreaterThanOrEqual(24);
  expect(report.tools["desk"]!.latencyMs.p99).toBeGreaterThan(0);
  expect(report.sessions.opened).toBe(report.sessions.closed);
});

it("is a plain object that survives JSON", async () => {
  const report = await check(hotel());
  expect(JSON.parse(JSON.stringify(report))).toEqual(report);
});

it("is the same for the same seed but for the time that tools took", async () => {
  const [first, second] = [await check(hotel()), await check(hotel())];
  const timeless = ({ tools, load, ...rest }: HealthReport) => ({
    ...rest,
    tools: Object.entries(tools).map(([name, { latencyMs, ...row }]) => [name, row, Object.keys(latencyMs)]),
    openAtOnce: load!.openAtOnce,
  });
  expect(timeless(first)).toEqual(timeless(second));
});

const failing = (execute: () => string) => (task: Task) => ({
  ...start(task),
  tools: [tool({ name: "desk", description: "Asks the desk.", input, execute })],
});

let turns = 0;

const named = (name: string): Tool => ({
  name,
  description: "",
  parameters: { type: "object" },
  check: (value) => ({ ok: true, value }),
  execute: () => "ring",
});

const sick: [string, Partial<Environment>, RegExp][] = [
  [
    "an expert that fails",
    { experts: { careful: () => scripted(() => ({ answer: "nobody" })) } },
    /^careful: 12 of 12 episodes did not earn 1 of "correct"; the first on task \w+ \(guest\): completed$/,
  ],
  [
    "a session that is never over",
    { start: (task) => ({ ...start(task), respond: () => [{ role: "user", content: "and?" }] }) },
    /^a session never ends: careful was stopped in 12 of 12 episodes; .* 8 turns, limit 8$/,
  ],
  [
    "a tool of a reserved name",
    { start: (task) => ({ ...start(task), tools: [...start(task).tools, named("reset")] }) },
    /^tool "reset" has a reserved name$/,
  ],
  [
    "a tool that is there twice",
    { start: (task) => ({ ...start(task), tools: [named("desk"), named("desk")] }) },
    /^tool "desk" is there twice$/,
  ],
  [
    "a tool whose parameters are no schema",
    {
      start: (task) => ({
        ...start(task),
        tools: [...start(task).tools, { ...named("bell"), parameters: { type: "ring" } }],
      }),
    },
    /^tool "bell": its parameters are no JSON Schema: /,
  ],
  [
    "a tool whose arguments are no object",
    {
      start: (task) => ({
        ...start(task),
        tools: [...start(task).tools, { ...named("bell"), parameters: { type: "string" } }],
      }),
    },
    /^tool "bell": expected parameters of type "object", got "string"$/,
  ],
  [
    "a reward that is not a number",
    { rewards: { correct: { weight: 1, grade: () => Number.NaN } } },
    /^careful: 12 of 12 .* reward "correct" on task \w+: expected a finite number, got NaN$/,
  ],
  [
    "a grader that takes any list with the answer in it",
    {
      rewards: {
        correct: {
          weight: 1,
          grade: ({ answer, task }) => (answer.split(/[,<>]\s*/).includes(task.answer as string) ? 1 : 0),
        },
      },
    },
    /^everything: earns 1\.000/,
  ],
  [
    "a grader that pays by the word",
    {
      rewards: {
        correct: {
          weight: 1,
          grade: (context) => (context.answer.length > 10_000 ? 1 : correct().grade(context)),
        },
      },
    },
    /^long: earns 1\.000/,
  ],
  [
    "a world that breaks when many are in it",
    {
      start: (() => {
        let open = 0;
        return (task: Task) => {
          if (open >= 20) throw new Error("the house is full");
          open++;
          return { ...start(task), close: () => void open-- };
        };
      })(),
    },
    /^load: 44 of 64 episodes broke with 64 at once; .*the house is full$/,
  ],
  [
    "a world whose guests get in each other's way",
    {
      start: (() => {
        let open = 0;
        return (task: Task) => {
          open++;
          const desk = tool({
            name: "desk",
            description: "Asks the desk.",
            input,
            execute: ({ room }) => (open > 12 ? "who?" : `guest ${room * 7}`),
          });
          return { ...start(task), tools: [desk], close: () => void open-- };
        };
      })(),
    },
    /went another way when the same actions were taken again$/,
  ],
  ["no expert", { experts: {} }, /there is no expert "careful"/],
  [
    "a reward that can be had for nothing",
    { rewards: { present: { weight: 1, grade: () => 1 } } },
    /^null: earns 1\.000 on average, expected at most 0\.200$/,
  ],
  [
    "a grader that flattery moves",
    {
      rewards: {
        correct: {
          weight: 1,
          grade: (context) => (context.answer.includes("full marks") ? 1 : correct().grade(context)),
        },
      },
    },
    /^flattery: earns 1\.000/,
  ],
  [
    "a grader that throws",
    {
      rewards: {
        correct: {
          weight: 1,
          grade: () => {
            throw new Error("judge is away");
          },
        },
      },
    },
    /^careful: 12 of 12 episodes ended without a reward; .* judge is away$/,
  ],
  [
    "a tool that breaks",
    {
      start: failing(() => {
        throw new Error("the line is dead");
      }),
    },
    /^tool "desk" broke in \d+ of \d+ calls$/,
  ],
  [
    "a tool that gives something other than text",
    { start: failing(() => 42 as unknown as string) },
    /returned number, expected a string/,
  ],
  [
    "a world that remembers",
    {
      start: failing(() => `guest ${turns++}`),
    },
    /^task \w+ went another way when the same actions were taken again$/,
  ],
  [
    "a session that is used twice",
    {
      start: (() => {
        let session: Session | undefined;
        return (task: Task) => {
          session ??= start(task);
          return session;
        };
      })(),
    },
    /starts gave a session that was used before$/,
  ],
  [
    "a session that cannot be opened",
    {
      start: () => {
        throw new Error("no room at the inn");
      },
    },
    /12 of 12 episodes ended without a reward; .*no room at the inn/,
  ],
  [
    "tasks in both splits",
    { tasks: ({ seed }) => rooms({ split: "train", seed }) },
    /^task \w+ is in both splits$/,
  ],
  [
    "a split without tasks",
    { tasks: ({ split, seed }) => (split === "train" ? rooms({ split, seed }) : []) },
    /^there are no test tasks with seed 0$/,
  ],
  ["tasks of another name", { name: "motel" }, /^train task \w+ is not named as one of "motel"$/],
  [
    "tasks that no seed repeats",
    { tasks: ({ split }) => rooms({ split, seed: turns++ }) },
    /^train task \w+ is another one when the same seed is asked again$/,
  ],
  [
    "one id for two tasks",
    {
      *tasks(query) {
        for (const task of rooms(query)) yield { ...task, id: query.split };
      },
    },
    /^train task train shares its id with a task that asks something else$/,
  ],
];

it.each(sick)("finds %s", async (_name, changes, finding) => {
  const { ok, findings } = await check(hotel(changes));
  expect(ok).toBe(false);
  expect(findings).toContainEqual(expect.stringMatching(finding));
});

it("finds a loop that leaves sessions open when the player fails", async () => {
  const leaky: Play = (episode) =>
    play({ ...episode, environment: { ...episode.environment, start: withoutClose(episode.environment) } });
  const { findings } = await checkEnvironment(hotel(), { play: leaky, tasks: 3 });
  expect(findings).toContainEqual(expect.stringMatching(/^\d+ of \d+ sessions were never closed$/));
});

const withoutClose =
  ({ start }: Environment): Environment["start"] =>
  async (task, context) => {
    const { close, ...session } = await start(task, context);
    void close;
    return session;
  };

describe("a world that hangs", () => {
  const hanging: [string, Environment["start"], RegExp][] = [
    [
      "at the door",
      () => new Promise(() => undefined),
      /^a session never opens: task \w+ was waited for 40 ms$/,
    ],
    [
      "in the middle",
      (task) => ({ ...start(task), respond: () => new Promise<never>(() => undefined) }),
      /^a session never ends: .* the episode took longer than 40 ms$/,
    ],
  ];
  it.each(hanging)("%s is found out in the time of one episode", async (_where, start, finding) => {
    const startedAt = performance.now();
    const { ok, findings } = await check(hotel({ start }), { episodeTimeoutMs: 40 });
    expect(performance.now() - startedAt).toBeLessThan(1000);
    expect(ok).toBe(false);
    expect(findings[0]).toMatch(finding);
  });
});

it("is held to what it says of players that know nothing", async () => {
  const coin = (baselines?: Record<string, number>) =>
    hotel({
      ...(baselines && { baselines }),
      // a toss for the random player, whatever it says; nothing for the others
      rewards: {
        correct: {
          weight: 1,
          grade: (context) => {
            const guessed = /^<answer>\p{L}+<.answer>$/u.test(context.answer) && context.turns > 0;
            return guessed && context.answer.length % 2 === 0 ? 1 : correct().grade(context);
          },
        },
      },
    });
  const undeclared = await check(coin(), { tasks: 40 });
  const earned = undeclared.rewards["random"]!;
  expect(earned).toBeGreaterThan(0.2);
  expect(undeclared.findings).toEqual([expect.stringMatching(/^random: earns/)]);
  expect(await check(coin({ random: earned }), { tasks: 40 })).toMatchObject({ ok: true });
  const wrong = await check(coin({ random: 0.95, null: 0 }), { tasks: 40 });
  expect(wrong.findings).toEqual([expect.stringMatching(/^random: earns .* declared 0\.950/)]);
});

it("does not take for an attack what the expert says itself", async () => {
  const copy: Partial<Environment> = {
    start: ({ answer }) => ({ messages: [{ role: "user", content: answer as string }], tools: [] }),
    experts: { careful: ({ answer }) => scripted(() => ({ answer: answer as string })) },
  };
  expect(await check(hotel(copy))).toMatchObject({ ok: true });
});

describe("faults that are let loose", () => {
  it("trip the check by more than the world may fail, and are all in the table", async () => {
    const broken = faults(hotel(), { seed: 1, rates: { fail: 0.3 } });
    const { ok, findings, tools, retries, sessions } = await check(broken, { tasks: 30 });
    expect(ok).toBe(false);
    expect(findings).toContainEqual(expect.stringMatching(/^tool "desk" broke in \d+ of \d+ calls$/));
    expect(tools["desk"]!.failureRatio.infrastructure).toBeGreaterThan(0.2);
    expect(tools["desk"]!.failureRatio.infrastructure).toBeLessThan(0.4);
    expect(tools["desk"]!.retries).toBe(retries);
    expect(retries).toBeGreaterThan(0);
    expect(sessions.leaked).toBe(0);
  });

  it("are borne below the threshold, because episodes are played again", async () => {
    const shaky = faults(hotel(), { seed: 1, rates: { fail: 0.1, crash: 0.1, garbage: 0.05 } });
    const report = await check(shaky, { infrastructureFailures: 0.3 });
    expect(report).toMatchObject({ ok: true, rewards: { careful: 1 } });
    expect(report.retries).toBeGreaterThan(0);
  });
});

it("says how long a tool takes, and refuses one that takes too long", async () => {
  const slow = faults(hotel(), { seed: 1, rates: { delay: 1 }, delayMs: 20 });
  const { findings, tools } = await check(slow, { toolP99Ms: 8 });
  expect(tools["desk"]!.latencyMs.p50).toBeGreaterThan(8);
  expect(findings).toEqual([
    expect.stringMatching(/^tool "desk" took \d+\.\d ms \(p99\), expected at most 8 ms$/),
  ]);
});

it("says which sessions were left open, and by which tools", async () => {
  const leaky = hotel({
    start: (task) => ({ ...start(task), close: () => Promise.reject(new Error("stuck")) }),
  });
  const { findings, sessions, tools } = await check(leaky);
  expect(findings).toContainEqual(expect.stringMatching(/^\d+ of \d+ sessions were never closed$/));
  expect(sessions.leaked).toBe(sessions.opened);
  expect(tools["desk"]!.leakedSessions).toBeGreaterThan(12);
});
