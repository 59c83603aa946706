import type { JsonObject } from "../../spec/json.ts";
import type { Message } from "../../spec/message.ts";
import type { PreferencePair } from "../../spec/preference.ts";
import type { ToolSpec } from "../../spec/tool.ts";
import { toChatMessage, toFunction } from "./chat.ts";

/** A conversation to imitate, as TRL reads it: `messages`, and `tools` where there are any. */
export function toConversationRow({
  messages,
  tools,
}: {
  messages: readonly Message[];
  tools: readonly ToolSpec[];
}): JsonObject {
  return { messages: toMessages(messages), ...toolsOf(tools) };
}

/** A preference pair as TRL reads it: `prompt`, `chosen`, `rejected`, and `tools` where there are any. */
export function toPreferenceRow({ prompt, chosen, rejected, tools }: PreferencePair): JsonObject {
  return {
    prompt: toMessages(prompt),
    chosen: toMessages(chosen),
    rejected: toMessages(rejected),
    ...toolsOf(tools),
  };
}

const toMessages = (messages: readonly Message[]) =>
  messages.map((message) => toChatMessage(message, "object"));

const toolsOf = (tools: readonly ToolSpec[]): JsonObject =>
  tools.length > 0 ? { tools: tools.map(toFunction) } : {};
