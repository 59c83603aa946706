import { AttuneError } from "../spec/error.ts";
import type { TrainRow } from "../spec/trainer.ts";
import type { Gap, Trajectory, TrajectoryNode } from "../spec/trajectory.ts";
import { leavesOf, pathTo } from "../trajectory/path.ts";

/** A root-to-leaf path of a trajectory, with the nodes that this path is the first to hold. */
export type Path = { trajectory: string; nodes: TrajectoryNode[]; own: ReadonlySet<TrajectoryNode> };

/**
 * All paths that hold something its player wrote, each up to the last of it: what the world said after the end
 * teaches nothing, and may not fit the context any more. A node that several share is counted by the first only, so
 * however a rollout forks, each token it sampled counts once. Refuses a trajectory without tokens, and a path of
 * which something is not known that its use asks for.
 */
export function pathsOf(trajectory: Trajectory, use: "imitate" | "reinforce"): Path[] {
  if (
    trajectory.nodes.length > 0 &&
    trajectory.nodes.every(({ tokens, gap }) => tokens.length === 0 && !gap)
  ) {
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
    requireKnown(trajectory, nodes, use);
    for (const node of nodes) seen.add(node);
    return [{ trajectory: trajectory.id, nodes, own }];
  });
}

/** What must have been observed: all tokens; and to be reinforced, log-probabilities of what truly stood there. */
const needed: Record<"imitate" | "reinforce", readonly Gap[]> = {
  imitate: ["tokens"],
  reinforce: ["tokens", "prompt", "logprobs"],
};

const missing: Record<Gap, string> = {
  tokens: "its tokens are not known",
  prompt: "its prompt was recognised by its messages and not by its tokens",
  logprobs: "the log-probabilities it was sampled with are not known",
  rest: "its end is not known",
};

function requireKnown(
  trajectory: Trajectory,
  path: readonly TrajectoryNode[],
  use: keyof typeof needed,
): void {
  for (const node of path) {
    const gap = node.gap?.find((each) => needed[use].includes(each));
    if (gap === undefined) continue;
    const remedy =
      use === "reinforce"
        ? "it cannot be reinforced"
        : "re-tokenise it from its messages (`retokenize`) to learn from it";
    throw new AttuneError(
      "input",
      `trajectory ${trajectory.id}, node ${trajectory.nodes.indexOf(node)} (turn ${node.turn}): ${missing[gap]} (gap "${gap}"); ${remedy}`,
    );
  }
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
