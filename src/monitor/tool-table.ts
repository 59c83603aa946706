import { quantile } from "../kit/statistics.ts";
import type { ToolFailureKind } from "../spec/tool.ts";
import type { ToolCallRecord, Trajectory } from "../spec/trajectory.ts";

/** How a tool did over many calls. */
export type ToolRow = {
  calls: number;
  /** Share of the calls that gave the policy what it asked for. */
  success: number;
  /** Calls by what went wrong: the first two are the policy's doing, the last two the world's. */
  failures: Record<ToolFailureKind, number>;
  /** The same as shares of all calls. */
  failureRatio: Record<ToolFailureKind, number>;
  latencyMs: { p50: number; p95: number; p99: number };
  /** Episodes that were played again because this tool broke. */
  retries: number;
  /** Sessions in which it was called and that were never closed. */
  leakedSessions: number;
};

export const policyFailures: readonly ToolFailureKind[] = ["invalid_arguments", "tool_error"];
export const infrastructureFailures: readonly ToolFailureKind[] = ["timeout", "infrastructure"];
export const failureKinds: readonly ToolFailureKind[] = [...policyFailures, ...infrastructureFailures];

export type ToolUse = {
  /** Episodes as they ended. */
  played: readonly Trajectory[];
  /** Attempts that were thrown away because the world failed and the episode was played again. */
  retried?: readonly Trajectory[];
  /** Sessions never closed, by the tools that were called in them. */
  leakedSessions?: Readonly<Record<string, number>>;
};

/**
 * A row for every tool that was called, by name. Calls of attempts that were thrown away are counted: they are what
 * the world did. Calls to tools that the session did not offer are nobody's row.
 */
export function toolTable({ played, retried = [], leakedSessions = {} }: ToolUse): Record<string, ToolRow> {
  const calls = Map.groupBy([...played, ...retried].flatMap(offeredCalls), ({ name }) => name);
  const retries = new Map<string, number>();
  for (const trajectory of retried) {
    for (const name of brokenTools(trajectory)) retries.set(name, (retries.get(name) ?? 0) + 1);
  }
  return Object.fromEntries(
    [...calls].map(([name, made]) => [
      name,
      {
        ...toRow(made),
        retries: retries.get(name) ?? 0,
        leakedSessions: leakedSessions[name] ?? 0,
      },
    ]),
  );
}

/** Calls of tools that the session offered. */
export function offeredCalls({ tools, calls }: Trajectory): ToolCallRecord[] {
  const offered = new Set(tools.map(({ name }) => name));
  return calls.filter(({ name }) => offered.has(name));
}

export const isOf = (kinds: readonly ToolFailureKind[], failure: ToolFailureKind | null): boolean =>
  failure !== null && kinds.includes(failure);

function brokenTools({ calls }: Trajectory): Set<string> {
  return new Set(
    calls.filter(({ failure }) => isOf(infrastructureFailures, failure)).map(({ name }) => name),
  );
}

function toRow(made: readonly ToolCallRecord[]): Omit<ToolRow, "retries" | "leakedSessions"> {
  const failures = byKind((kind) => made.filter(({ failure }) => failure === kind).length);
  const latencies = Float64Array.from(made, ({ latencyMs }) => latencyMs);
  return {
    calls: made.length,
    success: made.filter(({ failure }) => failure === null).length / made.length,
    failures,
    failureRatio: byKind((kind) => failures[kind] / made.length),
    latencyMs: {
      p50: quantile(latencies, 0.5),
      p95: quantile(latencies, 0.95),
      p99: quantile(latencies, 0.99),
    },
  };
}

const byKind = (value: (kind: ToolFailureKind) => number) =>
  Object.fromEntries(failureKinds.map((kind) => [kind, value(kind)])) as Record<ToolFailureKind, number>;
