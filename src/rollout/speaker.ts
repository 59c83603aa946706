import { deriveSeed } from "../kit/random.ts";
import type { Player, RolloutLimits } from "../spec/environment.ts";
import type { AssistantMessage, Message } from "../spec/message.ts";
import type { Policy, SamplingParams, StopReason } from "../spec/policy.ts";
import type { ParseIssue, Renderer } from "../spec/tokenizer.ts";
import type { ToolSpec } from "../spec/tool.ts";
import type { Clock } from "./deadline.ts";

/** What an assistant turn came to. Without a renderer (players) there are no tokens. */
export type Utterance = {
  message: AssistantMessage;
  issue?: ParseIssue;
  tokens: Int32Array;
  logprobs: Float32Array | null;
  stopReason: StopReason;
};

/** Whoever takes the assistant's turns of an episode: a policy token by token, or a player message by message. */
export type Speaker = {
  name: string;
  sampled: boolean;
  policyVersion: number | null;
  /** Most tokens of a prompt and its turn together. */
  contextLength: number;
  /** Tokens of the opening conversation, and of what is added between two turns. */
  open(messages: readonly Message[], tools: readonly ToolSpec[]): Int32Array;
  observe(messages: readonly Message[]): Int32Array;
  speak(turn: SpeakerTurn): Promise<Utterance>;
};

type SpeakerTurn = {
  turn: number;
  messages: readonly Message[];
  tools: readonly ToolSpec[];
  /** All tokens so far. */
  prompt: Int32Array;
  room: number;
  clock: Clock;
};

export function policySpeaker(
  policy: Policy,
  {
    renderer,
    sampling,
    seed,
    limits,
  }: {
    renderer: Renderer;
    sampling: Omit<SamplingParams, "seed" | "maxTokens">;
    seed: number;
    limits: RolloutLimits;
  },
): Speaker {
  return {
    name: policy.name,
    sampled: true,
    policyVersion: policy.version,
    contextLength: policy.contextLength,
    open: (messages, tools) => renderer.prompt(messages, tools),
    observe: (messages) => renderer.observation(messages),
    async speak({ turn, prompt, room, clock }) {
      const params: SamplingParams = {
        stopTokens: renderer.stopTokens,
        ...sampling,
        maxTokens: Math.min(limits.tokensPerTurn, room),
        seed: deriveSeed(seed, "turn", turn),
      };
      const [sample] = await policy.sample({ prompt, params, signal: clock.signal });
      const { tokens, logprobs, stopReason } = sample!;
      return { ...renderer.parse(tokens), tokens, logprobs, stopReason };
    },
  };
}

const noTokens = new Int32Array(0);

export function playerSpeaker(
  player: Player,
  { name, renderer }: { name: string; renderer?: Renderer },
): Speaker {
  return {
    name,
    sampled: false,
    policyVersion: null,
    contextLength: Number.POSITIVE_INFINITY,
    open: (messages, tools) => renderer?.prompt(messages, tools) ?? noTokens,
    observe: (messages) => renderer?.observation(messages) ?? noTokens,
    async speak({ messages, tools }) {
      const message = await player({ messages, tools });
      return { message, tokens: renderer?.turn(message) ?? noTokens, logprobs: null, stopReason: "stop" };
    },
  };
}
