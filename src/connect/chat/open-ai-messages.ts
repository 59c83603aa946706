import type { Json, JsonObject } from "../../spec/json.ts";
import type { AssistantMessage, Message, ToolCall } from "../../spec/message.ts";
import type { ToolSpec } from "../../spec/tool.ts";

/** The arguments of calls as a model wrote them, so that they are sent back to it unchanged. */
const written = new WeakMap<ToolCall, string>();

/** `parts` are what messages hold beside their text, in the protocol's own shape: images of a user. */
export function toOpenAiMessages(
  messages: readonly Message[],
  parts: readonly (Json | undefined)[] = [],
): JsonObject[] {
  return messages.map((message, index): JsonObject => {
    const beside = parts[index];
    if (message.role === "user" && Array.isArray(beside)) {
      const text = message.content === "" ? [] : [{ type: "text", text: message.content }];
      return { role: "user", content: [...text, ...beside] };
    }
    if (message.role === "tool")
      return { role: "tool", tool_call_id: message.callId, content: message.content };
    if (message.role !== "assistant" || !message.toolCalls?.length)
      return { role: message.role, content: message.content };
    return {
      role: "assistant",
      content: message.content === "" ? null : message.content,
      tool_calls: message.toolCalls.map((call) => ({
        id: call.id,
        type: "function",
        function: { name: call.name, arguments: written.get(call) ?? JSON.stringify(call.arguments) },
      })),
    };
  });
}

export function toOpenAiTools(tools: readonly ToolSpec[]): JsonObject[] {
  return tools.map(({ name, description, parameters }) => ({
    type: "function",
    function: { name, description, parameters: parameters as JsonObject },
  }));
}

/** The answer's message, and the text of each call's arguments; undefined where it is not one. */
export function fromOpenAiMessage(
  value: unknown,
): { message: AssistantMessage; argumentTexts: string[]; reasoning?: string } | undefined {
  if (!isObject(value)) return undefined;
  const { content, tool_calls: calls, reasoning_content, reasoning = reasoning_content } = value;
  const argumentTexts: string[] = [];
  const toolCalls: ToolCall[] = [];
  for (const [index, each] of (Array.isArray(calls) ? calls : []).entries()) {
    const called = isObject(each) ? each["function"] : undefined;
    if (!isObject(called) || typeof called["name"] !== "string") return undefined;
    const given = called["arguments"];
    const text = typeof given === "string" ? given : JSON.stringify(given ?? {});
    const id = (each as JsonObject)["id"];
    const call: ToolCall = {
      id: typeof id === "string" && id !== "" ? id : `call_${index}`,
      name: called["name"],
      arguments: readArguments(text),
    };
    written.set(call, text);
    argumentTexts.push(text);
    toolCalls.push(call);
  }
  const text = textOf(content);
  if (text === undefined) return undefined;
  return {
    message: {
      role: "assistant",
      content: text,
      ...(toolCalls.length > 0 && { toolCalls }),
    },
    argumentTexts,
    ...(typeof reasoning === "string" && reasoning !== "" && { reasoning }),
  };
}

/** A text, or the text parts of a list of parts; nothing at all is an empty text. */
function textOf(content: unknown): string | undefined {
  if (content === null || content === undefined) return "";
  if (typeof content === "string") return content;
  if (!Array.isArray(content)) return undefined;
  return content
    .map((part) => (isObject(part) && typeof part["text"] === "string" ? part["text"] : ""))
    .join("");
}

/** What cannot be read as an object counts as no arguments; its text is kept beside it. */
export function readArguments(text: string): JsonObject {
  try {
    const value: unknown = JSON.parse(text);
    return isObject(value) ? value : {};
  } catch {
    return {};
  }
}

const isObject = (value: unknown): value is JsonObject =>
  typeof value === "object" && value !== null && !Array.isArray(value);
