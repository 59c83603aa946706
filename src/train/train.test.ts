import { existsSync, mkdtempSync, readFileSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { grpo } from "../algorithm/grpo.ts";
import { defineEnvironment } from "../environment/define-environment.ts";
import { faults } from "../environment/faults.ts";
import { scripted } from "../environment/script.ts";
import { taskStream } from "../environment/task-stream.ts";
import { createRandom } from "../kit/random.ts";
import { correct } from "../reward/components.ts";
import type { Environment } from "../spec/environment.ts";
import type { Trainer } from "../spec/trainer.ts";
import { byteRenderer } from "../testing/byte-tokenizer.ts";
import { scriptedPolicy } from "../testing/scripted-policy.ts";
import { appendTrajectories, readTrajectories } from "../trajectory/store.ts";
import { defineRun, type LearnerFactory, type RunConfig, type Stage } from "./define-run.ts";
import { differenceOf } from "./describe-run.ts";
import { createEstimate } from "./estimate.ts";
import type { RunSummary, TrainEvent } from "./event.ts";
import { train } from "./train.ts";

/** Asks for a number back. `few` makes a world of three tasks. */
function parrot({ few = false, grade }: { few?: boolean; grade?: () => number } = {}): Environment {
  return defineEnvironment<number>({
    name: "parrot",
    description: "",
    *tasks({ split, seed }) {
      let left = few ? 3 : Number.POSITIVE_INFINITY;
      const kinds = {
        say: (random: ReturnType<typeof createRandom>) => {
          const number = random.integer(1000);
          return { input: number, answer: String(number), key: String(number) };
        },
      };
      for (const task of taskStream<number>({
        environment: "parrot",
        kinds,
        salt: "p",
        split,
        seed: few ? 1 : seed,
      })) {
        if (left-- <= 0) return;
        yield task;
      }
    },
    start: ({ input }) => ({ messages: [{ role: "user", content: `say ${input}` }], tools: [] }),
    rewards: { correct: grade ? { weight: 1, grade } : correct() },
    experts: {
      careful: ({ answer }) => scripted(() => ({ answer: answer as string })),
      wrong: () => scripted(() => ({ answer: "no" })),
    },
  });
}

/** A trainer without weights whose policy says what it is told to. Counts what it is asked to learn. */
function weightless(say: (prompt: string) => string) {
  const learnt = { calls: 0, rows: 0 };
  const trainer: Trainer = {
    forwardBackward: async (rows) => {
      learnt.calls++;
      learnt.rows += rows.length;
      return { loss: 0.5, logprobs: rows.map(({ tokens }) => new Float32Array(tokens.length)) };
    },
    optimStep: async () => ({ gradientNorm: 1 }),
    policy: async () => scriptedPolicy(say, { renderer: byteRenderer }),
    resetOptimizer: async () => undefined,
    save: async () => undefined,
    load: async () => undefined,
    close: async () => undefined,
  };
  const factory: LearnerFactory = {
    name: "weightless",
    settings: null,
    create: async () => ({ trainer, renderer: byteRenderer }),
  };
  return { factory, learnt };
}

async function runOf(
  stages: Stage[],
  {
    say = () => "",
    environment = parrot(),
    force = false,
    retry = {},
  }: {
    say?: (prompt: string) => string;
    environment?: Environment;
    force?: boolean;
    retry?: RunConfig["retry"];
  } = {},
) {
  const { factory, learnt } = weightless(say);
  const events: TrainEvent[] = [];
  const config: RunConfig = {
    name: "test",
    environments: [environment],
    trainer: factory,
    stages,
    evaluation: { tasks: 10 },
    retry,
  };
  const root = mkdtempSync(join(tmpdir(), "attune-train-"));
  const options = {
    root,
    force,
    now: () => new Date(0),
    version: "t",
    onEvent: (event: TrainEvent) => events.push(event),
  };
  const outcome: { summary?: RunSummary; error?: Error } = await train(config, options).then(
    (summary) => ({ summary }),
    (error: unknown) => ({ error: error as Error }),
  );
  return { ...outcome, learnt, events, directory: join(root, "test-1") };
}

const answered = (prompt: string) => `<answer>${/say (\d+)/.exec(prompt)?.[1]}</answer>`;
const rl = (changes: object = {}): Stage => ({
  name: "rl",
  evaluate: true,
  rl: { algorithm: grpo(), steps: 6, groupSize: 4, groupsPerStep: 2, ...changes },
});
const sft = (demonstrations: object): Stage => ({
  name: "sft",
  sft: { demonstrations: { count: 20, ...demonstrations }, steps: 3 },
});

describe("a run", () => {
  it("goes through its stages, learns, measures, and leaves everything in its directory", async () => {
    const random = createRandom(3);
    const { summary, learnt, events, directory } = await runOf([sft({}), rl()], {
      say: (prompt) => (random.next() < 0.5 ? answered(prompt) : "<answer>?</answer>"),
    });
    expect(summary!.environments["parrot"]).toHaveProperty("untrained");
    expect(summary!.environments["parrot"]!["rl"]!.episodes).toBe(10);
    expect(learnt.calls).toBeGreaterThanOrEqual(8);
    expect(events.filter(({ type }) => type === "step")).toHaveLength(9);
    for (const file of [
      "run.json",
      "config.json",
      "progress.json",
      "metrics.jsonl",
      "summary.json",
      "eval/rl.json",
      "trajectories/rl.jsonl",
    ]) {
      expect(existsSync(join(directory, file)), file).toBe(true);
    }
    expect(readFileSync(join(directory, "trajectories/rl.jsonl"), "utf8").trim().split("\n")).toHaveLength(
      48,
    );
    expect(JSON.parse(readFileSync(join(directory, "config.json"), "utf8"))).toMatchObject({
      environments: ["parrot"],
      stages: [{ name: "sft" }, { rl: { algorithm: { name: "grpo" } } }],
    });
  });

  it("says why a step trained on nothing, and stops after so many of them", async () => {
    const { error, learnt, events } = await runOf([rl({ emptyStepsAllowed: 3 })], { say: answered });
    expect(error!.message).toBe(
      "step 2: all groups are tied: every attempt at a task earned the same; 3 steps in a row had nothing to learn from",
    );
    expect(learnt.calls).toBe(0);
    expect(events.filter(({ type }) => type === "step")).toHaveLength(2);
  });

  it("does not mistake a broken reward for a lesson", async () => {
    const { error } = await runOf([rl({ emptyStepsAllowed: 1 })], {
      environment: parrot({ grade: () => Number.NaN }),
      force: true,
    });
    expect(error!.message).toMatch(/no trajectory has a reward/);
  });

  it("keeps the demonstrations that the reward filter lets through, and refuses to learn from none", async () => {
    const mixed = await runOf([sft({ experts: { careful: 1, wrong: 1 }, minimumReward: 1 })], {
      say: answered,
    });
    const demonstrations = mixed.events.find(({ type }) => type === "demonstrations") as TrainEvent & {
      type: "demonstrations";
    };
    expect(demonstrations.played).toBe(20);
    expect(demonstrations.kept).toBe(Math.round(demonstrations.meanReward * 20));
    const none = await runOf([sft({ experts: { wrong: 1 }, minimumReward: 1 })]);
    expect(none.error!.message).toBe("none of 20 demonstrations reached the reward 1");
    const unknown = await runOf([sft({ experts: { lazy: 1 } })]);
    expect(unknown.error!.message).toBe('environment "parrot" has no expert "lazy"; it has careful, wrong');
  });

  it("practises a small world again and measures what there is of it", async () => {
    const random = createRandom(4);
    const { summary } = await runOf([sft({}), rl()], {
      environment: parrot({ few: true }),
      say: (prompt) => (random.next() < 0.5 ? answered(prompt) : "no"),
    });
    expect(summary!.environments["parrot"]!["rl"]!.episodes).toBe(3);
  });
});

/** Metrics of the steps of a run, as they stand in its directory. */
const metricsOf = (directory: string) =>
  readFileSync(join(directory, "metrics.jsonl"), "utf8")
    .trim()
    .split("\n")
    .map((line) => JSON.parse(line) as Record<string, number>);

describe("a run in a world that fails", () => {
  /** Right or wrong, as the task and the turn's seed say. */
  const guess = () => {
    const random = createRandom(9);
    return (prompt: string) => (random.next() < 0.5 ? answered(prompt) : "<answer>?</answer>");
  };
  const stage = rl({ steps: 4, groupsPerStep: 4 });

  it("does not begin where an environment is sick, unless it is forced, and leaves nothing behind", async () => {
    const blind = parrot({ grade: () => 1 });
    const refused = await runOf([rl()], { environment: blind });
    expect(refused.error!.message).toMatch(
      /^environment "parrot" is not healthy: null: earns 1\.000 on average, expected at most 0\.200 .*--force/,
    );
    expect(existsSync(refused.directory)).toBe(false);
    const demonstrated = await runOf([sft({ environments: [blind] })]);
    expect(demonstrated.error!.message).toMatch(/"parrot" is not healthy/);
    const forced = await runOf([rl({ emptyStepsAllowed: 9, steps: 2 })], { environment: blind, force: true });
    expect(forced.error).toBeUndefined();
  });

  it("is the same run with the check and without", async () => {
    const [checked, forced] = [
      await runOf([stage], { say: guess() }),
      await runOf([stage], { say: guess(), force: true }),
    ];
    const rewards = (directory: string) => metricsOf(directory).map(({ reward }) => reward);
    expect(rewards(checked.directory)).toEqual(rewards(forced.directory));
  });

  it("plays broken episodes again, and records whose doing failures were", async () => {
    const rates = { crash: 0.3 };
    const { error, directory } = await runOf([stage], {
      say: guess(),
      environment: faults(parrot(), { seed: 1, rates }),
      force: true,
      retry: { attempts: 20, firstDelayMs: 1 },
    });
    expect(error).toBeUndefined();
    const metrics = metricsOf(directory);
    for (const step of metrics) {
      expect(step["infrastructureFailures"]).toBe(0);
      expect(step["retries"]).toBeGreaterThan(0);
      expect(step["brokenAttempts"]).toBe(step["retries"]);
      expect(step["failures/policy"]).toBe(0);
      expect([step["sessions/opened"], step["sessions/leaked"]]).toEqual([16, 0]);
    }
  });

  it("drops what stays broken, and whole groups with too few left, and says so", async () => {
    const { error, directory, events } = await runOf([stage], {
      say: guess(),
      environment: faults(parrot(), { seed: 1, rates: { crash: 0.6 } }),
      force: true,
      retry: { attempts: 1 },
    });
    expect(error).toBeUndefined();
    const metrics = metricsOf(directory);
    expect(metrics.some((step) => step["droppedGroups"]! > 0)).toBe(true);
    for (const step of metrics) {
      expect(step["groups"]! + step["droppedGroups"]!).toBe(4);
      expect(step["reward"]).toBeGreaterThanOrEqual(0);
    }
    const notes = events.flatMap((event) => (event.type === "step" ? (event.notes ?? []) : []));
    expect(notes[0]).toMatch(
      /^step \d: \d groups? (was|were) dropped as a whole, the first \(\S+\) with [01] of 4 episodes left$/,
    );
  });

  it("stops, with the reason, when there is nothing left but broken groups", async () => {
    const { error } = await runOf([rl({ emptyStepsAllowed: 2 })], {
      say: guess(),
      environment: faults(parrot(), { seed: 1, rates: { crash: 1 } }),
      force: true,
      retry: { attempts: 1 },
    });
    expect(error!.message).toBe(
      "step 1: no trajectory has a reward, or too few of its group have: the world broke every group; 2 steps in a row had nothing to learn from",
    );
  });

  it("plays a demonstration again whose world failed", async () => {
    const environment = faults(parrot(), { seed: 1, rates: { crash: 0.3 } });
    const retry = { attempts: 20, firstDelayMs: 1 };
    const { error } = await runOf([sft({})], { environment, retry, force: true });
    expect(error).toBeUndefined();
    const once = await runOf([sft({})], { environment, retry: { attempts: 1 }, force: true });
    expect(once.error!.message).toMatch(/could not be graded .* injected crash/);
  });
});

describe("a run from what was played before", () => {
  const stored = (trajectories: string, changes: object = {}): Stage => ({
    name: "stored",
    stored: { algorithm: grpo(), trajectories, ...changes },
  });
  const played = async () => {
    const random = createRandom(3);
    const say = (prompt: string) => (random.next() < 0.5 ? answered(prompt) : "<answer>?</answer>");
    const run = await runOf([rl()], { say });
    return { ...run, file: join(run.directory, "trajectories/rl.jsonl") };
  };

  it("learns the rows that the rollout learnt, without playing", async () => {
    const first = await played();
    const second = await runOf([stored(first.file, { groupsPerStep: 2 })], { say: answered });
    expect(second.error).toBeUndefined();
    expect(second.learnt).toEqual(first.learnt);
    const [before, after] = [metricsOf(first.directory), metricsOf(second.directory)];
    for (const name of ["reward", "scoredTokens", "tokensTrained", "tiedGroups"])
      expect(after.map((step) => step[name])).toEqual(before.map((step) => step[name]));
  });

  it("imitates the trajectories that the reward filter lets through", async () => {
    const { file } = await played();
    const rewards = readFileSync(file, "utf8").match(/"reward":1,/g)!.length;
    const good = await runOf([sft({ count: undefined, trajectories: file, minimumReward: 1 })]);
    expect(good.error).toBeUndefined();
    expect(good.events.find(({ type }) => type === "demonstrations")).toMatchObject({
      kept: rewards,
      played: 48,
    });
    const none = await runOf([sft({ count: undefined, trajectories: file, minimumReward: 2 })]);
    expect(none.error!.message).toBe(`${file}: none of 48 trajectories reached the reward 2`);
  });

  it("refuses another vocabulary's ids, a player's words and groups that are torn apart", async () => {
    const { file } = await played();
    // one file that holds everything, for its lines to be changed
    const whole = join(mkdtempSync(join(tmpdir(), "attune-stored-")), "whole.jsonl");
    for await (const trajectory of readTrajectories(file)) await appendTrajectories(whole, [trajectory]);
    const lines = readFileSync(whole, "utf8").trim().split("\n");
    const changed = (change: (line: string) => string) => {
      const path = join(mkdtempSync(join(tmpdir(), "attune-stored-")), "changed.jsonl");
      writeFileSync(path, `${lines.map(change).join("\n")}\n`);
      return path;
    };
    const foreign = await runOf([stored(changed((line) => line.replace(/<answer>/g, "<reply>")))]);
    expect(foreign.error!.message).toMatch(/sampled with another vocabulary/);
    const spoken = await runOf([
      stored(changed((line) => line.replace(/"logprobs":"[^"]*"/g, '"logprobs":null'))),
    ]);
    expect(spoken.error!.message).toMatch(/expected the log-probabilities .* for an `sft` stage/);
    lines.push(lines[0]!);
    const torn = await runOf([stored(changed((line) => line))]);
    expect(torn.error!.message).toMatch(/expected a group's members one after another/);
  });
});

describe("a config", () => {
  const { factory } = weightless(answered);
  const good: RunConfig = { name: "ok", environments: [parrot()], trainer: factory, stages: [rl()] };

  it.each<[string, Partial<RunConfig>, string]>([
    ["a name that is no file's", { name: "My Run" }, "expected a name of lower-case letters"],
    ["no environment", { environments: [] }, "expected at least one environment"],
    ["an environment twice", { environments: [parrot(), parrot()] }, 'environment "parrot" is there twice'],
    ["a stage twice", { stages: [rl(), rl()] }, 'stage "rl" is there twice'],
    [
      "a stage of neither kind",
      { stages: [{ name: "x" } as unknown as Stage] },
      "expected `sft`, `rl` or `stored`",
    ],
    [
      "stored trajectories that are no file",
      { stages: [{ name: "s", stored: { algorithm: grpo(), trajectories: "" } }] },
      'stage "s": expected trajectories as the path of a file, got ""',
    ],
    ["a size below one", { stages: [rl({ groupSize: 0 })] }, "expected groupSize above 0, got 0"],
    ["a retry that is none", { retry: { attempts: 0 } }, 'run "ok": retry attempts: expected a number of 1'],
    ["no trainer", { trainer: undefined as unknown as LearnerFactory }, "expected `trainer`"],
  ])("with %s is refused", (_what, changes, message) => {
    expect(() => defineRun({ ...good, ...changes })).toThrow(message);
  });

  it("is compared field by field with the one a run was started with", () => {
    expect(differenceOf({ a: [1, { b: 2 }] }, { a: [1, { b: 2 }] })).toBeUndefined();
    expect(differenceOf({ a: [1, { b: 2 }] }, { a: [1, { b: 3 }] })).toBe("config.a.1.b was 2 and is 3");
    expect(differenceOf({}, { seed: 1 })).toBe("config.seed was null and is 1");
  });
});

it("estimates the time that is left by each phase's own pace, or the pace of all", () => {
  const estimate = createEstimate();
  estimate.expect("sft", 100);
  estimate.expect("rl", 50);
  estimate.did("sft", 50, 10);
  expect(estimate.secondsLeft()).toBeCloseTo(50 * 0.2 + 50 * 0.2);
  estimate.did("rl", 10, 20);
  expect(estimate.secondsLeft()).toBeCloseTo(50 * 0.2 + 40 * 2);
});
