import { BrokenReply, type WrittenChatModel, type WrittenReply } from "../connect/chat/open-ai.ts";
import type { RolloutLimits } from "../spec/environment.ts";
import { AttuneError } from "../spec/error.ts";
import type { SamplingParams } from "../spec/policy.ts";
import type { Recorder } from "../trajectory/recorder.ts";
import { toChatParts } from "./chat-parts.ts";
import type { Conversation } from "./conversation.ts";

/**
 * An agent's conversation with a server that stands behind: whatever it tells of tokens is recorded, and what it does
 * not is a gap. A reply that breaks off is recorded as far as it came. Temperature and length are the agent's, unless
 * the run says otherwise.
 */
export function createUpstreamConversation({
  model,
  recorder,
  limits,
  sampling = {},
}: {
  model: WrittenChatModel;
  recorder: Recorder;
  limits: RolloutLimits;
  sampling?: Partial<Pick<SamplingParams, "temperature">>;
}): Conversation {
  let ended: Conversation["ended"];
  let failure: Conversation["failure"];
  return {
    name: model.name,
    async ask({ messages, extras, tools, maxTokens, temperature, onText, signal }) {
      signal?.throwIfAborted();
      if (recorder.turns >= limits.turns) {
        ended ??= { status: "max_turns", error: `${recorder.turns} turns, limit ${limits.turns}` };
        throw new AttuneError("usage", `the episode is over: ${ended.error}`);
      }
      const askedAt = performance.now();
      const warmth = sampling.temperature ?? temperature;
      const record = ({ message, stopReason, observed }: WrittenReply, complete: boolean) => {
        const { prompt = null, tokens = null, logprobs = null } = observed ?? {};
        recorder.record({
          messages,
          ...(extras && { extras }),
          tools,
          prompt,
          reply: { message, tokens, logprobs, stopReason, policyVersion: null, complete },
          latencyMs: performance.now() - askedAt,
        });
        return { message, stopReason, prompt, tokens, logprobs };
      };
      const reply = await model
        .complete({
          messages,
          parts: extras?.map(toChatParts),
          tools,
          ...(maxTokens !== undefined && { maxTokens: Math.min(maxTokens, limits.tokensPerTurn) }),
          ...(warmth !== undefined && { temperature: warmth }),
          ...(onText && { onText }),
          ...(signal && { signal }),
        })
        .catch((error: unknown) => {
          if (error instanceof BrokenReply) record(error.reply, false);
          if (!signal?.aborted) failure ??= { error };
          throw error;
        });
      // whoever asked again has got past it
      failure = undefined;
      const { message, stopReason, prompt, tokens, logprobs } = record(reply, true);
      const { usage } = reply;
      return {
        message,
        stopReason,
        prompt: prompt ?? new Int32Array(usage?.inputTokens ?? 0),
        tokens: tokens ?? new Int32Array(usage?.outputTokens ?? 0),
        logprobs: logprobs ?? new Float32Array(usage?.outputTokens ?? 0),
      };
    },
    get ended() {
      return ended;
    },
    get failure() {
      return failure;
    },
  };
}
