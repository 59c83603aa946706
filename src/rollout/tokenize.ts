import { AttuneError } from "../spec/error.ts";
import type { Message } from "../spec/message.ts";
import type { Renderer } from "../spec/tokenizer.ts";
import type { Trajectory } from "../spec/trajectory.ts";

/**
 * Fills in the tokens of a trajectory that was played in messages, one path from first to last. What a policy
 * sampled is refused: this is for players, whose words have no tokens of their own.
 */
export function tokenizeTrajectory(trajectory: Trajectory, renderer: Renderer): Trajectory {
  const nodes = trajectory.nodes.map((node) => ({ ...node }));
  let between: Message[] = [];
  let spoken = false;
  for (const [index, node] of nodes.entries()) {
    if (!node.message || node.sampled)
      throw new AttuneError(
        "input",
        `trajectory ${trajectory.id}, node ${index}: expected a message that a player spoke, got sampled tokens`,
      );
    if (node.mask && node.message.role === "assistant") {
      node.tokens = renderer.turn(node.message);
      spoken = true;
      between = [];
      continue;
    }
    between.push(node.message);
    const next = nodes[index + 1];
    if (next && !next.mask) continue;
    node.tokens = spoken ? renderer.observation(between) : renderer.prompt(between, trajectory.tools);
  }
  return { ...trajectory, nodes };
}
