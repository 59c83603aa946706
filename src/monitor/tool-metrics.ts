import { sum } from "../kit/statistics.ts";
import type { Trajectory } from "../spec/trajectory.ts";
import { infrastructureFailures, isOf, policyFailures, type ToolUse, toolTable } from "./tool-table.ts";

/** What became of an environment's sessions: how many there were, how many were never closed, by the tools called. */
export type SessionUse = {
  environment: string;
  opened: number;
  leaked: number;
  leakedByTool: Readonly<Record<string, number>>;
};

/**
 * The tool table of a step as numbers by name, for metrics.jsonl. What the policy did wrong (`failures/policy`) and
 * what the world did (`failures/infrastructure`) are series of their own, as shares of all calls made in the step;
 * `tool/ENVIRONMENT.TOOL/…` is the row of a tool.
 */
export function toolMetrics({
  played,
  retried = [],
  sessions = [],
}: Pick<ToolUse, "played" | "retried"> & { sessions?: readonly SessionUse[] }): Record<string, number> {
  const calls = [...played, ...retried].flatMap((trajectory) => trajectory.calls);
  const share = (kinds: typeof policyFailures) =>
    calls.length === 0 ? 0 : calls.filter(({ failure }) => isOf(kinds, failure)).length / calls.length;
  const metrics: Record<string, number> = {
    "failures/policy": share(policyFailures),
    "failures/infrastructure": share(infrastructureFailures),
    /** Attempts that were thrown away and played again. */
    retries: retried.length,
    /** Attempts whose world failed, whether or not a later one held. */
    brokenAttempts: retried.length + played.filter(brokeDown).length,
    "sessions/opened": sum(sessions.map(({ opened }) => opened)),
    "sessions/leaked": sum(sessions.map(({ leaked }) => leaked)),
  };
  const environmentOf = ({ task }: Trajectory) => task.environment;
  const retriedBy = Map.groupBy(retried, environmentOf);
  const playedBy = Map.groupBy(played, environmentOf);
  for (const environment of new Set([...playedBy.keys(), ...retriedBy.keys()])) {
    const table = toolTable({
      played: playedBy.get(environment) ?? [],
      retried: retriedBy.get(environment) ?? [],
      leakedSessions: sessions.find((each) => each.environment === environment)?.leakedByTool ?? {},
    });
    for (const [tool, { failures: _counts, failureRatio, latencyMs, ...plain }] of Object.entries(table)) {
      const row = { ...plain, ...failureRatio, ...latencyMs };
      for (const [name, value] of Object.entries(row)) metrics[`tool/${environment}.${tool}/${name}`] = value;
    }
  }
  return metrics;
}

const brokeDown = ({ status }: Trajectory) => status === "environment_error" || status === "timeout";
