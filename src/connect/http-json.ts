import { AttuneError } from "../spec/error.ts";

/** No answer that can be read came back. */
export class HttpFailure extends Error {
  /** The request cannot have arrived, so that sending it again does nothing twice. */
  readonly unsent: boolean;

  constructor(message: string, { unsent = false, cause }: { unsent?: boolean; cause?: unknown } = {}) {
    super(message, { cause });
    this.name = "HttpFailure";
    this.unsent = unsent;
  }
}

export type HttpRequest = {
  /** Sent as JSON by POST; without it the request is a GET. */
  body?: unknown;
  method?: "GET" | "POST";
  headers?: Record<string, string>;
  timeoutMs: number;
  /** Bytes of an answer that are read. */
  maxBytes: number;
  signal: AbortSignal;
  /** Reads a body of server-sent events; what it gives is the answer's value. Without it such a body is no JSON. */
  readEvents?: (body: AsyncIterable<Uint8Array>) => Promise<unknown>;
};

export type HttpAnswer = { status: number; headers: Headers; value: unknown };

/** Errors of a connection that was never made. */
const unsentCodes = new Set([
  "ECONNREFUSED",
  "ENOTFOUND",
  "EAI_AGAIN",
  "EHOSTUNREACH",
  "UND_ERR_CONNECT_TIMEOUT",
]);

/**
 * One request with JSON both ways; no text at all is null. An answer of any status is an answer; one below 400 that is not JSON is a failure,
 * like a connection that breaks, a deadline that passes or a body that is too long. Throws `HttpFailure`, or the
 * signal's reason.
 */
export async function requestJson(
  url: string,
  { body, method, headers, timeoutMs, maxBytes, signal, readEvents }: HttpRequest,
): Promise<HttpAnswer> {
  const deadline = AbortSignal.timeout(timeoutMs);
  let response: Response;
  let text: string;
  try {
    response = await fetch(url, {
      method: method ?? (body === undefined ? "GET" : "POST"),
      ...(body !== undefined && { body: JSON.stringify(body) }),
      headers: { ...headers, ...(body !== undefined && { "content-type": "application/json" }) },
      redirect: "error",
      signal: AbortSignal.any([signal, deadline]),
    });
    const isStream = response.headers.get("content-type")?.startsWith("text/event-stream") ?? false;
    if (readEvents && isStream && response.ok && response.body) {
      const value = await readEvents(response.body);
      return { status: response.status, headers: response.headers, value };
    }
    text = await textOf(response, maxBytes);
  } catch (error) {
    signal.throwIfAborted();
    if (error instanceof HttpFailure || error instanceof AttuneError) throw error;
    if (deadline.aborted) throw new HttpFailure(`no answer within ${timeoutMs} ms`, { cause: error });
    const { cause, message } = error as { cause?: { code?: string; message?: string }; message: string };
    const unsent = unsentCodes.has(cause?.code ?? "");
    throw new HttpFailure(cause?.message || cause?.code || message, { unsent, cause: error });
  }
  const { status } = response;
  const value = text === "" ? null : jsonOf(text);
  if (status < 400 && value === undefined)
    throw new HttpFailure(`got ${JSON.stringify(text.slice(0, 60))}, expected JSON`);
  return { status, headers: response.headers, value: value ?? { detail: text } };
}

async function textOf({ body }: Response, maxBytes: number): Promise<string> {
  const parts: Uint8Array[] = [];
  let bytes = 0;
  for await (const part of (body ?? []) as AsyncIterable<Uint8Array>) {
    bytes += part.length;
    if (bytes > maxBytes) throw new HttpFailure(`got more than ${maxBytes} bytes`);
    parts.push(part);
  }
  return Buffer.concat(parts).toString("utf8");
}

function jsonOf(text: string): unknown {
  try {
    return JSON.parse(text) as unknown;
  } catch {
    return undefined;
  }
}
