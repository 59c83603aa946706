import { z } from "zod";
import { withRetry } from "../connect/retry.ts";
import { AttuneError } from "../spec/error.ts";
import type { Policy } from "../spec/policy.ts";
import type { Tokenizer } from "../spec/tokenizer.ts";
import { decodeReply, encodeOrder, type SampleOrder } from "./sample-wire.ts";
import type { EpisodeJob } from "./wire.ts";

/** The policy that a job asks for is not served any more: whoever wanted the episode has gone on without it. */
export class StalePolicyError extends Error {}

/** A connection that failed, or a server in front of the trainer that could not reach it. */
class UnreachableError extends Error {}

/** Tries after the first, over about half a minute. */
const retries = 8;

/**
 * A policy of the trainer's, sampled from over HTTP. Samples follow from their seeds, so that a request which may or
 * may not have been heard is asked again. Rejects with `StalePolicyError` for a policy that is closed, and with
 * `AttuneError`: `io` where the trainer cannot be reached, `engine` (or what the trainer says) where sampling fails.
 */
export function remotePolicy(wanted: EpisodeJob["policy"], tokenizer: Tokenizer): Policy {
  const { name, version, contextLength } = wanted;
  const where = `policy ${name} at ${wanted.url}`;
  return {
    name,
    version,
    tokenizer,
    contextLength,
    async sample({ prompt, params, count = 1, signal = new AbortController().signal }) {
      const order: SampleOrder = { prompt, params, count };
      const reply = await withRetry(() => ask(wanted, order, { tokenizer, signal }), {
        retries,
        seed: params.seed,
        signal,
        mayRetry: (error) => error instanceof UnreachableError,
      }).catch((error: unknown) => {
        if (!(error instanceof UnreachableError)) throw error;
        throw new AttuneError("io", `${where}: ${error.message}, tried ${retries + 1} times`);
      });
      if (reply.version !== version)
        throw new StalePolicyError(`${where}: got version ${reply.version}, expected ${version}`);
      if (reply.samples.length !== count)
        throw new AttuneError("input", `${where}: got ${reply.samples.length} samples, expected ${count}`);
      return reply.samples;
    },
  };
}

async function ask(
  { url, key, number }: EpisodeJob["policy"],
  order: SampleOrder,
  { tokenizer, signal }: { tokenizer: Tokenizer; signal: AbortSignal },
) {
  const response = await request(`${url}/policies/${number}/sample`, {
    method: "POST",
    headers: { authorization: `Bearer ${key}`, "content-type": "application/octet-stream" },
    body: encodeOrder(order),
    signal,
  });
  return decodeReply(await bodyOf(response, signal), tokenizer.vocabularySize);
}

const rendererSchema = z.object({ files: z.record(z.string(), z.string()) });

/** The texts from which the renderer of a trainer's policies is made. Errors as of `remotePolicy`. */
export async function fetchRendererFiles(
  { url, key }: Pick<EpisodeJob["policy"], "url" | "key">,
  signal: AbortSignal,
): Promise<Record<string, string>> {
  return withRetry(
    async () => {
      const response = await request(`${url}/renderer`, {
        headers: { authorization: `Bearer ${key}` },
        signal,
      });
      const text = Buffer.from(await bodyOf(response, signal)).toString("utf8");
      const parsed = rendererSchema.safeParse(jsonOf(text));
      if (!parsed.success)
        throw new AttuneError("input", `${url}/renderer: expected files, got something else`);
      return parsed.data.files;
    },
    { retries, seed: 0, signal, mayRetry: (error) => error instanceof UnreachableError },
  ).catch((error: unknown) => {
    if (!(error instanceof UnreachableError)) throw error;
    throw new AttuneError("io", `${url}/renderer: ${error.message}`);
  });
}

async function request(address: string, init: RequestInit & { signal: AbortSignal }): Promise<Response> {
  let response: Response;
  try {
    response = await fetch(address, init);
  } catch (error) {
    throw unreachable(error, init.signal);
  }
  if (response.ok) return response;
  const said = failureSchema.safeParse(
    jsonOf(Buffer.from(await bodyOf(response, init.signal)).toString("utf8")),
  );
  const message = said.success ? said.data.error.message : `status ${response.status}`;
  // another server may have taken the trainer's port: its key, or its policies, are not those of the job
  if ([401, 404, 410].includes(response.status)) throw new StalePolicyError(message);
  if (response.status === 408 || (response.status >= 500 && !said.success))
    throw new UnreachableError(message);
  throw new AttuneError(said.success ? said.data.error.kind : "io", `${address}: ${message}`);
}

const failureSchema = z.object({
  error: z.object({
    kind: z.enum(["usage", "input", "environment", "engine", "no_learning", "io"]),
    message: z.string(),
  }),
});

async function bodyOf(response: Response, signal: AbortSignal): Promise<ArrayBuffer> {
  try {
    return await response.arrayBuffer();
  } catch (error) {
    throw unreachable(error, signal);
  }
}

function unreachable(error: unknown, signal: AbortSignal): unknown {
  if (signal.aborted) return signal.reason;
  const { message, cause } = error as Error & { cause?: Error };
  return new UnreachableError((cause?.message || message).split("\n", 1)[0]!);
}

function jsonOf(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
