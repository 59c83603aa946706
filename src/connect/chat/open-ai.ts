import { deriveSeed } from "../../kit/random.ts";
import type { ChatModel, ChatReply, ChatRequest } from "../../spec/chat-model.ts";
import { AttuneError } from "../../spec/error.ts";
import type { JsonObject } from "../../spec/json.ts";
import { type ObservedTokens, readObservedTokens } from "./observed-tokens.ts";
import { fromOpenAiMessage, toOpenAiMessages, toOpenAiTools } from "./open-ai-messages.ts";
import { askOpenAi, patient, toEndpoint } from "./open-ai-request.ts";
import { type Patience, withPatience } from "./patience.ts";

export type OpenAiChatOptions = {
  /** Where the protocol is spoken, as `http://localhost:8000/v1`. */
  baseUrl: string;
  model: string;
  /** Sent as a bearer token. */
  key?: string;
  headers?: Record<string, string>;
  /** Added to every request: `{ top_p: 0.9 }`, `{ chat_template_kwargs: … }`. */
  extra?: JsonObject;
  /** What the limit of a reply is called; `max_completion_tokens` where a model refuses `max_tokens`. */
  lengthField?: "max_tokens" | "max_completion_tokens";
  /** Milliseconds one try may take. */
  timeoutMs?: number;
  patience?: Partial<Patience>;
};

/** A reply with what the contract has no place for: the arguments of each call as they were written, and the thought. */
export type WrittenReply = ChatReply & {
  argumentTexts: string[];
  reasoning?: string;
  /** What the server told of tokens, where it was asked to (`askForTokens`). */
  observed?: ObservedTokens;
};

export interface WrittenChatModel extends ChatModel {
  complete(request: ChatRequest): Promise<WrittenReply>;
}

/**
 * A model behind any endpoint that speaks OpenAI's chat completions. Busy servers, broken connections and timeouts
 * are tried again as long as patience lasts, then they are an `environment` error; a refused key or an unknown model
 * is a `usage` error; a request that this model cannot take (too long, say) is an `engine` error.
 */
export function openAiChatModel(options: OpenAiChatOptions): WrittenChatModel {
  const url = toEndpoint(options.baseUrl, "chat/completions");
  const patience = { ...patient, ...options.patience };
  let requests = 0;
  const contact = { made: false };
  return {
    name: options.model,
    complete(request) {
      const signal = request.signal ?? new AbortController().signal;
      const body = toBody(options, request);
      const seed = deriveSeed(request.seed ?? 0, "patience", requests++);
      const attempt = () => askOpenAi(url, body, { ...options, contact, signal }, toReply);
      return withPatience(attempt, { ...patience, seed, signal });
    },
  };
}

function toBody(
  { model, extra, lengthField = "max_tokens" }: OpenAiChatOptions,
  { messages, tools, maxTokens, temperature, seed }: ChatRequest,
): JsonObject {
  return {
    model,
    messages: toOpenAiMessages(messages),
    ...(tools !== undefined && tools.length > 0 && { tools: toOpenAiTools(tools) }),
    ...(maxTokens !== undefined && { [lengthField]: maxTokens }),
    ...(temperature !== undefined && { temperature }),
    ...(seed !== undefined && { seed }),
    ...extra,
  };
}

function toReply(value: unknown, who: string): WrittenReply {
  const { choices, usage } = (value ?? {}) as { choices?: unknown; usage?: unknown };
  const choice = Array.isArray(choices)
    ? (choices[0] as { message?: unknown; finish_reason?: unknown })
    : undefined;
  const reply = fromOpenAiMessage(choice?.message);
  if (reply === undefined) {
    const got = JSON.stringify(value)?.slice(0, 120);
    throw new AttuneError("environment", `${who}: got ${got}, expected choices[0].message`);
  }
  const observed = readObservedTokens(value);
  return {
    ...reply,
    stopReason: choice?.finish_reason === "length" ? "length" : "stop",
    usage: toUsage(usage),
    ...(observed && { observed }),
  };
}

function toUsage(value: unknown): ChatReply["usage"] {
  const { prompt_tokens: input, completion_tokens: output } = (value ?? {}) as Record<string, unknown>;
  return typeof input === "number" && typeof output === "number"
    ? { inputTokens: input, outputTokens: output }
    : null;
}
