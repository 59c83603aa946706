import type { AssistantMessage, Message } from "../spec/message.ts";
import type { Trajectory, TrajectoryNode } from "../spec/trajectory.ts";

/** Nodes from a root to a leaf: one row of training data. */
export function pathTo({ nodes }: Pick<Trajectory, "nodes">, leaf: number): TrajectoryNode[] {
  const path: TrajectoryNode[] = [];
  for (let index: number | null = leaf; index !== null; index = nodes[index]!.parent)
    path.push(nodes[index]!);
  return path.reverse();
}

/** Indices of the nodes that nothing follows. */
export function leavesOf({ nodes }: Trajectory): number[] {
  const parents = new Set(nodes.map(({ parent }) => parent));
  return [...nodes.keys()].filter((index) => !parents.has(index));
}

/** The last leaf's path: what the episode came to. A sample that broke off and was asked for again is no such end. */
export function mainPath(trajectory: Trajectory): TrajectoryNode[] {
  const leaves = leavesOf(trajectory);
  const isEnd = (leaf: number) => {
    const { gap, mask } = trajectory.nodes[leaf]!;
    return mask || !gap?.includes("rest");
  };
  const leaf = leaves.findLast(isEnd) ?? leaves.at(-1);
  return leaf === undefined ? [] : pathTo(trajectory, leaf);
}

export function messagesOf(trajectory: Trajectory): Message[] {
  return mainPath(trajectory).flatMap(({ message }) => (message ? [message] : []));
}

export function assistantMessages(trajectory: Trajectory): AssistantMessage[] {
  return messagesOf(trajectory).filter((message) => message.role === "assistant");
}

/** Tokens that were drawn from the policy, over all nodes. */
export function sampledTokens({ nodes }: Trajectory): number {
  return nodes.reduce((total, node) => total + (node.sampled ? node.tokens.length : 0), 0);
}
