import type { Json, JsonObject } from "../../spec/json.ts";
import type { Message, ToolCall } from "../../spec/message.ts";
import type { ToolSpec } from "../../spec/tool.ts";
import type { Said } from "./branch.ts";
import { type ReadMessage, readArguments } from "./imported.ts";
import { type Fields, isObject, listAt, objectAt, type Spot, textAt, within, wrong } from "./spot.ts";

/** A tool as OpenAI describes it. */
export const toFunction = ({ name, description, parameters }: ToolSpec) => ({
  type: "function",
  function: { name, description, parameters: parameters as JsonObject },
});

/** A message in the form of OpenAI's chat. Arguments are JSON in a text there, and an object in TRL's reading of it. */
export function toChatMessage(message: Message, argumentsAs: "text" | "object"): JsonObject {
  if (message.role === "tool")
    return { role: "tool", tool_call_id: message.callId, name: message.name, content: message.content };
  if (message.role !== "assistant" || !message.toolCalls?.length)
    return { role: message.role, content: message.content };
  const calls = message.toolCalls.map((call) => ({
    id: call.id,
    type: "function",
    function: {
      name: call.name,
      arguments: argumentsAs === "text" ? JSON.stringify(call.arguments) : call.arguments,
    },
  }));
  return { role: "assistant", content: message.content, tool_calls: calls };
}

/** The same with OpenAI's `weight` 0 on turns that no loss may look at. */
export function toWeightedMessage({ message, learn }: Said): JsonObject {
  const written = toChatMessage(message, "text");
  return message.role === "assistant" && !learn ? { ...written, weight: 0 } : written;
}

/** Messages of OpenAI's chat in all its variants: arguments as text or object, content as text or parts, `weight`. */
export function readChatMessages(value: unknown, spot: Spot): ReadMessage[] {
  let made = 0;
  let pending: ToolCall[] = [];
  return listAt(value, spot).map((each, index): ReadMessage => {
    const at = within(spot, index);
    const given = objectAt(each, at);
    const { role } = given;
    const { text, extra } = readContent(given, at);
    const node = extra === undefined ? {} : { node: { extra } };
    if (role === "system" || role === "developer")
      return { message: { role: "system", content: text }, learn: false, spot: at, ...node };
    if (role === "user") return { message: { role, content: text }, learn: false, spot: at, ...node };
    if (role === "assistant") {
      const raw = given.tool_calls ?? [];
      const calls = listAt(raw, within(at, "tool_calls")).map((call, position) =>
        readCall(call, within(within(at, "tool_calls"), position), () => `call-${made++}`),
      );
      pending = [...calls];
      const learn = given.weight === undefined || given.weight === null || given.weight !== 0;
      const toolCalls = calls.length > 0 && { toolCalls: calls };
      return { message: { role, content: text, ...toolCalls }, learn, spot: at, ...node };
    }
    if (role === "tool" || role === "function") {
      // without an id a result answers the calls in their order
      const id = given.tool_call_id ?? pending[0]?.id;
      const field = within(at, "tool_call_id");
      if (id === undefined) throw wrong(field, "the result of a call that the turn before it made", id);
      const callId = textAt(id, field);
      pending = pending.filter((call) => call.id !== callId);
      const name = typeof given.name === "string" ? given.name : "";
      return { message: { role: "tool", callId, name, content: text }, learn: false, spot: field, ...node };
    }
    throw wrong(within(at, "role"), "system, developer, user, assistant or tool", role);
  });
}

function readCall(value: unknown, spot: Spot, nameless: () => string): ToolCall {
  const given = objectAt(value, spot);
  const at = within(spot, "function");
  const called = objectAt(given.function, at);
  return {
    id: typeof given.id === "string" && given.id !== "" ? given.id : nameless(),
    name: textAt(called.name, within(at, "name")),
    arguments: readArguments(called.arguments, within(at, "arguments")),
  };
}

/** Text of a message; parts that are none, and reasoning, are kept as they came. */
function readContent(given: Fields, spot: Spot): { text: string; extra?: Json } {
  const { content, reasoning_content: reasoning } = given;
  const extra: JsonObject = {};
  if (typeof reasoning === "string" && reasoning !== "") extra.reasoning_content = reasoning;
  let text = "";
  if (typeof content === "string") text = content;
  else if (Array.isArray(content)) {
    const parts = content.map((part, index) => objectAt(part, within(within(spot, "content"), index)));
    text = parts
      .map((part) => (part.type === "text" && typeof part.text === "string" ? part.text : ""))
      .join("");
    if (parts.some(({ type }) => type !== "text")) extra.content = content as Json;
  } else if (given.role !== "assistant" || (content !== null && content !== undefined) || isObject(content))
    throw wrong(within(spot, "content"), "a text or a list of parts", content);
  return Object.keys(extra).length > 0 ? { text, extra } : { text };
}
