import type { Json, JsonObject } from "../../spec/json.ts";
import type { ToolCall } from "../../spec/message.ts";
import { callsOf } from "./branch.ts";
import { type ReadMessage, readArguments, readTools, toTrajectory } from "./imported.ts";
import { jsonLinesFormat } from "./json-lines.ts";
import { jsonAt, listAt, objectAt, type Spot, textAt, within, wrong } from "./spot.ts";

/**
 * ShareGPT's `conversations` of `from` and `value`. For tools there is no standard; this is LLaMA-Factory's way:
 * `function_call` and `observation` beside `human` and `gpt`, and `tools` as JSON in a text. A turn is a text or a
 * call there, never both, and never two calls.
 */
export const sharegpt = jsonLinesFormat({
  name: "sharegpt",
  about: "ShareGPT JSONL (tools as in LLaMA-Factory)",
  toRow: ({ said, tools }) => ({
    conversations: said.flatMap(({ message }): JsonObject[] => {
      const [call] = callsOf(message);
      if (message.role === "assistant" && call)
        return callsOf(message).map(({ name, arguments: given }) => ({
          from: "function_call",
          value: JSON.stringify({ name, arguments: given }),
        }));
      return [{ from: speakers[message.role], value: message.content }];
    }),
    ...(tools.length > 0 && {
      tools: JSON.stringify(
        tools.map(({ name, description, parameters }) => ({
          name,
          description,
          parameters: parameters as Json,
        })),
      ),
    }),
  }),
  fromRow(row, spot) {
    const messages = readConversation(row.conversations, within(spot, "conversations"));
    const { system } = row;
    if (typeof system === "string" && system !== "")
      messages.unshift({
        message: { role: "system", content: system },
        learn: false,
        spot: within(spot, "system"),
      });
    return toTrajectory(messages, { spot, tools: readTools(row.tools, within(spot, "tools")) });
  },
});

const speakers = { system: "system", user: "human", assistant: "gpt", tool: "observation" } as const;

/** Conversations in ShareGPT's form, with AgentInstruct's `loss` where it stands. */
export function readConversation(value: unknown, spot: Spot): ReadMessage[] {
  let pending: ToolCall[] = [];
  let made = 0;
  return listAt(value, spot).map((each, index): ReadMessage => {
    const at = within(spot, index);
    const given = objectAt(each, at);
    const text = textAt(given.value, within(at, "value"));
    const learn = given.loss !== false && given.loss !== null;
    switch (given.from) {
      case "system":
        return { message: { role: "system", content: text }, learn: false, spot: at };
      case "human":
      case "user":
        return { message: { role: "user", content: text }, learn: false, spot: at };
      case "gpt":
      case "assistant":
        return { message: { role: "assistant", content: text }, learn, spot: at };
      case "function_call": {
        const field = within(at, "value");
        const read = jsonAt(text, field);
        pending = (Array.isArray(read) ? read : [read]).map((one) => {
          const called = objectAt(one, field);
          const name = textAt(called.name, within(field, "name"));
          return {
            id: `call-${made++}`,
            name,
            arguments: readArguments(called.arguments, within(field, "arguments")),
          };
        });
        return { message: { role: "assistant", content: "", toolCalls: [...pending] }, learn, spot: at };
      }
      case "observation":
      case "tool": {
        const call = pending.shift();
        if (!call) throw wrong(at, "the result of a call that the turn before it made", text);
        const message = { role: "tool", callId: call.id, name: call.name, content: text } as const;
        return { message, learn: false, spot: at };
      }
      default:
        throw wrong(within(at, "from"), "system, human, gpt, function_call or observation", given.from);
    }
  });
}
