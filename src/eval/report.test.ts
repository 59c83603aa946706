import { describe, expect, it } from "vitest";
import { wilsonInterval } from "../kit/statistics.ts";
import type { ToolFailureKind } from "../spec/tool.ts";
import type { ToolCallRecord, Trajectory } from "../spec/trajectory.ts";
import { conversation, observed, said } from "../testing/trajectories.ts";
import { isSuccess, toReport } from "./report.ts";

type Fields = {
  correct?: number | null;
  reward?: number | null;
  environment?: string;
  kind?: string;
  status?: Trajectory["status"];
  failures?: readonly (ToolFailureKind | null)[];
  turns?: number;
};

let nextTask = 0;

function episode(fields: Fields = {}): Trajectory {
  const {
    correct = 1,
    reward = correct,
    environment = "a",
    kind = "easy",
    status,
    failures = [],
    turns = 1,
  } = fields;
  const nodes = [observed(1), ...Array.from({ length: turns }, () => said([2, 3]))];
  const played = conversation({ reward, environment, nodes, ...(status && { status }) });
  const call = (failure: ToolFailureKind | null): ToolCallRecord => ({
    turn: 0,
    id: "call",
    name: "look",
    arguments: {},
    observation: "",
    failure,
    latencyMs: 1,
  });
  return {
    ...played,
    nodes: played.nodes.map((node) => ({
      ...node,
      message: node.mask ? { role: "assistant", content: "" } : { role: "user", content: "" },
    })),
    task: { ...played.task, kind, id: `task-${nextTask++}` },
    calls: failures.map(call),
    rewards: { correct },
  };
}

/** So many episodes, each of a task of its own. */
const times = (count: number, fields: Fields) => Array.from({ length: count }, () => episode(fields));

describe("an evaluation report", () => {
  it("gives each environment's success with its 95 % interval, and their mean over environments, not episodes", () => {
    const { environments, success } = toReport([
      ...times(8, { correct: 1 }),
      ...times(2, { correct: 0 }),
      ...times(1, { correct: 0, environment: "b" }),
    ]);
    expect(environments["a"]).toMatchObject({ success: 0.8, episodes: 10 });
    expect(environments["a"]!.low).toBeCloseTo(0.4902, 4);
    expect(environments["a"]!.high).toBeCloseTo(0.9433, 4);
    expect(environments["b"]).toMatchObject({ success: 0, episodes: 1, low: 0 });
    expect(success).toBeCloseTo(0.4, 12);
  });

  it("takes attempts at one task for the evidence they are: 40 tasks tried twice are not 80, if both always end alike", () => {
    const tried = (task: number, ...results: number[]) =>
      results.map((correct) => {
        const played = episode({ correct });
        return { ...played, task: { ...played.task, id: `task-${task}` } };
      });
    const intervalOf = (trajectories: readonly Trajectory[]) => {
      const { low, high } = toReport(trajectories).environments["a"]!;
      return { low, high };
    };
    const tasks = Array.from({ length: 40 }, (_, task) => task);
    const once = intervalOf(tasks.flatMap((task) => tried(task, task % 2)));
    const alike = intervalOf(tasks.flatMap((task) => tried(task, task % 2, task % 2)));
    const mixed = intervalOf(tasks.flatMap((task) => tried(task, 0, 1)));
    expect(once).toEqual(wilsonInterval(20, 40));
    expect(alike.low).toBeCloseTo(once.low, 12);
    expect(mixed).toEqual(wilsonInterval(40, 80));
    expect(intervalOf(tasks.flatMap((task) => tried(task, 1, 1)))).toEqual(wilsonInterval(40, 40));
  });

  it("counts what the world broke and leaves it out of every other figure", () => {
    const broken: Fields = {
      correct: null,
      status: "environment_error",
      failures: ["infrastructure"],
      turns: 9,
    };
    const report = toReport([
      ...times(3, { correct: 1 }),
      ...times(2, broken),
      ...times(4, { ...broken, environment: "down" }),
    ]);
    expect(report.environments["a"]).toMatchObject({
      success: 1,
      episodes: 3,
      dropped: 2,
      turns: 1,
      toolCalls: 0,
      statuses: { completed: 3, environment_error: 2 },
    });
    expect(report.environments["down"]).toMatchObject({ episodes: 0, dropped: 4, low: 0, high: 1 });
    expect(report.success).toBe(1);
  });

  it("says what episodes were like: turns, calls, failed calls, sampled tokens", () => {
    const { environments, tokensSampled } = toReport([
      episode({ turns: 3, failures: [null, "tool_error", "invalid_arguments"] }),
      episode({ turns: 1, failures: [null] }),
    ]);
    expect(environments["a"]).toMatchObject({ turns: 2, toolCalls: 2, toolFailures: 0.5, sampledTokens: 4 });
    expect(tokensSampled).toBe(8);
  });

  it("takes success apart by kind of task", () => {
    const { environments } = toReport([
      ...times(2, { kind: "hard", correct: 0 }),
      ...times(3, {}),
      episode({ correct: 0 }),
    ]);
    expect(environments["a"]!.kinds).toEqual({
      easy: { success: 0.75, episodes: 4 },
      hard: { success: 0, episodes: 2 },
    });
    expect(Object.keys(environments["a"]!.kinds)).toEqual(["easy", "hard"]);
  });

  it("of nothing holds no NaN, so that it survives a file", () => {
    for (const report of [toReport([]), toReport(times(2, { correct: null }))])
      expect(JSON.parse(JSON.stringify(report))).toEqual(report);
  });
});

describe("success", () => {
  it("is a `correct` of 1, whatever else the reward is made of; without that component it is a reward of 1", () => {
    expect(isSuccess(episode({ correct: 1, reward: 0.7 }))).toBe(true);
    expect(isSuccess(episode({ correct: 0, reward: 1 }))).toBe(false);
    expect(isSuccess(episode({ correct: null, reward: 1 }))).toBe(false);
    expect(isSuccess({ ...episode({ reward: 1 }), rewards: {} })).toBe(true);
    expect(isSuccess({ ...episode({ reward: 0.9 }), rewards: {} })).toBe(false);
  });
});
