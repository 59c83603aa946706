import type { z } from "zod";
import { type HttpAnswer, HttpFailure, requestJson } from "../http-json.ts";
import { authorization, broken, type Channel, LostError, type Server } from "./channel.ts";
import { FrameError, issuesOf, resultSchema, shown } from "./frames.ts";

/** Statuses of a server that is there and busy, or of the proxy before it. */
const unavailable = new Set([429, 502, 503, 504]);

/**
 * A session on a server that has only the HTTP routes. Those have no sessions: the server holds one world, so whoever
 * opens a second channel plays in the same one.
 */
export function openHttpChannel(server: Server): Channel {
  let closed = false;
  const ask = async <Value>(
    path: string,
    { schema, body, signal }: { schema: z.ZodType<Value>; body?: unknown; signal: AbortSignal },
  ): Promise<Value> => {
    if (closed) throw broken(server, "the session is closed");
    const { status, value } = await requestServer(server, path, { body, signal });
    if (status >= 400) throw refusalOf(server, { path, status, value });
    const result = schema.safeParse(value);
    if (result.success) return result.data;
    throw broken(server, `${path}: got ${shown(value)}: ${issuesOf(result.error)}`);
  };
  return {
    reset: (body, signal) => ask("/reset", { schema: resultSchema, body, signal }),
    step: (action, signal) => ask("/step", { schema: resultSchema, body: { action }, signal }),
    state: (signal) => ask("/state", { schema: resultSchema.shape.observation, signal }),
    close: async () => {
      closed = true;
    },
  };
}

/** A GET, or a POST where there is a body. Throws `LostError` where nothing readable came back. */
export async function requestServer(
  server: Server,
  path: string,
  { body, signal }: { body?: unknown; signal: AbortSignal },
): Promise<HttpAnswer> {
  try {
    return await requestJson(`${server.url}${path}`, {
      body,
      headers: authorization(server),
      timeoutMs: server.messageTimeoutMs,
      maxBytes: server.maxMessageBytes,
      signal,
    });
  } catch (error) {
    if (!(error instanceof HttpFailure)) throw error;
    throw new LostError(server, `${path}: ${error.message}`, { cause: error });
  }
}

function refusalOf(
  server: Server,
  { path, status, value }: { path: string; status: number; value: unknown },
): Error {
  const { detail, code } = (value ?? {}) as { detail?: unknown; code?: unknown };
  const said = typeof detail === "string" ? detail : shown(detail);
  if (typeof code === "string") return new FrameError(code, said);
  if (status === 422) return new FrameError("VALIDATION_ERROR", said);
  if (unavailable.has(status)) return new LostError(server, `${path}: got HTTP status ${status}: ${said}`);
  return broken(server, `${path}: got HTTP status ${status}: ${said}`);
}
