import { deriveSeed } from "../kit/random.ts";
import type { RolloutLimits } from "../spec/environment.ts";
import { AttuneError } from "../spec/error.ts";
import type { Json } from "../spec/json.ts";
import type { AssistantMessage, Message } from "../spec/message.ts";
import type { Policy, SamplingParams, StopReason } from "../spec/policy.ts";
import type { ParseIssue, Renderer, Tokenizer } from "../spec/tokenizer.ts";
import type { ToolSpec } from "../spec/tool.ts";
import type { Status } from "../spec/trajectory.ts";
import type { Recorder } from "../trajectory/recorder.ts";
import { sameJson, sameTools } from "../trajectory/same-message.ts";

/** What an agent asks its model: the whole conversation so far, and how to go on. */
export type ModelCall = {
  messages: readonly Message[];
  /** What each message held beyond `Message` (images, reasoning, a provider's opaque state). */
  extras?: readonly (Json | undefined)[];
  tools: readonly ToolSpec[];
  /** Most tokens of the reply; the episode's limits hold as well. */
  maxTokens?: number;
  /** Texts that end the reply. */
  stop?: readonly string[];
  /** What the agent would like; what the run says of sampling wins. */
  temperature?: number;
  topP?: number;
  topK?: number;
  /** Hears the reply's text as it comes, where whoever answers speaks piece by piece. */
  onText?: (piece: string) => void;
  signal?: AbortSignal;
};

export type ModelReply = {
  /** Its calls have ids that no other call of the episode has. */
  message: AssistantMessage;
  /** Where the turn could not be read as a message with calls: why. Its text is the message's content. */
  issue?: ParseIssue;
  stopReason: StopReason;
  /** Everything the policy saw before it spoke. */
  prompt: Int32Array;
  tokens: Int32Array;
  logprobs: Float32Array;
};

/** A model as one episode of an agent sees it: every call is recorded, token by token. */
export type Conversation = {
  /** The name of who answers. */
  readonly name: string;
  /** What tokens mean; absent where there are none. */
  readonly tokenizer?: Tokenizer;
  /** Rejects with `AttuneError` (usage) when the episode has used up what it may; `ended` then says how. */
  ask(call: ModelCall): Promise<ModelReply>;
  /** Which limit has been reached, if one has. */
  readonly ended: { status: Status; error: string } | undefined;
  /** What the policy itself failed with: it is nobody's doing in the episode, and the run's to hear of. */
  readonly failure: { error: unknown } | undefined;
};

/**
 * An agent's conversation with a policy. What was sampled before is never made tokens again: a call that goes on from
 * a recorded reply is its tokens and those of the messages after it. A call that does not (another opening, other
 * tools, a rewritten or shortened history) is rendered anew, and the trajectory forks there.
 */
export function createConversation({
  policy,
  renderer,
  recorder,
  limits,
  sampling = {},
  seed,
}: {
  policy: Policy;
  renderer: Renderer;
  recorder: Recorder;
  limits: RolloutLimits;
  /** What the run says of sampling, over what the agent asks for. */
  sampling?: Partial<Omit<SamplingParams, "seed" | "maxTokens">>;
  seed: number;
}): Conversation {
  /** How often each prompt was asked, so that asking again draws anew and side by side calls have seeds of their own. */
  const asked = new Map<number, number>();
  let opened: { messages: readonly Message[]; tools: readonly ToolSpec[]; tokens: Int32Array } | undefined;
  let ended: Conversation["ended"];
  let failure: Conversation["failure"];

  const refuse = (status: Status, error: string): never => {
    ended ??= { status, error };
    throw new AttuneError("usage", `the episode is over: ${error}`);
  };

  /** A conversation's opening is sent again with every call; it is rendered when it changes. */
  const openingTokens = (messages: readonly Message[], tools: readonly ToolSpec[]): Int32Array => {
    const same =
      opened?.messages.length === messages.length &&
      sameTools(opened.tools, tools) &&
      messages.every((each, index) => sameJson(each, opened!.messages[index]));
    if (!same) opened = { messages, tools, tokens: renderer.prompt(messages, tools) };
    return opened!.tokens;
  };

  const promptOf = ({ messages, extras, tools }: ModelCall): Int32Array => {
    const known = recorder.prefixOf(messages, extras);
    const rest = messages.slice(known?.messages ?? 0);
    const goesOn =
      known &&
      rest.length > 0 &&
      rest.every(({ role }) => role === "user" || role === "tool") &&
      // the beginning of a path has its tools in it, and they must still be these
      startsWith(known.tokens, openingTokens(openingOf(messages), tools));
    if (!goesOn) return renderer.prompt(messages, tools);
    // a turn that was cut has no end of its own
    const end = known.closed ? [] : renderer.stopTokens.slice(0, 1);
    return concatenate(known.tokens, Int32Array.from(end), renderer.observation(rest));
  };

  return {
    name: policy.name,
    tokenizer: policy.tokenizer,
    async ask(call) {
      call.signal?.throwIfAborted();
      if (ended) return refuse(ended.status, ended.error);
      if (recorder.turns >= limits.turns)
        return refuse("max_turns", `${recorder.turns} turns, limit ${limits.turns}`);
      const prompt = promptOf(call);
      const { contextLength } = policy;
      if (prompt.length >= contextLength)
        return refuse("context_overflow", `${prompt.length} tokens in a context of ${contextLength}`);
      if (prompt.length >= limits.tokens)
        return refuse("max_tokens", `${prompt.length} tokens, limit ${limits.tokens}`);
      const room = Math.min(limits.tokens, contextLength) - prompt.length;
      const hash = hashOf(prompt);
      const times = asked.get(hash) ?? 0;
      asked.set(hash, times + 1);
      const { temperature = 1, topP, topK, stop } = call;
      const params: SamplingParams = {
        stopTokens: renderer.stopTokens,
        temperature,
        ...(topP !== undefined && { topP }),
        ...(topK !== undefined && { topK }),
        ...(stop && { stop }),
        ...sampling,
        maxTokens: Math.min(call.maxTokens ?? Number.POSITIVE_INFINITY, limits.tokensPerTurn, room),
        seed: deriveSeed(seed, "call", hash, times),
      };
      const askedAt = performance.now();
      const sample = await policy
        .sample({ prompt, params, ...(call.signal && { signal: call.signal }) })
        .catch((error: unknown) => {
          if (!call.signal?.aborted) failure ??= { error };
          throw error;
        });
      const { tokens, logprobs, stopReason } = sample[0]!;
      const { message: read, issue } = renderer.parse(tokens);
      const message = issue
        ? { role: "assistant" as const, content: textOf(tokens, renderer) }
        : named(read, recorder);
      recorder.record({
        messages: call.messages,
        ...(call.extras && { extras: call.extras }),
        tools: call.tools,
        prompt,
        reply: { message, tokens, logprobs, stopReason, policyVersion: policy.version, complete: true },
        latencyMs: performance.now() - askedAt,
      });
      return {
        message,
        ...(issue && { issue }),
        stopReason,
        prompt,
        tokens,
        logprobs,
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

/** Calls are named by the turn they were made in: agents match results to calls over a whole conversation. */
export function named(message: AssistantMessage, { turns }: Recorder): AssistantMessage {
  if (!message.toolCalls) return message;
  const toolCalls = message.toolCalls.map((call, index) => ({ ...call, id: `call_${turns}_${index}` }));
  return { ...message, toolCalls };
}

function openingOf(messages: readonly Message[]): readonly Message[] {
  return messages.slice(
    0,
    messages.findIndex(({ role }) => role === "assistant"),
  );
}

function textOf(tokens: Int32Array, { tokenizer, stopTokens }: Renderer): string {
  const end = tokens.findIndex((token) => stopTokens.includes(token));
  return tokenizer.decode(end === -1 ? tokens : tokens.subarray(0, end));
}

/** FNV-1a over whole token ids. */
function hashOf(tokens: Int32Array): number {
  let hash = 0x811c9dc5;
  for (const token of tokens) hash = Math.imul(hash ^ token, 0x01000193);
  return hash >>> 0;
}

function startsWith(tokens: Int32Array, prefix: Int32Array): boolean {
  return prefix.length <= tokens.length && prefix.every((token, index) => token === tokens[index]);
}

function concatenate(...parts: readonly Int32Array[]): Int32Array {
  const whole = new Int32Array(parts.reduce((length, part) => length + part.length, 0));
  let offset = 0;
  for (const part of parts) {
    whole.set(part, offset);
    offset += part.length;
  }
  return whole;
}
