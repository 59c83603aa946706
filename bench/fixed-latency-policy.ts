import type { Policy } from "../src/spec/policy.ts";
import { byteRenderer } from "../src/testing/byte-tokenizer.ts";

/** Turns of an episode; the last one calls nothing. */
export const turns = 4;
export const latencyMs = 20;

/** Which turn a prompt asks for: how often the assistant has been given the word, less one. */
export function turnOf(prompt: Int32Array): number {
  const word = byteRenderer.tokenizer.encode("\nassistant:");
  let times = 0;
  for (let start = prompt.indexOf(word[0]!); start !== -1; start = prompt.indexOf(word[0]!, start + 1))
    if (word.every((token, index) => prompt[start + index] === token)) times++;
  return times - 1;
}

/**
 * Gives what it is told to say (a call, and the answer in the last turn) a fixed time after it was asked. All that
 * wait share one timer, as requests to one inference server would, so that what is measured is not the timers.
 */
export function fixedLatencyPolicy([call, answer]: readonly Int32Array[]): Policy {
  const waiting: { at: number; resolve: () => void }[] = [];
  let first = 0;
  let timing = false;
  const serve = () => {
    const now = performance.now();
    while (first < waiting.length && waiting[first]!.at <= now) waiting[first++]!.resolve();
    timing = first < waiting.length;
    if (timing) setTimeout(serve, waiting[first]!.at - now);
    else {
      waiting.length = 0;
      first = 0;
    }
  };
  const logprobs = [call!, answer!].map((tokens) => new Float32Array(tokens.length).fill(-0.5));
  /** Lengths of prompts seen, so that each is looked through once. */
  const turnByLength = new Map<number, number>();
  return {
    name: "fixed latency",
    version: 0,
    tokenizer: byteRenderer.tokenizer,
    contextLength: 4096,
    async sample({ prompt }) {
      await new Promise<void>((resolve) => {
        waiting.push({ at: performance.now() + latencyMs, resolve });
        if (!timing) setTimeout(serve, latencyMs);
        timing = true;
      });
      const turn = turnByLength.get(prompt.length) ?? turnOf(prompt);
      turnByLength.set(prompt.length, turn);
      const last = turn === turns - 1 ? 1 : 0;
      return [{ tokens: last ? answer! : call!, logprobs: logprobs[last]!, stopReason: "stop" }];
    },
  };
}
