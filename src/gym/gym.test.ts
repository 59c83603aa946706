import { describe, expect, it } from "vitest";
import { checkEnvironment, type Play } from "../environment/health.ts";
import { scripted, toMessage } from "../environment/script.ts";
import { toReward } from "../reward/to-reward.ts";
import { playWithPlayer } from "../rollout/player.ts";
import type { Environment, Player, Split, Task } from "../spec/environment.ts";
import type { JsonObject } from "../spec/json.ts";
import type { ToolFailureKind } from "../spec/tool.ts";
import { environmentContract } from "../testing/environment-contract.ts";
import { toGradeContext } from "../trajectory/grade-context.ts";
import { type AtlasInput, atlas } from "./atlas/atlas.ts";
import { atlasCountries, countryOfCapital } from "./atlas/countries.ts";
import { evaluate } from "./calculator/expression.ts";
import { calculator, echo, files, gym } from "./index.ts";

const play: Play = ({ environment, task, player, seed }) =>
  playWithPlayer({
    environment,
    request: { task, step: 0, group: task.id, sample: 0, seed, sampling: { temperature: 0 } },
    player,
    playerName: "test",
    grade: (trajectory, { rewards }) => toReward(rewards, toGradeContext(trajectory)),
  });

function take(environment: Environment, count: number, split: Split = "train"): Task[] {
  const tasks: Task[] = [];
  for (const task of environment.tasks({ split, seed: 5 })) if (tasks.push(task) >= count) break;
  return tasks;
}

const playAll = (environment: Environment, expert: string, count: number) =>
  Promise.all(
    take(environment, count).map((task) =>
      play({ environment, task, player: environment.experts![expert]!(task, { seed: 1 }), seed: 1 }),
    ),
  );

/** Those that a model with a context of 256 tokens can play. */
const small = { atlas, calculator, echo, files };

for (const make of [...Object.values(gym), () => atlas({ kinds: ["capital-second-neighbor-field"] })])
  environmentContract(make(), { tasks: 60 });

describe.each(Object.entries(gym))("%s", (_name, make) => {
  const environment = make();

  it("is healthy", async () => {
    expect(await checkEnvironment(environment, { play, tasks: 60 })).toMatchObject({
      ok: true,
      findings: [],
    });
  });

  it("is solved by its careful expert, whatever the kind", async () => {
    const played = await playAll(environment, "careful", 200);
    expect(played.filter(({ reward }) => reward !== 1).map(({ task }) => task)).toEqual([]);
  });

  it.runIf(Object.hasOwn(small, environment.name))(
    "has an expert that speaks as briefly as a context of 256 tokens asks for",
    async () => {
      for (const { nodes } of await playAll(environment, "careful", 60)) {
        const said = nodes.map(({ message }) => message).filter((message) => message?.role === "assistant");
        const thoughts = said
          .filter(({ toolCalls }) => toolCalls !== undefined)
          .map(({ content }) => content);
        expect(thoughts.filter((thought) => !/^[a-z]+( [a-z]+)?$/.test(thought))).toEqual([]);
        expect(said.at(-1)!.content).toMatch(/^<answer>.+<\/answer>$/s);
        expect(nodes.map(({ message }) => message?.content ?? "").join(" ").length).toBeLessThan(400);
      }
    },
  );
});

describe.each(Object.entries(gym).filter(([name]) => name !== "echo"))("%s", (_name, make) => {
  const environment = make();

  // the others have tests of their own for what their hasty experts leave out
  it.runIf(["calculator", "atlas", "files", "math"].includes(environment.name))(
    "is failed by its hasty expert, in good form, where more than one call is needed",
    async () => {
      const careful = await playAll(environment, "careful", 200);
      const hasty = await playAll(environment, "hasty", 200);
      expect(hasty.every(({ rewards, status }) => rewards["format"] === 1 && status === "completed")).toBe(
        true,
      );
      for (const [index, { reward, calls }] of hasty.entries()) {
        const needed = careful[index]!.calls.length;
        expect(calls.length).toBe(needed > 1 ? needed - 1 : needed);
        // now and then the value seen last is the right one by luck
        if (needed <= 1) expect(reward).toBe(1);
      }
      const long = hasty.filter((_, index) => careful[index]!.calls.length > 1);
      expect(long.length).toBeGreaterThan(60);
      expect(long.filter(({ reward }) => reward === 0).length / long.length).toBeGreaterThan(0.95);
    },
  );

  it("offers every kind about as often", () => {
    const kinds = Object.values(Object.groupBy(take(environment, 1000), ({ kind }) => kind));
    for (const tasks of kinds) expect(tasks!.length / (1000 / kinds.length)).toBeCloseTo(1, 0);
  });

  it("plays only the kinds that are asked for", () => {
    const [first] = take(environment, 1);
    const some = make({ kinds: [first!.kind] });
    expect(new Set(take(some, 20).map(({ kind }) => kind))).toEqual(new Set([first!.kind]));
    expect(() => make({ kinds: ["riddle"] })).toThrow(
      `environment "${environment.name}": no kind of task "riddle"`,
    );
  });
});

it.each<[string, string, JsonObject, ToolFailureKind, string]>([
  [
    "calculator",
    "calc",
    { expression: "1+2*3" },
    "tool_error",
    "error: expected one operation on two numbers, like 12*7",
  ],
  ["calculator", "calc", { sum: "1+2" }, "invalid_arguments", "error: expression: "],
  [
    "calculator",
    "compute",
    { expression: "1+2" },
    "invalid_arguments",
    'error: no tool "compute"; tools: calc',
  ],
  ["atlas", "lookup", { country: "Atlantis", field: "area" }, "tool_error", 'error: no country "Atlantis"'],
  ["atlas", "lookup", { country: "Peru", field: "anthem" }, "invalid_arguments", "error: field: "],
  ["atlas", "find", { capital: 12 }, "invalid_arguments", "error: capital: "],
  [
    "files",
    "shell",
    { command: "cat nowhere" },
    "tool_error",
    "error: cat: nowhere: No such file or directory",
  ],
  ["files", "shell", {}, "invalid_arguments", "error: command: "],
])("%s tells the policy what was wrong with %s(%j)", async (name, tool, given, failure, observation) => {
  const environment = gym[name]!();
  const [task] = take(environment, 1);
  const player = scripted((observations) =>
    observations.length === 0
      ? { thought: "try", call: { name: tool, arguments: given } }
      : { answer: "no idea" },
  );
  const { calls, reward } = await play({ environment, task: task!, player, seed: 1 });
  expect(calls).toMatchObject([{ failure, observation: expect.stringContaining(observation) }]);
  expect(reward).toBe(0);
});

it("holds out combinations, not countries or folders", () => {
  const parts = (split: Split) =>
    take(gym["atlas"]!(), 2000, split).map(({ kind, input }) => {
      const { start, field } = input as AtlasInput;
      const country = "country" in start ? start.country : countryOfCapital(start.capital)!.name;
      return { country, combination: `${kind} ${field} ${country}` };
    });
  const [train, test] = [parts("train"), parts("test")];
  const [known, trained] = [train, train].map(
    (rows, index) => new Set(rows.map(({ country, combination }) => (index === 0 ? country : combination))),
  );
  expect(test.filter(({ combination }) => trained!.has(combination))).toEqual([]);
  expect(test.filter(({ country }) => known!.has(country)).length / test.length).toBeGreaterThan(0.95);
});

it("grades files by the tree that is left, whatever is said about it", async () => {
  const environment = gym["files"]!();
  const task = take(environment, 50).find(({ kind }) => kind === "copy")!;
  const solve = environment.experts!["careful"]!(task, { seed: 1 });
  const liar = scripted(() => ({ answer: "done" }));
  const mute: Player = async (turn) => {
    const message = await solve(turn);
    return message.toolCalls ? message : { role: "assistant", content: "that is all" };
  };
  let spoilt = false;
  const vandal: Player = async (turn) => {
    if (spoilt) return toMessage({ answer: "done" });
    const message = await solve(turn);
    if (message.toolCalls) return message;
    spoilt = true;
    return toMessage({ thought: "change", call: { name: "shell", arguments: { command: "touch extra" } } });
  };
  const rewardOf = async (player: Player) => (await play({ environment, task, player, seed: 1 })).reward;
  expect(await rewardOf(liar)).toBe(0);
  expect(await rewardOf(mute)).toBe(1);
  expect(await rewardOf(vandal)).toBe(0);
});

describe("the worlds", () => {
  it("know 193 countries, no two of which share a capital", () => {
    expect(atlasCountries.length).toBe(193);
    expect(new Set(atlasCountries.map(({ capital }) => capital)).size).toBe(atlasCountries.length);
    expect(atlasCountries.find(({ name }) => name === "Peru")).toMatchObject({
      capital: "Lima",
      currency: "PEN",
      region: "Americas",
    });
  });

  it("compute one operation and no more", () => {
    expect(evaluate(" 12 * -7")).toBe(-84);
    for (const expression of ["1+2+3", "process.exit()", "2**9", "1/2", "", "999999999999*999999999999"])
      expect(() => evaluate(expression)).toThrow();
  });
});
