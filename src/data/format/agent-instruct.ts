import type { Message } from "../../spec/message.ts";
import { type Branch, callsOf } from "./branch.ts";
import { toFunction } from "./chat.ts";
import { toTrajectory } from "./imported.ts";
import { jsonLinesFormat } from "./json-lines.ts";
import { readConversation } from "./sharegpt.ts";
import { textAt, within } from "./spot.ts";

/**
 * AgentInstruct's rows (arXiv 2310.12823): `id` and `conversations` of `human` and `gpt`, each with a `loss` flag.
 * There are no tools; when asked, calls are written as `Action:` and results as `Observation:`. AgentTraj's `item_id`
 * is read as well.
 */
export const agentInstruct = jsonLinesFormat({
  name: "agent-instruct",
  about: "AgentInstruct and AgentTraj JSONL with loss flags",
  toRow(branch, { callsAsText = false }) {
    const { trajectory, number, of } = branch;
    const turns: { from: "human" | "gpt"; loss: boolean; value: string }[] = [];
    for (const { from, loss, value } of written(branch, callsAsText)) {
      const last = turns.at(-1);
      if (last?.from === "human" && from === "human") last.value += `\n\n${value}`;
      else turns.push({ from, loss, value });
    }
    return { id: of > 1 ? `${trajectory.id}#${number}` : trajectory.id, conversations: turns };
  },
  fromRow(row, spot) {
    const key = row.id === undefined && row.item_id !== undefined ? "item_id" : "id";
    const id = textAt(row[key], within(spot, key));
    const messages = readConversation(row.conversations, within(spot, "conversations"));
    return toTrajectory(messages, { spot, tools: [], id, group: id });
  },
});

function* written({ said, tools }: Branch, callsAsText: boolean) {
  if (callsAsText && tools.length > 0)
    yield { from: "human", loss: false, value: `Tools: ${JSON.stringify(tools.map(toFunction))}` } as const;
  for (const { message, learn } of said) {
    const from = message.role === "assistant" ? ("gpt" as const) : ("human" as const);
    yield { from, loss: from === "gpt" && learn, value: textOf(message, callsAsText) };
  }
}

function textOf(message: Message, callsAsText: boolean): string {
  if (!callsAsText) return message.content;
  if (message.role === "tool") return `Observation: ${message.content}`;
  const calls = callsOf(message).map((call) => `Action: ${call.name} ${JSON.stringify(call.arguments)}`);
  return [message.content, ...calls].filter((line) => line !== "").join("\n");
}
