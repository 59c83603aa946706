import { setTimeout } from "node:timers/promises";
import type { Policy } from "../spec/policy.ts";
import type { Renderer } from "../spec/tokenizer.ts";

/**
 * A weightless policy that says what a function of the prompt's text says, for testing environments and loops
 * without a model. `latencyMs` delays each sample; every token has log-probability −0.5.
 */
export function scriptedPolicy(
  say: (prompt: string) => string,
  {
    renderer,
    latencyMs = 0,
    contextLength = 4096,
  }: { renderer: Renderer; latencyMs?: number | (() => number); contextLength?: number },
): Policy {
  return {
    name: "scripted",
    version: 0,
    tokenizer: renderer.tokenizer,
    contextLength,
    async sample({ prompt, params, count = 1, signal }) {
      const delay = typeof latencyMs === "number" ? latencyMs : latencyMs();
      if (delay > 0) await setTimeout(delay, undefined, { signal });
      signal?.throwIfAborted();
      const spoken = renderer.tokenizer.encode(say(renderer.tokenizer.decode(prompt)));
      const whole = new Int32Array(spoken.length + 1);
      whole.set(spoken);
      whole[spoken.length] = renderer.stopTokens[0]!;
      const tokens = whole.slice(0, params.maxTokens);
      const sample = {
        tokens,
        logprobs: new Float32Array(tokens.length).fill(-0.5),
        stopReason: tokens.length === whole.length ? ("stop" as const) : ("length" as const),
      };
      return Array.from({ length: count }, () => sample);
    },
  };
}
