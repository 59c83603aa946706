import { mean, sum, wilsonInterval } from "../kit/statistics.ts";
import type { ToolFailureKind } from "../spec/tool.ts";
import type { Trajectory } from "../spec/trajectory.ts";
import { assistantMessages, sampledTokens } from "../trajectory/path.ts";

/** Success of one environment: share of episodes with its 95 % interval, and what the episodes were like. */
export type EnvironmentReport = {
  success: number;
  low: number;
  high: number;
  episodes: number;
  /** Episodes that say nothing about the policy, and are not among `episodes`. */
  dropped: number;
  turns: number;
  toolCalls: number;
  /** Share of tool calls that failed by the policy's doing. */
  toolFailures: number;
  sampledTokens: number;
  reward: number;
  kinds: Record<string, { success: number; episodes: number }>;
  statuses: Record<string, number>;
};

export type EvaluationReport = {
  environments: Record<string, EnvironmentReport>;
  /** Mean over the environments that have episodes. */
  success: number;
  tokensSampled: number;
};

/** Whether an episode was a success: its component `correct` is 1, or its reward is where there is none. */
export function isSuccess({ rewards, reward }: Trajectory): boolean {
  return (rewards["correct"] === undefined ? reward : rewards["correct"]) === 1;
}

export function toReport(trajectories: readonly Trajectory[]): EvaluationReport {
  const byEnvironment = Map.groupBy(trajectories, ({ task }) => task.environment);
  const environments = Object.fromEntries(
    [...byEnvironment].map(([name, own]) => [name, toEnvironmentReport(own)]),
  );
  return {
    environments,
    success: average(
      Object.values(environments)
        .filter(({ episodes }) => episodes > 0)
        .map(({ success }) => success),
    ),
    tokensSampled: trajectories.reduce((total, trajectory) => total + sampledTokens(trajectory), 0),
  };
}

function toEnvironmentReport(trajectories: readonly Trajectory[]): EnvironmentReport {
  const valid = trajectories.filter(({ reward }) => reward !== null);
  const successes = valid.filter(isSuccess).length;
  const calls = valid.flatMap((trajectory) => trajectory.calls);
  const kinds = [...Map.groupBy(valid, ({ task }) => task.kind)].sort(([a], [b]) => (a < b ? -1 : 1));
  const statuses = Map.groupBy(trajectories, ({ status }) => status);
  return {
    success: valid.length > 0 ? successes / valid.length : 0,
    ...intervalOf(valid),
    episodes: valid.length,
    dropped: trajectories.length - valid.length,
    turns: average(valid.map((trajectory) => assistantMessages(trajectory).length)),
    toolCalls: average(valid.map((trajectory) => trajectory.calls.length)),
    toolFailures: average(calls.map(({ failure }) => (isPolicyFailure(failure) ? 1 : 0))),
    sampledTokens: average(valid.map(sampledTokens)),
    reward: average(valid.map(({ reward }) => reward!)),
    kinds: Object.fromEntries(
      kinds.map(([kind, own]) => [
        kind,
        { success: own.filter(isSuccess).length / own.length, episodes: own.length },
      ]),
    ),
    statuses: Object.fromEntries([...statuses].map(([status, own]) => [status, own.length])),
  };
}

/**
 * Wilson's interval. Attempts at one task are no independent evidence: where tasks were tried more than once, the
 * interval is that of fewer episodes, by the design effect of the tasks as clusters (Kish 1965). Between "one
 * attempt each" and "every attempt at a task ends alike" it goes from episodes to tasks.
 */
function intervalOf(valid: readonly Trajectory[]): { low: number; high: number } {
  const tasks = [...Map.groupBy(valid, ({ task }) => task.id).values()].map((attempts) => ({
    attempts: attempts.length,
    successes: attempts.filter(isSuccess).length,
  }));
  const episodes = valid.length;
  const successes = sum(tasks.map((task) => task.successes));
  if (tasks.length === episodes) return wilsonInterval(successes, episodes);
  const share = successes / episodes;
  const independent = episodes * share * (1 - share);
  const clustered = sum(tasks.map((task) => (task.successes - share * task.attempts) ** 2));
  // all alike or none: nothing to tell how far attempts depend on their task, so believe that they do
  const effect = independent > 0 ? Math.max(1, clustered / independent) : episodes / tasks.length;
  return wilsonInterval(successes / effect, episodes / effect);
}

const isPolicyFailure = (failure: ToolFailureKind | null) =>
  failure === "invalid_arguments" || failure === "tool_error";

/** 0 for no values: a report is JSON, which has no NaN. */
const average = (values: readonly number[]) => (values.length > 0 ? mean(values) : 0);
