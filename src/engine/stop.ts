import { AttuneError } from "../spec/error.ts";
import type { SamplingParams } from "../spec/policy.ts";

/** Told every sampled token in turn; true when the sample ends with it. */
export type StopMatcher = (token: number) => boolean;

/** Stop tokens by id, stop strings by bytes, so that a string may begin and end inside tokens. */
export function createStopMatcher(
  { stop = [], stopTokens = [] }: Pick<SamplingParams, "stop" | "stopTokens">,
  tokenBytes?: (id: number) => Uint8Array,
): StopMatcher {
  if (stop.length === 0) return (token) => stopTokens.includes(token);
  if (!tokenBytes)
    throw new AttuneError("input", "stop strings: this model was given no tokenizer to find them with");
  const strings = stop.map((text) => Buffer.from(text));
  const longest = Math.max(...strings.map(({ length }) => length));
  let tail = Buffer.alloc(0);
  return (token) => {
    const bytes = tokenBytes(token);
    tail = Buffer.concat([tail.subarray(Math.max(0, tail.length - longest + 1)), bytes]);
    return stopTokens.includes(token) || strings.some((text) => text.length > 0 && tail.includes(text));
  };
}
