import { deriveSeed } from "../../kit/random.ts";
import type { ChatModel, ChatReply, ChatRequest } from "../../spec/chat-model.ts";
import { AttuneError } from "../../spec/error.ts";
import type { JsonObject } from "../../spec/json.ts";
import { type HttpAnswer, HttpFailure, requestJson } from "../http-json.ts";
import { type ObservedTokens, readObservedTokens } from "./observed-tokens.ts";
import { fromOpenAiMessage, toOpenAiMessages, toOpenAiTools } from "./open-ai-messages.ts";
import { type Patience, retryAfterMs, type Try, withPatience } from "./patience.ts";

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

/** Bytes of an answer that are read. */
const mostBytes = 32 * 1024 * 1024;

const patient: Patience = { retries: 8, budgetMs: 600_000, firstDelayMs: 500, mostDelayMs: 30_000 };

/**
 * A model behind any endpoint that speaks OpenAI's chat completions. Busy servers, broken connections and timeouts
 * are tried again as long as patience lasts, then they are an `environment` error; a refused key or an unknown model
 * is a `usage` error; a request that this model cannot take (too long, say) is an `engine` error.
 */
export function openAiChatModel(options: OpenAiChatOptions): WrittenChatModel {
  const url = `${options.baseUrl.replace(/\/+$/, "")}/chat/completions`;
  if (!URL.canParse(url) || !/^https?:/.test(url))
    throw new AttuneError("usage", `base URL: got "${options.baseUrl}", expected http://… or https://…`);
  const patience = { ...patient, ...options.patience };
  let requests = 0;
  const contact = { made: false };
  return {
    name: options.model,
    complete(request) {
      const signal = request.signal ?? new AbortController().signal;
      const body = toBody(options, request);
      const seed = deriveSeed(request.seed ?? 0, "patience", requests++);
      return withPatience(() => tryOnce(url, body, options, contact, signal), { ...patience, seed, signal });
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

async function tryOnce(
  url: string,
  body: JsonObject,
  { model, key, headers, timeoutMs = 300_000 }: OpenAiChatOptions,
  contact: { made: boolean },
  signal: AbortSignal,
): Promise<Try<WrittenReply>> {
  let answer: HttpAnswer;
  try {
    answer = await requestJson(url, {
      body,
      headers: { ...(key !== undefined && { authorization: `Bearer ${key}` }), ...headers },
      timeoutMs,
      maxBytes: mostBytes,
      signal,
    });
  } catch (error) {
    if (!(error instanceof HttpFailure)) throw error;
    const failure = new AttuneError("environment", `${model} at ${url}: ${error.message}`, { cause: error });
    // Where nobody has ever answered the address is wrong; waiting would only hide it.
    if (error.unsent && !contact.made) throw failure;
    return { again: failure };
  }
  contact.made = true;
  const { status, value } = answer;
  if (status < 400) return { done: toReply(value, `${model} at ${url}`) };
  const line = `${model} at ${url}: ${status}: ${detailOf(value)}`;
  if (status === 401 || status === 403 || status === 404) throw new AttuneError("usage", line);
  if (status < 500 && ![408, 409, 425, 429].includes(status)) throw new AttuneError("engine", line);
  const afterMs = retryAfterMs(answer.headers, Date.now());
  return { again: new AttuneError("environment", line), ...(afterMs !== undefined && { afterMs }) };
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

/** What a server says went wrong, in one line, wherever it says it. */
function detailOf(value: unknown): string {
  const { error, message, detail } = (value ?? {}) as Record<string, unknown>;
  const inner = (error as { message?: unknown } | undefined)?.message ?? error ?? message ?? detail ?? value;
  const text = typeof inner === "string" ? inner : JSON.stringify(inner);
  return text.replaceAll(/\s+/g, " ").slice(0, 300);
}
