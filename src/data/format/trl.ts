import { readChatMessages, toChatMessage, toFunction } from "./chat.ts";
import { readTools, toTrajectory } from "./imported.ts";
import { jsonLinesFormat } from "./json-lines.ts";
import { within } from "./spot.ts";

/**
 * TRL's conversational rows with tools; arguments are objects. Turns that a loss may not look at have a place there
 * only before one completion, so such a row is `prompt` and `completion` instead of `messages`.
 */
export const trl = jsonLinesFormat({
  name: "trl",
  about: "TRL conversational JSONL with tools",
  toRow({ said, tools }) {
    const messages = said.map(({ message }) => toChatMessage(message, "object"));
    const turns = said.filter(({ message }) => message.role === "assistant");
    const unlearned = turns.some(({ learn }) => !learn);
    return {
      ...(unlearned ? { prompt: messages.slice(0, -1), completion: messages.slice(-1) } : { messages }),
      ...(tools.length > 0 && { tools: tools.map(toFunction) }),
    };
  },
  fromRow(row, spot) {
    const tools = readTools(row.tools, within(spot, "tools"));
    if (row.prompt === undefined)
      return toTrajectory(readChatMessages(row.messages, within(spot, "messages")), { spot, tools });
    const prompt = Array.isArray(row.prompt) ? row.prompt : [];
    const completion = Array.isArray(row.completion) ? row.completion : [];
    const at = within(spot, Array.isArray(row.prompt) ? "completion" : "prompt");
    const read = readChatMessages(
      Array.isArray(row.prompt) && Array.isArray(row.completion)
        ? [...prompt, ...completion]
        : Array.isArray(row.prompt)
          ? row.completion
          : row.prompt,
      at,
    );
    const messages = read.map((each, index) => ({ ...each, learn: index >= prompt.length }));
    return toTrajectory(messages, { spot, tools });
  },
});
