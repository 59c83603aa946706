import { mean, standardDeviation } from "../kit/statistics.ts";
import type { Algorithm, Credit, ScoredTrajectory } from "../spec/algorithm.ts";
import { AttuneError } from "../spec/error.ts";
import type { TrainRow } from "../spec/trainer.ts";
import type { Trajectory, TrajectoryNode } from "../spec/trajectory.ts";
import { tokenWeights } from "./aggregation.ts";
import { pathsOf, scoredTokens, toRow } from "./row.ts";

export type Batch = {
  rows: TrainRow[];
  metrics: {
    /** Groups in all, those whose rewards are all equal, and trajectories without a reward. */
    groups: number;
    tiedGroups: number;
    dropped: number;
    /** Tokens the loss looks at. */
    scoredTokens: number;
    /** Deviation of what the batch's trajectories were credited with; each counts once. */
    advantageDeviation: number;
    /** Mean over groups of the deviation of their rewards. When it goes to 0 there is nothing left to tell apart. */
    rewardDeviation: number;
  };
  /** Where there are no rows: why, in one sentence. */
  reason?: string;
};

/**
 * Groups of trajectories to rows. Trajectories without a reward are dropped before credit is computed, here and
 * once, so that no algorithm has to think of them.
 */
export function toRows({
  groups,
  algorithm,
}: {
  groups: readonly (readonly Trajectory[])[];
  algorithm: Algorithm;
}): Batch {
  const valid = groups.map((group) => group.filter(({ reward }) => reward !== null));
  const dropped = groups.flat().length - valid.flat().length;
  const tiedGroups = valid.filter((group) => group.length > 0 && isTied(group)).length;
  const kept = valid.filter((group) => group.length > 0 && (algorithm.learnsFromTies || !isTied(group)));
  const metrics = {
    groups: groups.length,
    tiedGroups,
    dropped,
    scoredTokens: 0,
    advantageDeviation: 0,
    rewardDeviation: deviationWithin(valid),
  };

  // credit, group by group, then over the batch
  const credited = kept.flatMap((group) => {
    const scored = group.map(toScored);
    const credits = algorithm.credit(scored);
    return group.map((trajectory, index) => ({
      trajectory,
      scored: scored[index]!,
      credit: credits[index]!,
    }));
  });
  const finished =
    credited.length > 0 ? (algorithm.finish?.(credited) ?? credited.map(({ credit }) => credit)) : [];

  // rows: a rollout of several rows shares its weight among them
  const paths = credited.map(({ trajectory }) => pathsOf(trajectory, "reinforce"));
  const lengths = paths.map((own) => own.reduce((total, path) => total + scoredTokens(path), 0));
  const present = [...lengths.keys()].filter((index) => lengths[index]! > 0);
  const weights = tokenWeights(
    algorithm.aggregation,
    present.map((index) => lengths[index]!),
  );
  const rows = present.flatMap((index, position) => {
    const advantageOf = advantageReader(credited[index]!.trajectory, finished[index]!);
    return paths[index]!.filter((path) => scoredTokens(path) > 0).map((path) =>
      toRow(path, { weight: weights[position]!, advantageOf }),
    );
  });

  if (rows.length === 0) return { rows, metrics, reason: reasonOf({ groups, valid, kept }) };
  if (present.every((index) => isNothing(finished[index]!))) {
    return {
      rows: [],
      metrics,
      reason: `all credit is zero: ${algorithm.name} found no attempt better or worse`,
    };
  }
  metrics.scoredTokens = lengths.reduce((total, length) => total + length, 0);
  metrics.advantageDeviation = standardDeviation(present.map((index) => averageOf(finished[index]!)));
  return { rows, metrics };
}

/** Whether the attempts that have a reward all have the same: there is nothing to tell apart. */
export function isTied(group: readonly Trajectory[]): boolean {
  return new Set(group.map(({ reward }) => reward).filter((reward) => reward !== null)).size < 2;
}

function toScored({ nodes, reward, task }: Trajectory): ScoredTrajectory {
  return {
    reward: reward!,
    task: task.id,
    environment: task.environment,
    turnTokens: nodes.filter(({ mask }) => mask).map(({ tokens }) => tokens.length),
  };
}

/** What a written token earned: credit is per trajectory, per written node (turn), or per written token in order. */
function advantageReader(
  { id, nodes }: Trajectory,
  credit: Credit,
): (node: TrajectoryNode, index: number) => number {
  if (credit.level === "trajectory") return () => credit.value;
  const written = nodes.filter(({ mask }) => mask);
  const starts = new Map<TrajectoryNode, { turn: number; token: number }>();
  let token = 0;
  for (const [turn, node] of written.entries()) {
    starts.set(node, { turn, token });
    token += node.tokens.length;
  }
  const expected = credit.level === "turn" ? written.length : token;
  if (credit.values.length !== expected) {
    throw new AttuneError(
      "usage",
      `trajectory ${id}: expected credit for ${expected} ${credit.level}s, got ${credit.values.length}`,
    );
  }
  if (credit.level === "turn") return (node) => credit.values[starts.get(node)!.turn]!;
  return (node, index) => credit.values[starts.get(node)!.token + index]!;
}

/** Credit below this is rounding: a group's mean is rarely exact. */
const leastCredit = 1e-9;

function isNothing(credit: Credit): boolean {
  const values = credit.level === "trajectory" ? [credit.value] : credit.values;
  return values.every((value) => Math.abs(value) < leastCredit);
}

function deviationWithin(groups: readonly (readonly Trajectory[])[]): number {
  const scored = groups.filter((group) => group.length > 0);
  if (scored.length === 0) return 0;
  return mean(scored.map((group) => standardDeviation(group.map(({ reward }) => reward!))));
}

function averageOf(credit: Credit): number {
  return credit.level === "trajectory" ? credit.value : mean(credit.values);
}

function reasonOf({
  groups,
  valid,
  kept,
}: {
  groups: readonly unknown[];
  valid: readonly (readonly unknown[])[];
  kept: readonly unknown[];
}): string {
  if (groups.length === 0) return "there was no group to learn from";
  if (valid.every((group) => group.length === 0))
    return "no trajectory has a reward: every episode failed for reasons that are not the policy's";
  if (kept.length === 0) return "all groups are tied: every attempt at a task earned the same";
  return "everything is masked: the policy wrote no token";
}
