import type { AssistantMessage } from "../spec/message.ts";
import type { Renderer } from "../spec/tokenizer.ts";
import type { Trajectory } from "../spec/trajectory.ts";
import { retokenize } from "../trajectory/retokenize.ts";

/**
 * Whether the stored ids of a trajectory are those of this vocabulary: every assistant turn has ids, and they read
 * back as the message that is stored beside them.
 */
export function hasTokensOf(trajectory: Trajectory, renderer: Renderer): boolean {
  const spoken = trajectory.nodes.filter(({ message, mask }) => mask && message?.role === "assistant");
  return spoken.every(
    ({ message, tokens }) =>
      tokens.length > 0 &&
      tokens.every((id) => id < renderer.tokenizer.vocabularySize) &&
      isSaid(renderer.parse(tokens).message, message as AssistantMessage),
  );
}

/**
 * A stored trajectory to imitate: with its own ids where they are of this vocabulary, else what was said, in new
 * ones. Only supervised learning may do the latter: no probability belongs to ids that nobody sampled.
 */
export function toDemonstration(trajectory: Trajectory, renderer: Renderer): Trajectory {
  if (hasTokensOf(trajectory, renderer)) return trajectory;
  return retokenize(trajectory, renderer).trajectory;
}

function isSaid(read: AssistantMessage, stored: AssistantMessage): boolean {
  return read.content === stored.content && callsOf(read) === callsOf(stored);
}

const callsOf = ({ toolCalls = [] }: AssistantMessage) =>
  JSON.stringify(toolCalls.map((call) => [call.name, call.arguments]));
