import type { Trajectory, TrajectoryNode } from "../spec/trajectory.ts";

type Node = Pick<TrajectoryNode, "tokens" | "logprobs" | "sampled" | "mask">;

/** Tokens of the world: a prompt, an observation. */
export function observed(...tokens: number[]): Node {
  return { tokens: Int32Array.from(tokens), logprobs: null, sampled: false, mask: false };
}

/** Tokens of whoever plays; without log-probabilities it is an expert. */
export function said(tokens: number[], logprobs: number[] | null = tokens.map(() => -1)): Node {
  return {
    tokens: Int32Array.from(tokens),
    logprobs: logprobs && Float32Array.from(logprobs),
    sampled: logprobs !== null,
    mask: true,
  };
}

type Fields = {
  id?: string;
  reward: number | null;
  status?: Trajectory["status"];
  environment?: string;
  task?: string;
};

/** A trajectory of one path. */
export function conversation({ nodes, ...fields }: Fields & { nodes: readonly Node[] }): Trajectory {
  return trajectoryOf(
    nodes.map((node, index) => ({ ...node, parent: index === 0 ? null : index - 1 })),
    fields,
  );
}

/**
 * Two paths that share a prompt and a turn, 1 | 2 3 | 4 | 5 | 8 and 1 | 2 3 | 6 | 7. The written tokens are 2 and 3 on
 * both, 5 on the first, 7 on the second.
 */
export function branchedTrajectory(fields: Fields): Trajectory {
  return trajectoryOf(
    [
      { ...observed(1), parent: null },
      { ...said([2, 3]), parent: 0 },
      { ...observed(4), parent: 1 },
      { ...said([5]), parent: 2 },
      { ...observed(8), parent: 3 },
      { ...observed(6), parent: 1 },
      { ...said([7]), parent: 5 },
    ],
    fields,
  );
}

function trajectoryOf(
  nodes: readonly (Node & { parent: number | null })[],
  { id = "group/0", reward, status = "completed", environment = "test", task = "task" }: Fields,
): Trajectory {
  return {
    format: 1,
    id,
    player: "policy",
    step: 0,
    group: "group",
    sample: 0,
    attempt: 0,
    seed: 0,
    task: { id: task, environment, kind: "any", input: null, split: "train" },
    tools: [],
    nodes: nodes.map((node) => ({ ...node, turn: 0, message: null, policyVersion: node.sampled ? 0 : null })),
    calls: [],
    status,
    rewards: {},
    reward,
    timing: { samplingMs: 0, toolMs: 0, gradingMs: 0, wallMs: 0 },
  };
}
