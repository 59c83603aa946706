import type { Tokenizer } from "./tokenizer.ts";

export type SamplingParams = {
  maxTokens: number;
  /** 0 is greedy. Log-probabilities are always those of the untempered, untruncated distribution. */
  temperature: number;
  /** Keep the smallest set of tokens whose probability reaches this. 1 keeps all. */
  topP?: number;
  /** Keep this many most likely tokens. 0 keeps all. */
  topK?: number;
  /** Drop tokens less likely than this share of the most likely one. 0 keeps all. */
  minP?: number;
  /** Texts that end the sample; the tokens that complete one are kept. */
  stop?: readonly string[];
  /** Tokens that end the sample; the token itself is kept. */
  stopTokens?: readonly number[];
  seed: number;
};

export type StopReason = "stop" | "length";

export type Sample = {
  tokens: Int32Array;
  /** One for each token. */
  logprobs: Float32Array;
  stopReason: StopReason;
};

export type SampleRequest = {
  prompt: Int32Array;
  params: SamplingParams;
  /** How many samples to draw (default 1); sample i uses the random stream (seed, i). */
  count?: number;
  signal?: AbortSignal;
};

/** A frozen model that can be sampled from. It stays what it is when the trainer goes on. */
export interface Policy {
  name: string;
  version: number;
  tokenizer: Tokenizer;
  /** Most tokens a prompt and its sample may have together. */
  contextLength: number;
  sample(request: SampleRequest): Promise<Sample[]>;
  /** Frees what the policy holds (caches). */
  close?(): Promise<void>;
}
