import type { Player, RolloutLimits } from "../spec/environment.ts";
import { AttuneError } from "../spec/error.ts";
import type { Recorder } from "../trajectory/recorder.ts";
import { type Conversation, named } from "./conversation.ts";

/**
 * An agent's conversation with a player, who speaks in messages: an expert shows how the agent is used well. There
 * are no tokens; those of a vocabulary that is to learn it are made later.
 */
export function createSpokenConversation({
  player,
  name,
  recorder,
  limits,
}: {
  player: Player;
  name: string;
  recorder: Recorder;
  limits: RolloutLimits;
}): Conversation {
  let ended: Conversation["ended"];
  let failure: Conversation["failure"];
  return {
    name,
    async ask({ messages, extras, tools, signal }) {
      signal?.throwIfAborted();
      if (recorder.turns >= limits.turns) {
        ended ??= { status: "max_turns", error: `${recorder.turns} turns, limit ${limits.turns}` };
        throw new AttuneError("usage", `the episode is over: ${ended.error}`);
      }
      const askedAt = performance.now();
      const spoken = await Promise.resolve(player({ messages, tools })).catch((error: unknown) => {
        failure ??= { error };
        throw error;
      });
      const message = named(spoken, recorder);
      const stopReason = "stop" as const;
      recorder.record({
        messages,
        ...(extras && { extras }),
        tools,
        prompt: null,
        reply: { message, tokens: null, logprobs: null, stopReason, policyVersion: null, complete: true },
        latencyMs: performance.now() - askedAt,
      });
      return {
        message,
        stopReason,
        prompt: new Int32Array(0),
        tokens: new Int32Array(0),
        logprobs: new Float32Array(0),
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
