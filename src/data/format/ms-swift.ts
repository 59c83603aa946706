import type { JsonObject } from "../../spec/json.ts";
import type { ToolCall } from "../../spec/message.ts";
import { type Branch, callsOf } from "./branch.ts";
import { toFunction } from "./chat.ts";
import { type ReadMessage, readArguments, readTools, toTrajectory } from "./imported.ts";
import { jsonLinesFormat } from "./json-lines.ts";
import { type Fields, jsonAt, listAt, objectAt, type Spot, textAt, within, wrong } from "./spot.ts";

/**
 * ms-swift's agent rows: `tools` is JSON in a text; a call is a message of the role `tool_call` whose content is JSON,
 * a result one of the role `tool_response`; calls that follow one another are one turn; `loss` false on a message
 * keeps the loss from it.
 */
export const msSwift = jsonLinesFormat({
  name: "ms-swift",
  about: "ms-swift agent JSONL",
  toRow: ({ said, tools }: Branch) => ({
    ...(tools.length > 0 && { tools: JSON.stringify(tools.map(toFunction)) }),
    messages: said.flatMap(({ message, learn }): JsonObject[] => {
      if (message.role === "tool") return [{ role: "tool_response", content: message.content }];
      if (message.role !== "assistant") return [{ role: message.role, content: message.content }];
      const loss = !learn && { loss: false };
      const calls = callsOf(message).map((call) => ({
        role: "tool_call",
        content: JSON.stringify({ name: call.name, arguments: call.arguments }),
        ...loss,
      }));
      const text = { role: "assistant", content: message.content, ...loss };
      return calls.length > 0 && message.content === "" ? calls : [text, ...calls];
    }),
  }),
  fromRow(row: Fields, spot: Spot) {
    const messages = readMessages(row.messages, within(spot, "messages"));
    return toTrajectory(messages, { spot, tools: readTools(row.tools, within(spot, "tools")) });
  },
});

function readMessages(value: unknown, spot: Spot): ReadMessage[] {
  const messages: ReadMessage[] = [];
  let pending: ToolCall[] = [];
  let made = 0;
  for (const [index, each] of listAt(value, spot).entries()) {
    const at = within(spot, index);
    const given = objectAt(each, at);
    const content = textAt(given.content, within(at, "content"));
    const learn = given.loss !== false;
    const last = messages.at(-1);
    if (given.role === "system" || given.role === "user" || given.role === "assistant") {
      pending = [];
      messages.push({ message: { role: given.role, content }, learn, spot: at });
    } else if (given.role === "tool_call") {
      const called = objectAt(jsonAt(content, within(at, "content")), within(at, "content"));
      const call = {
        id: `call-${made++}`,
        name: textAt(called.name, within(within(at, "content"), "name")),
        arguments: readArguments(called.arguments, within(within(at, "content"), "arguments")),
      };
      pending.push(call);
      if (last?.message.role === "assistant")
        last.message = { ...last.message, toolCalls: [...(last.message.toolCalls ?? []), call] };
      else messages.push({ message: { role: "assistant", content: "", toolCalls: [call] }, learn, spot: at });
    } else if (given.role === "tool_response" || given.role === "tool") {
      const call = pending.shift();
      if (!call) throw wrong(at, "the result of a call that the turn before it made", content);
      messages.push({
        message: { role: "tool", callId: call.id, name: call.name, content },
        learn: false,
        spot: at,
      });
    } else
      throw wrong(
        within(at, "role"),
        "system, user, assistant, tool_call, tool_response or tool",
        given.role,
      );
  }
  return messages;
}
