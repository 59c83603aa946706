import { mean, sum } from "../kit/statistics.ts";
import type { Trajectory } from "../spec/trajectory.ts";
import type { StepMetrics } from "./event.ts";

/** What a step's episodes looked like, as numbers by name. Policy-caused and world-caused failures are apart. */
export function rolloutMetrics(trajectories: readonly Trajectory[]): StepMetrics {
  const scored = trajectories.filter(({ reward }) => reward !== null);
  const sampled = trajectories.map(({ nodes }) => nodes.filter((node) => node.sampled));
  const calls = trajectories.flatMap((trajectory) => trajectory.calls);
  const logprobs = sampled.flat().map(({ logprobs }) => sum(logprobs ?? []));
  const tokensSampled = sum(sampled.flat().map(({ tokens }) => tokens.length));
  const metrics: StepMetrics = {
    episodes: trajectories.length,
    reward: scored.length > 0 ? mean(scored.map(({ reward }) => reward!)) : 0,
    turns: mean(sampled.map((turns) => turns.length)),
    toolCalls: calls.length / trajectories.length,
    toolFailures: share(calls, ({ failure }) => failure === "invalid_arguments" || failure === "tool_error"),
    infrastructureFailures: share(trajectories, ({ status }) => status === "environment_error"),
    episodeTokens: tokensSampled / trajectories.length,
    /** Monte Carlo estimate of the policy's entropy per token, in nats. */
    entropy: tokensSampled > 0 ? -sum(logprobs) / tokensSampled : 0,
    tokensSampled,
  };
  for (const name of new Set(scored.map(({ task }) => task.environment))) {
    const own = scored.filter(({ task }) => task.environment === name);
    metrics[`reward/${name}`] = mean(own.map(({ reward }) => reward!));
  }
  for (const status of new Set(trajectories.map((trajectory) => trajectory.status))) {
    metrics[`status/${status}`] = share(trajectories, (trajectory) => trajectory.status === status);
  }
  return metrics;
}

function share<Item>(items: readonly Item[], matches: (item: Item) => boolean): number {
  return items.length === 0 ? 0 : items.filter(matches).length / items.length;
}
