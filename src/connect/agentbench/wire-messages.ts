import type { JsonObject } from "../../spec/json.ts";
import type { Message, ToolCall } from "../../spec/message.ts";
import type { WireMessage } from "./protocol.ts";

/** What a worker put before the agent, as ours. An example of another agent's turn stays one. */
export function toMessages(messages: readonly WireMessage[]): Message[] {
  const names = new Map<string, string>();
  return messages.map((message) => {
    const calls = (message.tool_calls ?? []).map(toCall);
    for (const { id, name } of calls) names.set(id, name);
    return toMessage(message, calls, names);
  });
}

function toMessage(message: WireMessage, toolCalls: ToolCall[], names: ReadonlyMap<string, string>): Message {
  const content = textOf(message);
  switch (message.role) {
    case "system":
    case "developer":
      return { role: "system", content };
    case "user":
      return { role: "user", content };
    case "assistant":
    case "agent":
      return { role: "assistant", content, ...(toolCalls.length > 0 && { toolCalls }) };
    case "tool": {
      const callId = message.tool_call_id ?? "";
      return { role: "tool", callId, name: names.get(callId) ?? "tool", content };
    }
  }
}

/** What is new since the agent last spoke. Workers send either that or the whole conversation again. */
export function sinceAgent(messages: readonly WireMessage[]): WireMessage[] {
  const last = messages.findLastIndex(({ role }) => role === "assistant" || role === "agent");
  return messages.slice(last + 1);
}

/** Text of a message; a part that is none is named. */
export function textOf({ content }: WireMessage): string {
  if (typeof content === "string") return content;
  return (content ?? []).map(({ type, text }) => text ?? `[${type}]`).join("\n");
}

export function toWireCalls(calls: readonly ToolCall[]): WireMessage {
  return {
    role: "assistant",
    content: "",
    tool_calls: calls.map(({ id, name, arguments: given }) => ({
      id,
      type: "function",
      function: { name, arguments: JSON.stringify(given) },
    })),
  };
}

function toCall({
  id,
  function: { name, arguments: given },
}: NonNullable<WireMessage["tool_calls"]>[number]) {
  return { id, name, arguments: argumentsOf(given) };
}

/** An example's arguments that are no object are shown as they were written. */
function argumentsOf(text: string): JsonObject {
  try {
    const value: unknown = JSON.parse(text);
    if (typeof value === "object" && value !== null && !Array.isArray(value)) return value as JsonObject;
  } catch {
    // not JSON: below
  }
  return { arguments: text };
}
