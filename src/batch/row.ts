import { AttuneError } from "../spec/error.ts";
import type { TrainRow } from "../spec/trainer.ts";
import type { Trajectory, TrajectoryNode } from "../spec/trajectory.ts";
import { leavesOf, pathTo } from "../trajectory/path.ts";

/** A root-to-leaf path of a trajectory, with the nodes that this path is the first to hold. */
export type Path = { trajectory: string; nodes: TrajectoryNode[]; own: ReadonlySet<TrajectoryNode> };

/**
 * All paths that hold something its player wrote, each up to the last of it: what the world said after the end
 * teaches nothing, and may not fit the context any more. A node that several share is counted by the first only.
 * Refuses a trajectory without tokens.
 */
export function pathsOf(trajectory: Trajectory): Path[] {
  if (trajectory.nodes.length > 0 && trajectory.nodes.every(({ tokens }) => tokens.length === 0)) {
    throw new AttuneError(
      "input",
      `trajectory ${trajectory.id}: expected tokens, got messages only; tokenise what a player wrote before learning from it`,
    );
  }
  const seen = new Set<TrajectoryNode>();
  return leavesOf(trajectory).flatMap((leaf) => {
    const path = pathTo(trajectory, leaf);
    const own = new Set(path.filter((node) => !seen.has(node)));
    const last = path.findLastIndex((node) => node.mask && own.has(node));
    if (last === -1) return [];
    const nodes = path.slice(0, last + 1);
    for (const node of nodes) seen.add(node);
    return [{ trajectory: trajectory.id, nodes, own }];
  });
}

/** Tokens of a path that its player wrote and that no earlier path has. */
export function scoredTokens({ nodes, own }: Path): number {
  return nodes.reduce((total, node) => total + (node.mask && own.has(node) ? node.tokens.length : 0), 0);
}

/**
 * A path as a training row in the shift convention: inputs t₀…tₙ₋₁, targets t₁…tₙ. A target has the given weight
 * where the player wrote it; `advantageOf` says what each written token earned, and asks for the log-probability
 * it was sampled with.
 */
export function toRow(
  { trajectory, nodes, own }: Path,
  options: { weight: number; advantageOf?: (node: TrajectoryNode, index: number) => number },
): TrainRow {
  const length = nodes.reduce((total, { tokens }) => total + tokens.length, 0);
  const tokens = new Int32Array(length);
  const weights = new Float32Array(length);
  const logprobs = new Float32Array(length);
  const advantages = new Float32Array(length);
  let offset = 0;
  for (const node of nodes) {
    tokens.set(node.tokens, offset);
    if (node.mask && own.has(node)) {
      weights.fill(options.weight, offset, offset + node.tokens.length);
      if (node.logprobs) logprobs.set(node.logprobs, offset);
      if (options.advantageOf && !node.logprobs) {
        throw new AttuneError(
          "input",
          `trajectory ${trajectory}: expected log-probabilities for turn ${node.turn}, got none; only what a policy sampled can be reinforced`,
        );
      }
      if (options.advantageOf)
        for (let index = 0; index < node.tokens.length; index++)
          advantages[offset + index] = options.advantageOf(node, index);
    }
    offset += node.tokens.length;
  }
  const row = { tokens: tokens.subarray(0, -1), targets: tokens.subarray(1), weights: weights.subarray(1) };
  return options.advantageOf
    ? { ...row, logprobs: logprobs.subarray(1), advantages: advantages.subarray(1) }
    : row;
}
