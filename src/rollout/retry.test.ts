import { describe, expect, it } from "vitest";
import { drawFault, type FaultOptions, faults } from "../environment/faults.ts";
import { createRandom } from "../kit/random.ts";
import { toReward } from "../reward/to-reward.ts";
import type { Environment, Task } from "../spec/environment.ts";
import type { Policy } from "../spec/policy.ts";
import type { Tool } from "../spec/tool.ts";
import type { Status, Trajectory } from "../spec/trajectory.ts";
import { byteRenderer } from "../testing/byte-tokenizer.ts";
import { scriptedPolicy } from "../testing/scripted-policy.ts";
import { conversation } from "../testing/trajectories.ts";
import { toGradeContext } from "../trajectory/grade-context.ts";
import type { Grade } from "./episode.ts";
import { repairGroups, toRequests } from "./groups.ts";
import { playWithRetries, resolveRetry, retryDelayMs } from "./retry.ts";
import { type Rollout, rollout } from "./rollout.ts";

const grade: Grade = (trajectory, environment) => toReward(environment.rewards, toGradeContext(trajectory));
const quick = { attempts: 4, firstDelayMs: 1, mostDelayMs: 4 };
const ended = (status: Status): Trajectory => conversation({ nodes: [], reward: null, status });

describe("an episode whose world fails", () => {
  const plan = (statuses: Status[]) => {
    const attempts: number[] = [];
    const play = async (attempt: number) => {
      attempts.push(attempt);
      return ended(statuses[attempt] ?? "completed");
    };
    return { attempts, play };
  };

  it("is played until the world holds, and tells of what was thrown away", async () => {
    const { attempts, play } = plan(["environment_error", "timeout"]);
    const thrownAway: Status[] = [];
    const { status } = await playWithRetries(play, {
      budget: resolveRetry(quick),
      seed: 1,
      onRetry: (trajectory) => thrownAway.push(trajectory.status),
    });
    expect([status, attempts]).toEqual(["completed", [0, 1, 2]]);
    expect(thrownAway).toEqual(["environment_error", "timeout"]);
  });

  it("is given up when the attempts or the time are spent", async () => {
    const always = plan(Array<Status>(9).fill("environment_error"));
    await playWithRetries(always.play, { budget: resolveRetry(quick), seed: 1 });
    expect(always.attempts).toEqual([0, 1, 2, 3]);
    const short = plan(Array<Status>(9).fill("environment_error"));
    const budget = resolveRetry({ attempts: 9, totalMs: 30, firstDelayMs: 20 });
    const startedAt = performance.now();
    expect((await playWithRetries(short.play, { budget, seed: 1 })).status).toBe("environment_error");
    expect(short.attempts.length).toBe(2);
    expect(performance.now() - startedAt).toBeLessThan(200);
  });

  it.each<Status>(["completed", "max_turns", "parse_error", "policy_error", "cancelled"])(
    "is not played again after %s, which is no failure of the world",
    async (status) => {
      const { attempts, play } = plan([status, status]);
      await playWithRetries(play, { budget: resolveRetry(quick), seed: 1 });
      expect(attempts).toEqual([0]);
    },
  );

  it("stops waiting when it is aborted", async () => {
    const { attempts, play } = plan(Array<Status>(9).fill("environment_error"));
    const controller = new AbortController();
    setTimeout(() => controller.abort(new Error("enough")), 10);
    const budget = resolveRetry({ firstDelayMs: 60_000, mostDelayMs: 60_000 });
    const { status } = await playWithRetries(play, { budget, seed: 1, signal: controller.signal });
    expect([status, attempts]).toEqual(["environment_error", [0]]);
  });

  it("waits twice as long each time up to a bound, less a part that its seed draws", () => {
    const budget = resolveRetry({ firstDelayMs: 100, mostDelayMs: 350 });
    const waits = (seed: number) => [0, 1, 2, 3].map((attempt) => retryDelayMs(attempt, { budget, seed }));
    for (let seed = 0; seed < 200; seed++) {
      for (const [attempt, wait] of waits(seed).entries()) {
        const whole = Math.min(350, 100 * 2 ** attempt);
        expect(wait).toBeGreaterThanOrEqual(whole / 2);
        expect(wait).toBeLessThanOrEqual(whole);
      }
    }
    expect(waits(1)).toEqual(waits(1));
    expect(waits(1)).not.toEqual(waits(2));
  });

  it.each([
    [{ attempts: 0 }, "retry attempts: expected a number of 1 or more, got 0"],
    [{ attempts: 1.5 }, "retry attempts"],
    [{ totalMs: Number.NaN }, "retry totalMs: expected a number of 0 or more, got NaN"],
    [{ tries: 2 }, "retry tries: there is no such setting; there are attempts"],
  ])("has a budget that makes sense: %j", (given, message) => {
    expect(() => resolveRetry(given as object)).toThrow(message);
  });
});

const tasks = Array.from(
  { length: 40 },
  (_, index): Task => ({ id: `t${index}`, environment: "world", kind: "k", input: index, split: "train" }),
);
const requests = toRequests({ tasks, groupSize: 4, step: 0, runSeed: 1, sampling: { temperature: 1 } });

/** Counts how often each of its sessions is closed. */
function world() {
  const closings: number[] = [];
  const bell: Tool = {
    name: "bell",
    description: "",
    parameters: { type: "object" },
    check: (value) => ({ ok: true, value }),
    execute: () => "ring",
  };
  const environment: Environment = {
    name: "world",
    description: "",
    tasks: () => tasks,
    rewards: { done: { weight: 1, grade: ({ answer }) => (answer === "done" ? 1 : 0) } },
    start: ({ input }) => {
      const session = closings.push(0) - 1;
      return {
        messages: [{ role: "user", content: `${input as number}` }],
        tools: [bell],
        close: () => void closings[session]!++,
      };
    },
  };
  return { environment, closings };
}

/** Rings one to three times, then says done or not: what it does is drawn from the seed of each turn. */
const policy: Policy = {
  ...scriptedPolicy(() => "", { renderer: byteRenderer }),
  async sample({ prompt, params }) {
    const turn = byteRenderer.tokenizer.decode(prompt).split("assistant:").length - 2;
    const random = createRandom(params.seed);
    const says =
      turn === 0 || (turn < 3 && random.next() < 0.5) ? "→bell {}" : random.pick(["done", "nothing"]);
    return scriptedPolicy(() => says, { renderer: byteRenderer }).sample({ prompt, params });
  },
};

const play = (options: Partial<Rollout> & Pick<Rollout, "environments">) =>
  rollout({
    requests,
    policy,
    renderer: byteRenderer,
    grade,
    concurrency: 16,
    order: "lockstep",
    ...options,
  });

const told = (trajectories: readonly Trajectory[]) =>
  trajectories.map(({ nodes, status, reward, group, sample, seed }) => ({
    messages: nodes.map(({ message }) => message),
    tokens: nodes.map(({ tokens }) => [...tokens]),
    status,
    reward,
    group,
    sample,
    seed,
  }));

const sick: FaultOptions = { seed: 7, rates: { fail: 0.1, hang: 0.05, garbage: 0.1, crash: 0.1 } };

describe("a rollout in a world that fails", () => {
  it.each(["lockstep", "free"] as const)(
    "in %s order ends as it would have in one that does not, where the budget is enough",
    async (order) => {
      const whole = await play({ environments: [world().environment], order });
      const thrownAway: Trajectory[] = [];
      const { environment, closings } = world();
      const shaken = await play({
        environments: [faults(environment, sick)],
        order,
        limits: { toolTimeoutMs: 20 },
        retry: { ...quick, attempts: 40 },
        onRetry: (trajectory) => thrownAway.push(trajectory),
      });
      expect(told(shaken)).toEqual(told(whole));
      expect(thrownAway.length).toBeGreaterThan(40);
      expect(thrownAway.every(({ reward }) => reward === null)).toBe(true);
      expect(shaken.reduce((total, { attempt }) => total + attempt, 0)).toBe(thrownAway.length);
      expect(closings.every((times) => times === 1)).toBe(true);
    },
  );

  it("is bit for bit the one without retries where nothing fails", async () => {
    const plain = await play({ environments: [world().environment] });
    const ready = await play({ environments: [world().environment], retry: quick });
    expect(told(ready)).toEqual(told(plain));
    expect(ready.map(({ id }) => id)).toEqual(plain.map(({ id }) => id));
  });

  it("never takes a failure of the world for a reward, and loses and doubles no episode", async () => {
    const trajectories = await play({
      environments: [faults(world().environment, sick)],
      limits: { toolTimeoutMs: 20 },
      retry: { ...quick, attempts: 2 },
    });
    expect(trajectories.map(({ group, sample }) => `${group}/${sample}`)).toEqual(
      requests.map(({ group, sample }) => `${group}/${sample}`),
    );
    for (const { status, reward, attempt, calls, task, seed } of trajectories) {
      const point = { environment: "world", task: task.id, session: seed, attempt };
      const crashed = drawFault(sick, { ...point, call: "start" }).fault !== undefined;
      const struck = calls.some((_, call) => drawFault(sick, { ...point, call }).fault !== undefined);
      expect(status).toBe(crashed || struck ? "environment_error" : "completed");
      expect(reward === null).toBe(status === "environment_error");
    }
    expect(new Set(trajectories.map(({ status }) => status)).size).toBe(2);
  });

  it.each([0, 1, 2, 3, 4, 5])("closes every session once when it is cancelled (%d)", async (round) => {
    const { environment, closings } = world();
    const controller = new AbortController();
    const late: Environment = {
      ...environment,
      async start(...given) {
        await new Promise((resolve) => setTimeout(resolve, (closings.length * 7) % 5));
        return environment.start(...given);
      },
    };
    setTimeout(() => controller.abort(new Error("enough")), 3 + 4 * round);
    const playing = play({
      environments: [faults(late, { ...sick, rates: { ...sick.rates, delay: 0.3 }, delayMs: 4 })],
      order: round % 2 === 0 ? "lockstep" : "free",
      limits: { toolTimeoutMs: 8, wallTimeMs: 12 },
      retry: quick,
      signal: controller.signal,
    });
    await expect(playing).rejects.toThrow("enough");
    await new Promise((resolve) => setTimeout(resolve, 30));
    expect(closings.filter((times) => times !== 1)).toEqual([]);
  });
});

describe("a group that has lost episodes", () => {
  const group = (name: string, rewards: (number | null)[]) =>
    rewards.map((reward, sample) => ({
      ...conversation({ nodes: [], reward, status: reward === null ? "environment_error" : "completed" }),
      group: name,
      sample,
    }));

  it("goes on with those it has, and is dropped as a whole when they are too few", () => {
    const groups = [
      group("whole", [1, 0, 1]),
      group("repaired", [1, null, 0]),
      group("one left", [null, 1, null]),
      group("none left", [null, null]),
    ];
    const { kept, dropped } = repairGroups(groups);
    expect(kept.map(([first]) => first!.group)).toEqual(["whole", "repaired"]);
    expect(kept[1]).toBe(groups[1]);
    expect(dropped).toEqual([
      { group: "one left", left: 1, of: 3 },
      { group: "none left", left: 0, of: 2 },
    ]);
    expect(repairGroups(groups, { least: 3 }).kept).toEqual([groups[0]]);
  });

  it("needs no more members than were planned", () => {
    expect(repairGroups([group("alone", [1]), group("lost", [null])], { least: 2 })).toMatchObject({
      kept: [[{ group: "alone" }]],
      dropped: [{ group: "lost", left: 0, of: 1 }],
    });
  });
});
