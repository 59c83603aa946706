import { AttuneError } from "../../spec/error.ts";
import type { JsonObject } from "../../spec/json.ts";
import { type HttpAnswer, HttpFailure, requestJson } from "../http-json.ts";
import { type Patience, retryAfterMs, type Try } from "./patience.ts";

/** Bytes of an answer that are read. */
const mostBytes = 32 * 1024 * 1024;

export const patient: Patience = { retries: 8, budgetMs: 600_000, firstDelayMs: 500, mostDelayMs: 30_000 };

/** The address of one of the protocol's paths. Throws `AttuneError` (usage) for a base that is none. */
export function toEndpoint(baseUrl: string, path: string): string {
  const url = `${baseUrl.replace(/\/+$/, "")}/${path}`;
  if (URL.canParse(url) && /^https?:/.test(url)) return url;
  throw new AttuneError("usage", `base URL: got "${baseUrl}", expected http://… or https://…`);
}

export type OpenAiRequestOptions = {
  model: string;
  key?: string;
  headers?: Record<string, string>;
  /** Milliseconds this try may take. */
  timeoutMs?: number;
  /** Whether anybody has ever answered at the address; kept between requests. */
  contact: { made: boolean };
  signal: AbortSignal;
  /** Reads an answer that comes as a stream. */
  readEvents?: (body: AsyncIterable<Uint8Array>) => Promise<unknown>;
};

/**
 * One try of a request in OpenAI's protocol. Busy servers, broken connections and timeouts are worth another one; a
 * refused key or an unknown model is a `usage` error; a request that this model cannot take is an `engine` error.
 */
export async function askOpenAi<Result>(
  url: string,
  body: JsonObject,
  { model, key, headers, timeoutMs = 300_000, contact, signal, readEvents }: OpenAiRequestOptions,
  read: (value: unknown, who: string) => Result,
): Promise<Try<Result>> {
  const who = `${model} at ${url}`;
  let answer: HttpAnswer;
  try {
    answer = await requestJson(url, {
      body,
      headers: { ...(key !== undefined && { authorization: `Bearer ${key}` }), ...headers },
      timeoutMs,
      maxBytes: mostBytes,
      signal,
      ...(readEvents && { readEvents }),
    });
  } catch (error) {
    if (!(error instanceof HttpFailure)) throw error;
    const failure = new AttuneError("environment", `${who}: ${error.message}`, { cause: error });
    // Where nobody has ever answered the address is wrong; waiting would only hide it.
    if (error.unsent && !contact.made) throw failure;
    return { again: failure };
  }
  contact.made = true;
  const { status, value } = answer;
  if (status < 400) return { done: read(value, who) };
  const line = `${who}: ${status}: ${detailOf(value)}`;
  if (status === 401 || status === 403 || status === 404) throw new AttuneError("usage", line);
  if (status < 500 && ![408, 409, 425, 429].includes(status)) throw new AttuneError("engine", line);
  const afterMs = retryAfterMs(answer.headers, Date.now());
  return { again: new AttuneError("environment", line), ...(afterMs !== undefined && { afterMs }) };
}

/** What a server says went wrong, in one line, wherever it says it. */
function detailOf(value: unknown): string {
  const { error, message, detail } = (value ?? {}) as Record<string, unknown>;
  const inner = (error as { message?: unknown } | undefined)?.message ?? error ?? message ?? detail ?? value;
  const text = typeof inner === "string" ? inner : JSON.stringify(inner);
  return text.replaceAll(/\s+/g, " ").slice(0, 300);
}
