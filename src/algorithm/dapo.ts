import type { Algorithm } from "../spec/algorithm.ts";
import { grpo } from "./grpo.ts";

export const dapoDefaults = { clipLow: 0.8, clipHigh: 1.28, resampleRounds: 9 } as const;

/**
 * DAPO (arXiv 2503.14476): GRPO's advantage with a wider upper clip, a token-mean loss, no KL, and dynamic
 * sampling: groups that are all right or all wrong are replaced by new tasks, at most `resampleRounds` times.
 */
export function dapo(options: Partial<Record<keyof typeof dapoDefaults, number>> = {}): Algorithm {
  const { clipLow, clipHigh, resampleRounds } = { ...dapoDefaults, ...options };
  return { ...grpo({ loss: { name: "ppo", clipLow, clipHigh } }), name: "dapo", resampleRounds };
}

/**
 * DAPO's soft punishment of overlong answers: 0 up to `longest` − `buffer` tokens, then linear to −1 at `longest`
 * (equation 13). Added to the reward by whoever wants it.
 */
export function overlongPenalty(
  tokens: number,
  { longest, buffer }: { longest: number; buffer: number },
): number {
  const free = longest - buffer;
  if (tokens <= free) return 0;
  return Math.max(-1, (free - tokens) / buffer);
}
