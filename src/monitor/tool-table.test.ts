import { describe, expect, it } from "vitest";
import type { ToolFailureKind } from "../spec/tool.ts";
import type { ToolCallRecord, Trajectory } from "../spec/trajectory.ts";
import { conversation } from "../testing/trajectories.ts";
import { toolMetrics } from "./tool-metrics.ts";
import { toolTable } from "./tool-table.ts";

const call = (name: string, failure: ToolFailureKind | null = null, latencyMs = 1): ToolCallRecord => ({
  turn: 0,
  id: "call_0",
  name,
  arguments: {},
  observation: "",
  failure,
  latencyMs,
});

const episode = (calls: ToolCallRecord[], changes: Partial<Trajectory> = {}): Trajectory => ({
  ...conversation({ nodes: [], reward: 1, environment: "atlas" }),
  tools: ["find", "lookup"].map((name) => ({ name, description: "", parameters: {} })),
  calls,
  ...changes,
});

describe("the tool table", () => {
  it("counts calls, successes and failures by whose doing they are", () => {
    const table = toolTable({
      played: [
        episode([call("find"), call("find", "tool_error"), call("lookup", "invalid_arguments")]),
        episode([call("find", "timeout"), call("find", "infrastructure")]),
      ],
    });
    expect(table["find"]).toMatchObject({
      calls: 4,
      success: 0.25,
      failures: { invalid_arguments: 0, tool_error: 1, timeout: 1, infrastructure: 1 },
      failureRatio: { invalid_arguments: 0, tool_error: 0.25, timeout: 0.25, infrastructure: 0.25 },
    });
    expect(table["lookup"]).toMatchObject({ calls: 1, success: 0, failures: { invalid_arguments: 1 } });
  });

  it("gives percentiles of what calls took", () => {
    const calls = Array.from({ length: 101 }, (_, index) => call("find", null, index));
    expect(toolTable({ played: [episode(calls)] })["find"]!.latencyMs).toEqual({ p50: 50, p95: 95, p99: 99 });
  });

  it("counts what was thrown away, whose tool broke and made the episode be played again, and leaks", () => {
    const table = toolTable({
      played: [episode([call("find")], { attempt: 1 })],
      retried: [
        episode([call("lookup"), call("find", "infrastructure")]),
        episode([call("find", "timeout"), call("find", "timeout")]),
      ],
      leakedSessions: { lookup: 2 },
    });
    expect(table["find"]).toMatchObject({ calls: 4, retries: 2, leakedSessions: 0 });
    expect(table["lookup"]).toMatchObject({ calls: 1, retries: 0, leakedSessions: 2 });
  });

  it("has no row for a tool that only the policy believes in", () => {
    expect(toolTable({ played: [episode([call("fly", "invalid_arguments")])] })).toEqual({});
  });
});

describe("the metrics of a step", () => {
  it("keep the policy's failures and the world's apart", () => {
    const metrics = toolMetrics({
      played: [
        episode([call("find"), call("fly", "invalid_arguments")]),
        episode([call("lookup", "infrastructure")], { status: "environment_error", reward: null }),
      ],
      retried: [episode([call("find", "timeout")], { status: "environment_error", reward: null })],
      sessions: [
        { environment: "atlas", opened: 3, leaked: 1, leakedByTool: { find: 1 } },
        { environment: "files", opened: 2, leaked: 0, leakedByTool: {} },
      ],
    });
    expect(metrics).toMatchObject({
      "failures/policy": 0.25,
      "failures/infrastructure": 0.5,
      retries: 1,
      brokenAttempts: 2,
      "tool/atlas.find/calls": 2,
      "tool/atlas.find/success": 0.5,
      "tool/atlas.find/timeout": 0.5,
      "tool/atlas.find/retries": 1,
      "tool/atlas.find/leakedSessions": 1,
      "tool/atlas.lookup/leakedSessions": 0,
      "sessions/opened": 5,
      "sessions/leaked": 1,
      "tool/atlas.lookup/infrastructure": 1,
      "tool/atlas.lookup/p99": 1,
    });
    expect(Object.values(metrics).every(Number.isFinite)).toBe(true);
  });

  it("are all zero where no tool was called", () => {
    expect(toolMetrics({ played: [episode([])] })).toEqual({
      "failures/policy": 0,
      "failures/infrastructure": 0,
      retries: 0,
      brokenAttempts: 0,
      "sessions/opened": 0,
      "sessions/leaked": 0,
    });
  });
});
