import type { Message } from "../spec/message.ts";
import type { Renderer } from "../spec/tokenizer.ts";
import type { Trajectory } from "../spec/trajectory.ts";

/**
 * Fills in the tokens of a trajectory that was played in messages. What a policy sampled is never touched: this is
 * for players, whose words have no tokens of their own.
 */
export function tokenizeTrajectory(trajectory: Trajectory, renderer: Renderer): Trajectory {
  const nodes = trajectory.nodes.map((node) => ({ ...node }));
  let opening: Message[] = [];
  let spoken = false;
  for (const [index, node] of nodes.entries()) {
    const { message } = node;
    if (!message || node.sampled)
      throw new TypeError(`trajectory ${trajectory.id}: node ${index} was not played in messages`);
    if (message.role === "assistant") {
      node.tokens = renderer.turn(message);
      node.mask = true;
      spoken = true;
      opening = [];
      continue;
    }
    opening.push(message);
    const next = nodes[index + 1]?.message;
    if (next && next.role !== "assistant") continue;
    node.tokens = spoken ? renderer.observation(opening) : renderer.prompt(opening, trajectory.tools);
  }
  return { ...trajectory, nodes };
}
