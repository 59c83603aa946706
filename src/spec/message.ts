import type { JsonObject } from "./json.ts";
import type { ToolFailureKind } from "./tool.ts";

/** A call the model asks for. `arguments` are parsed but not yet checked against the tool's schema. */
export type ToolCall = { id: string; name: string; arguments: JsonObject };

export type SystemMessage = { role: "system"; content: string };
export type UserMessage = { role: "user"; content: string };
/** `content` is the model's own text outside of tool calls (its thought, or its answer when there are no calls). */
export type AssistantMessage = { role: "assistant"; content: string; toolCalls?: ToolCall[] };
export type ToolMessage = {
  role: "tool";
  callId: string;
  name: string;
  content: string;
  failure?: ToolFailureKind;
};

export type Message = SystemMessage | UserMessage | AssistantMessage | ToolMessage;
