import { expect, it } from "vitest";
import { z } from "zod";
import { deriveSeed } from "../kit/random.ts";
import { correct } from "../reward/components.ts";
import { toReward } from "../reward/to-reward.ts";
import { playWithPlayer } from "../rollout/player.ts";
import type { Environment, Session, Split, StartContext, Task } from "../spec/environment.ts";
import { toGradeContext } from "../trajectory/grade-context.ts";
import { defineEnvironment } from "./define-environment.ts";
import { checkEnvironment, type Play } from "./health.ts";
import { scripted } from "./script.ts";
import { toTask } from "./task.ts";
import { tool } from "./tool.ts";

const play: Play = ({ environment, task, player, seed }) =>
  playWithPlayer({
    environment,
    request: { task, step: 0, group: task.id, sample: 0, seed, sampling: { temperature: 0 } },
    player,
    playerName: "test",
    grade: (trajectory, { rewards }) => toReward(rewards, toGradeContext(trajectory)),
  });

const check = (environment: Environment) => checkEnvironment(environment, { play, tasks: 12 });

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
    rewards: { careful: 1, null: 0, random: 0, echo: 0, everything: 0, flattery: 0 },
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
  expect({ ...first, tools: Object.keys(first.tools) }).toEqual({
    ...second,
    tools: Object.keys(second.tools),
  });
});

const failing = (execute: () => string) => (task: Task) => ({
  ...start(task),
  tools: [tool({ name: "desk", description: "Asks the desk.", input, execute })],
});

let turns = 0;

const sick: [string, Partial<Environment>, RegExp][] = [
  [
    "an expert that fails",
    { experts: { careful: () => scripted(() => ({ answer: "nobody" })) } },
    /^careful: 12 of 12 episodes did not earn 1 of "correct"; the first on task \w+ \(guest\): completed$/,
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
