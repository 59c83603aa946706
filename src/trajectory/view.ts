import type { Trajectory } from "../spec/trajectory.ts";
import { mainPath } from "./path.ts";

export type TranscriptLine = { speaker: string; text: string; tokens: number; note?: string };

/** A trajectory as lines to read: who said what, in how many tokens, and what went wrong. */
export function toTranscript(trajectory: Trajectory): TranscriptLine[] {
  return mainPath(trajectory).flatMap(({ message, tokens, stopReason }) => {
    if (!message) return [];
    const calls = message.role === "assistant" ? (message.toolCalls ?? []) : [];
    const text = [
      message.content,
      ...calls.map((call) => `→ ${call.name} ${JSON.stringify(call.arguments)}`),
    ];
    const note =
      message.role === "tool" ? message.failure : stopReason === "length" ? "cut at the limit" : undefined;
    return [
      {
        speaker: message.role,
        text: text.filter(Boolean).join("\n"),
        tokens: tokens.length,
        ...(note && { note }),
      },
    ];
  });
}
