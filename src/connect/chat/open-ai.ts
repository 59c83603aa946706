import { deriveSeed } from "../../kit/random.ts";
import type { ChatModel, ChatReply, ChatRequest } from "../../spec/chat-model.ts";
import { AttuneError } from "../../spec/error.ts";
import type { Json, JsonObject } from "../../spec/json.ts";
import { type ObservedTokens, readObservedTokens } from "./observed-tokens.ts";
import { fromOpenAiMessage, toOpenAiMessages, toOpenAiTools } from "./open-ai-messages.ts";
import { askOpenAi, type OpenAiRequestOptions, patient, toEndpoint } from "./open-ai-request.ts";
import { BrokenStream, readChatStream } from "./open-ai-stream.ts";
import { type Patience, type Try, withPatience } from "./patience.ts";

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

export type WrittenRequest = ChatRequest & {
  /** What messages hold beyond their text, as this protocol's own parts (images), by message. */
  parts?: readonly (Json | undefined)[] | undefined;
  /** Asks for the reply as a stream, and hears each piece of its text as it comes. */
  onText?: ((piece: string) => void) | undefined;
};

export interface WrittenChatModel extends ChatModel {
  /** Throws `BrokenReply` where a stream broke off after its first piece. */
  complete(request: WrittenRequest): Promise<WrittenReply>;
}

/** A streamed reply that broke off; `reply` is what had come by then. */
export class BrokenReply extends AttuneError {
  readonly reply: WrittenReply;
  constructor(message: string, reply: WrittenReply, cause: unknown) {
    super("environment", message, { cause });
    this.reply = reply;
  }
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
      const { onText } = request;
      const attempt = () =>
        onText
          ? tryStream(url, body, { ...options, contact, signal }, onText)
          : askOpenAi(url, body, { ...options, contact, signal }, toReply);
      return withPatience(attempt, { ...patience, seed, signal });
    },
  };
}

/** What was told cannot be taken back: a stream is tried again only as long as nothing has come of it. */
async function tryStream(
  url: string,
  body: JsonObject,
  options: OpenAiRequestOptions,
  onText: (piece: string) => void,
): Promise<Try<WrittenReply>> {
  const streamed = { ...body, stream: true, stream_options: { include_usage: true } };
  let hasTold = false;
  const tell = (piece: string) => {
    hasTold = true;
    onText(piece);
  };
  const readEvents = (events: AsyncIterable<Uint8Array>) => readChatStream(events, tell);
  try {
    return await askOpenAi(url, streamed, { ...options, readEvents }, (value, who) => {
      const reply = toReply(value, who);
      // a server that does not stream tells it all at once
      if (!hasTold && reply.message.content !== "") onText(reply.message.content);
      return reply;
    });
  } catch (error) {
    if (!(error instanceof BrokenStream)) throw error;
    const message = `${options.model} at ${url}: ${error.message}`;
    const reply = toReply(error.answer, options.model);
    const isEmpty = reply.message.content === "" && !reply.message.toolCalls && !reply.observed?.tokens;
    if (isEmpty) return { again: new AttuneError("environment", message, { cause: error }) };
    throw new BrokenReply(message, reply, error);
  }
}

function toBody(
  { model, extra, lengthField = "max_tokens" }: OpenAiChatOptions,
  { messages, parts, tools, maxTokens, temperature, seed }: WrittenRequest,
): JsonObject {
  return {
    model,
    messages: toOpenAiMessages(messages, parts),
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
