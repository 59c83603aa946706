import { type CallOptions, type CallWarning, toModelCall } from "./ai-sdk-prompt.ts";
import type { Conversation, ModelReply } from "./conversation.ts";

type Content =
  | { type: "text"; text: string }
  | { type: "tool-call"; toolCallId: string; toolName: string; input: string };

type Finish = { unified: "stop" | "length" | "tool-calls"; raw: string | undefined };

type Usage = {
  inputTokens: { total: number; noCache: undefined; cacheRead: undefined; cacheWrite: undefined };
  outputTokens: { total: number; text: undefined; reasoning: undefined };
};

type Metadata = { attune: { tokens: number[]; logprobs: number[] } };

/** The parts of a stream, in the order they come. A policy's turn is known as a whole: each text is one delta. */
type StreamPart<End, Used, Warning> =
  | { type: "stream-start"; warnings: Warning[] }
  | { type: "text-start" | "text-end" | "tool-input-end"; id: string }
  | { type: "text-delta" | "tool-input-delta"; id: string; delta: string }
  | { type: "tool-input-start"; id: string; toolName: string }
  | (Content & { type: "tool-call" })
  | { type: "finish"; finishReason: End; usage: Used; providerMetadata: Metadata };

type Generated<End, Used, Warning> = {
  content: Content[];
  finishReason: End;
  usage: Used;
  providerMetadata: Metadata;
  warnings: Warning[];
};

type Model<Version, End, Used, Warning> = {
  readonly specificationVersion: Version;
  readonly provider: "attune";
  readonly modelId: string;
  readonly supportedUrls: Record<string, RegExp[]>;
  doGenerate(options: CallOptions): Promise<Generated<End, Used, Warning>>;
  doStream(options: CallOptions): Promise<{ stream: ReadableStream<StreamPart<End, Used, Warning>> }>;
};

type WarningV3 = { type: "unsupported"; feature: string; details: string };
type UsageV2 = { inputTokens: number; outputTokens: number; totalTokens: number };

/** A language model of the AI SDK, as its versions 6 and 7 take it (specification v3). */
export type AiSdkLanguageModel = Model<"v3", Finish, Usage, WarningV3>;
/** The same for version 5 (specification v2). */
export type AiSdkLanguageModelV2 = Model<
  "v2",
  Finish["unified"],
  UsageV2,
  { type: "other"; message: string }
>;

/**
 * An agent's conversation as a model of the Vercel AI SDK: hand it to `generateText`, `streamText` or an agent, and
 * every call is recorded. Token ids and log-probabilities stand in `providerMetadata.attune`.
 */
export function toAiSdkModel(conversation: Conversation): AiSdkLanguageModel {
  return createModel(conversation, {
    version: "v3",
    toEnd: (unified) => ({ unified, raw: undefined }),
    toUsage: (input, output) => ({
      inputTokens: { total: input, noCache: undefined, cacheRead: undefined, cacheWrite: undefined },
      outputTokens: { total: output, text: undefined, reasoning: undefined },
    }),
    toWarning: (warning) => ({ type: "unsupported", ...warning }),
  });
}

/** As `toAiSdkModel`, for version 5 of the SDK. */
export function toAiSdkModelV2(conversation: Conversation): AiSdkLanguageModelV2 {
  return createModel(conversation, {
    version: "v2",
    toEnd: (unified) => unified,
    toUsage: (input, output) => ({ inputTokens: input, outputTokens: output, totalTokens: input + output }),
    toWarning: ({ feature, details }) => ({ type: "other", message: `${feature}: ${details}` }),
  });
}

function createModel<Version extends string, End, Used, Warning>(
  conversation: Conversation,
  {
    version,
    toEnd,
    toUsage,
    toWarning,
  }: {
    version: Version;
    toEnd(unified: Finish["unified"]): End;
    toUsage(input: number, output: number): Used;
    toWarning(warning: CallWarning): Warning;
  },
): Model<Version, End, Used, Warning> {
  const generate = async (options: CallOptions): Promise<Generated<End, Used, Warning>> => {
    const { call, warnings } = toModelCall(options);
    const reply = await conversation.ask(call);
    const { tokens, logprobs, prompt } = reply;
    return {
      content: toContent(reply),
      finishReason: toEnd(finishOf(reply)),
      usage: toUsage(prompt.length, tokens.length),
      providerMetadata: { attune: { tokens: [...tokens], logprobs: [...logprobs] } },
      warnings: warnings.map(toWarning),
    };
  };
  return {
    specificationVersion: version,
    provider: "attune",
    modelId: conversation.name,
    supportedUrls: {},
    doGenerate: generate,
    async doStream(options) {
      const { content, warnings, ...end } = await generate(options);
      const parts: StreamPart<End, Used, Warning>[] = [
        { type: "stream-start", warnings },
        ...content.flatMap((part, index) => toParts(part, String(index))),
        { type: "finish", ...end },
      ];
      return { stream: ReadableStream.from(parts) };
    },
  };
}

function toContent({ message: { content, toolCalls = [] } }: ModelReply): Content[] {
  return [
    ...(content === "" ? [] : [{ type: "text" as const, text: content }]),
    ...toolCalls.map(({ id, name, arguments: input }) => ({
      type: "tool-call" as const,
      toolCallId: id,
      toolName: name,
      input: JSON.stringify(input),
    })),
  ];
}

function finishOf({ stopReason, message }: ModelReply): Finish["unified"] {
  if (stopReason === "length") return "length";
  return message.toolCalls?.length ? "tool-calls" : "stop";
}

function toParts(
  part: Content,
  id: string,
): Exclude<StreamPart<never, never, never>, { type: "stream-start" | "finish" }>[] {
  if (part.type === "text")
    return [
      { type: "text-start", id },
      { type: "text-delta", id, delta: part.text },
      { type: "text-end", id },
    ];
  const { toolCallId, toolName, input } = part;
  return [
    { type: "tool-input-start", id: toolCallId, toolName },
    { type: "tool-input-delta", id: toolCallId, delta: input },
    { type: "tool-input-end", id: toolCallId },
    part,
  ];
}
