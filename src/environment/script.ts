import type { Player } from "../spec/environment.ts";
import type { JsonObject } from "../spec/json.ts";
import type { AssistantMessage } from "../spec/message.ts";

/** A move of a scripted player: a thought with a call, or the end. */
export type Move = { thought: string; call: { name: string; arguments: JsonObject } } | { answer: string };

/** Plays moves that a function decides from the observations so far (the newest last). */
export function scripted(next: (observations: readonly string[]) => Move): Player {
  return ({ messages }) => {
    const observations = messages.flatMap((message) => (message.role === "tool" ? [message.content] : []));
    return toMessage(next(observations));
  };
}

export function toMessage(move: Move): AssistantMessage {
  if ("answer" in move) return { role: "assistant", content: `<answer>${move.answer}</answer>` };
  return { role: "assistant", content: move.thought, toolCalls: [{ id: "call_0", ...move.call }] };
}
