import { readChatMessages, toFunction, toWeightedMessage } from "./chat.ts";
import { readTools, toTrajectory } from "./imported.ts";
import { jsonLinesFormat } from "./json-lines.ts";
import { within } from "./spot.ts";

/**
 * OpenAI's chat fine-tuning: `messages`, `tools`, `parallel_tool_calls`; arguments are JSON in a text; `weight` 0 on
 * a turn keeps the loss from it.
 */
export const openai = jsonLinesFormat({
  name: "openai",
  about: "OpenAI chat fine-tuning JSONL",
  toRow: ({ said, tools }) => ({
    messages: said.map(toWeightedMessage),
    ...(tools.length > 0 && { tools: tools.map(toFunction), parallel_tool_calls: true }),
  }),
  fromRow: (row, spot) =>
    toTrajectory(readChatMessages(row.messages, within(spot, "messages")), {
      spot,
      tools: readTools(row.tools, within(spot, "tools")),
    }),
});
