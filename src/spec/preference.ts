import type { Message } from "./message.ts";
import type { ToolSpec } from "./tool.ts";

/** Two ways to go on from the same conversation, one better than the other. */
export type PreferencePair = {
  prompt: readonly Message[];
  tools: readonly ToolSpec[];
  chosen: readonly Message[];
  rejected: readonly Message[];
};
