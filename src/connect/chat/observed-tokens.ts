/** What a server tells of the tokens behind a reply, where it is asked to: null is what it does not tell. */
export type ObservedTokens = {
  prompt: Int32Array | null;
  tokens: Int32Array | null;
  logprobs: Float32Array | null;
};

/** What to add to a request so that servers which know token ids (vLLM, Attune's own gateway) tell them. */
export const askForTokens = { logprobs: true, return_token_ids: true } as const;

/**
 * Reads them from an answer of chat completions; log-probabilities count only when there is one for each token.
 * Undefined where it tells nothing.
 */
export function readObservedTokens(answer: unknown): ObservedTokens | undefined {
  const { choices, prompt_token_ids: whole } = (answer ?? {}) as Record<string, unknown>;
  const choice = (Array.isArray(choices) ? choices[0] : undefined) as Record<string, unknown> | undefined;
  const tokens = idsOf(choice?.["token_ids"]);
  const content = (choice?.["logprobs"] as { content?: unknown } | null | undefined)?.content;
  const logprobs = Array.isArray(content)
    ? content.map((each: { logprob?: unknown }) => each?.logprob)
    : undefined;
  const complete =
    tokens !== null &&
    logprobs?.length === tokens.length &&
    logprobs.every((each) => typeof each === "number" && Number.isFinite(each));
  const prompt = idsOf(whole ?? choice?.["prompt_token_ids"]);
  if (prompt === null && tokens === null) return undefined;
  return {
    prompt,
    tokens,
    logprobs: complete ? Float32Array.from(logprobs as number[]) : null,
  };
}

function idsOf(value: unknown): Int32Array | null {
  if (!Array.isArray(value) || value.length === 0) return null;
  const whole = value.every((id) => Number.isInteger(id) && id >= 0 && id < 2 ** 31);
  return whole ? Int32Array.from(value as number[]) : null;
}
