import type { ChatModel, ChatReply, ChatRequest } from "../spec/chat-model.ts";
import { AttuneError } from "../spec/error.ts";
import type { AssistantMessage } from "../spec/message.ts";
import type { Policy } from "../spec/policy.ts";
import type { Renderer } from "../spec/tokenizer.ts";

export interface PolicyChatModel extends ChatModel {
  /** `argumentTexts`: the arguments of each call as they were sampled, numbers and all. */
  complete(request: ChatRequest): Promise<ChatReply & { argumentTexts: string[] }>;
}

/**
 * A policy at the level of messages: the whole conversation is rendered anew for every reply. Without tools, and where
 * its calls cannot be read, the reply is the text as it was sampled.
 */
export function policyChatModel(
  policy: Policy,
  { renderer, maxTokens: mostTokens = 1024 }: { renderer: Renderer; maxTokens?: number },
): PolicyChatModel {
  return {
    name: policy.name,
    async complete({ messages, tools = [], maxTokens = mostTokens, temperature = 0, seed = 0, signal }) {
      const prompt = renderer.prompt(messages, tools);
      const room = policy.contextLength - prompt.length;
      if (room < 1) {
        throw new AttuneError(
          "engine",
          `${policy.name}: got a prompt of ${prompt.length} tokens, expected fewer than its context of ${policy.contextLength}`,
        );
      }
      const [sample] = await policy.sample({
        prompt,
        params: {
          maxTokens: Math.min(maxTokens, room),
          temperature,
          stopTokens: renderer.stopTokens,
          seed,
        },
        ...(signal && { signal }),
      });
      const { tokens, stopReason } = sample!;
      const text = textOf(tokens, renderer);
      const { message, argumentTexts } = toMessage(tokens, text, renderer, tools.length > 0);
      return {
        message,
        argumentTexts,
        stopReason,
        usage: { inputTokens: prompt.length, outputTokens: tokens.length },
      };
    },
    ...(policy.close && { close: () => policy.close!() }),
  };
}

function textOf(tokens: Int32Array, { tokenizer, stopTokens }: Renderer): string {
  const end = tokens.findIndex((token) => stopTokens.includes(token));
  return tokenizer.decode(end === -1 ? tokens : tokens.subarray(0, end)).trim();
}

function toMessage(
  tokens: Int32Array,
  text: string,
  renderer: Renderer,
  hasTools: boolean,
): { message: AssistantMessage; argumentTexts: string[] } {
  const parsed = hasTools ? renderer.parse(tokens) : undefined;
  if (parsed === undefined || parsed.issue !== undefined)
    return { message: { role: "assistant", content: text }, argumentTexts: [] };
  const written = [...text.matchAll(/<tool_call>([\s\S]*?)<\/tool_call>/g)].map(([, call]) => call as string);
  const argumentTexts = (parsed.message.toolCalls ?? []).map((call, index) =>
    argumentText(written[index], call.arguments),
  );
  return { message: parsed.message, argumentTexts };
}

/** The arguments with every number as it was written: 1.0 would become 1 otherwise. */
function argumentText(written: string | undefined, parsed: unknown): string {
  if (written === undefined) return JSON.stringify(parsed);
  const exact = JSON.parse(written, (_, value: unknown, { source }: { source?: string } = {}) =>
    typeof value === "number" && source !== undefined ? rawJson(source) : value,
  ) as { arguments?: unknown };
  return JSON.stringify(exact.arguments ?? parsed);
}

const rawJson = (JSON as unknown as { rawJSON(text: string): unknown }).rawJSON;
