import type { ChatReply, ChatRequest } from "../../spec/chat-model.ts";
import { AttuneError } from "../../spec/error.ts";
import type { Message, ToolCall } from "../../spec/message.ts";
import type { WrittenChatModel, WrittenReply } from "./open-ai.ts";
import { readArguments } from "./open-ai-messages.ts";
import { type Patience, withPatience } from "./patience.ts";

/**
 * As much of the AI SDK's language model (specification v2 and later) as is used here, so that no version of the SDK
 * has to be installed: whatever `openai("…")`, `anthropic("…")` and their like return.
 */
export type AiSdkModel = {
  specificationVersion: string;
  modelId: string;
  provider?: string;
  /** The SDK's own types differ from version to version, so that this says nothing of them. */
  doGenerate(options: never): PromiseLike<unknown>;
};

const patient: Patience = { retries: 8, budgetMs: 600_000, firstDelayMs: 500, mostDelayMs: 30_000 };

/** A model of the Vercel AI SDK. What it says may be tried again is, as long as patience lasts. */
export function aiSdkChatModel(
  model: AiSdkModel,
  options: { patience?: Partial<Patience> } = {},
): WrittenChatModel {
  if (typeof model.doGenerate !== "function" || model.specificationVersion === "v1") {
    throw new AttuneError(
      "usage",
      `AI SDK model ${model.modelId}: got specification ${model.specificationVersion}, expected v2 or later`,
    );
  }
  const who = `${model.modelId} (${model.provider ?? "AI SDK"})`;
  return {
    name: model.modelId,
    complete(request) {
      const signal = request.signal ?? new AbortController().signal;
      const call = toCall(request, signal);
      const attempt = async () => {
        try {
          return { done: toReply((await model.doGenerate(call as never)) as Generated, who) };
        } catch (error) {
          signal.throwIfAborted();
          return judge(error, who);
        }
      };
      return withPatience(attempt, { ...patient, ...options.patience, seed: request.seed ?? 0, signal });
    },
  };
}

function toCall({ messages, tools, maxTokens, temperature, seed }: ChatRequest, abortSignal: AbortSignal) {
  return {
    prompt: messages.map(toPrompt),
    ...(tools !== undefined &&
      tools.length > 0 && {
        tools: tools.map(({ name, description, parameters }) => ({
          type: "function",
          name,
          description,
          inputSchema: parameters,
        })),
        toolChoice: { type: "auto" },
      }),
    ...(maxTokens !== undefined && { maxOutputTokens: maxTokens }),
    ...(temperature !== undefined && { temperature }),
    ...(seed !== undefined && { seed }),
    abortSignal,
  };
}

function toPrompt(message: Message) {
  switch (message.role) {
    case "system":
      return { role: "system", content: message.content };
    case "user":
      return { role: "user", content: [{ type: "text", text: message.content }] };
    case "tool":
      return {
        role: "tool",
        content: [
          {
            type: "tool-result",
            toolCallId: message.callId,
            toolName: message.name,
            output: { type: "text", value: message.content },
          },
        ],
      };
    case "assistant":
      return {
        role: "assistant",
        content: [
          ...(message.content === "" ? [] : [{ type: "text", text: message.content }]),
          ...(message.toolCalls ?? []).map((call) => ({
            type: "tool-call",
            toolCallId: call.id,
            toolName: call.name,
            input: call.arguments,
          })),
        ],
      };
  }
}

type Generated = { content?: unknown; finishReason?: unknown; usage?: Record<string, unknown> };
type Part = { type?: string; text?: string; toolCallId?: string; toolName?: string; input?: unknown };

function toReply(result: Generated, who: string): WrittenReply {
  if (!Array.isArray(result.content)) {
    throw new AttuneError("environment", `${who}: got no content, expected a list of parts`);
  }
  const parts = result.content as Part[];
  const textOf = (type: string) =>
    parts
      .filter((part) => part.type === type)
      .map((part) => part.text ?? "")
      .join("");
  const calls = parts.filter((part) => part.type === "tool-call");
  // The SDK hands on what the model wrote as text, unread.
  const argumentTexts = calls.map(({ input }) =>
    typeof input === "string" ? input : JSON.stringify(input ?? {}),
  );
  const toolCalls = calls.map(
    (part, index): ToolCall => ({
      id: part.toolCallId ?? `call_${index}`,
      name: part.toolName ?? "",
      arguments: readArguments(argumentTexts[index] as string),
    }),
  );
  const reasoning = textOf("reasoning");
  // A word up to v2, an object after it.
  const { unified = result.finishReason } = (result.finishReason ?? {}) as { unified?: unknown };
  return {
    message: { role: "assistant", content: textOf("text"), ...(toolCalls.length > 0 && { toolCalls }) },
    argumentTexts,
    ...(reasoning !== "" && { reasoning }),
    stopReason: unified === "length" ? "length" : "stop",
    usage: toUsage(result.usage),
  };
}

function toUsage(usage: Record<string, unknown> = {}): ChatReply["usage"] {
  const [inputTokens, outputTokens] = ["inputTokens", "outputTokens"].map((key) => {
    const value = usage[key];
    return typeof value === "number" ? value : (value as { total?: unknown } | undefined)?.total;
  });
  return typeof inputTokens === "number" && typeof outputTokens === "number"
    ? { inputTokens, outputTokens }
    : null;
}

function judge(error: unknown, who: string): { again: Error } {
  if (error instanceof AttuneError) throw error;
  const { message, statusCode, isRetryable } = error as Record<string, unknown>;
  const line = `${who}: ${typeof statusCode === "number" ? `${statusCode}: ` : ""}${String(message).split("\n")[0]}`;
  if (statusCode === 401 || statusCode === 403 || statusCode === 404)
    throw new AttuneError("usage", line, { cause: error });
  const failure = new AttuneError("environment", line, { cause: error });
  if (isRetryable === true || statusCode === 429) return { again: failure };
  if (typeof statusCode === "number" && statusCode < 500)
    throw new AttuneError("engine", line, { cause: error });
  throw failure;
}
