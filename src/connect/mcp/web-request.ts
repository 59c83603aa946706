import type { IncomingMessage, ServerResponse } from "node:http";
import { Readable } from "node:stream";

/** How many times as much as allowed is read before the connection is cut. */
const patience = 16;

/** A Node request as a web request; undefined where its body is longer than allowed. */
export async function toWebRequest(
  request: IncomingMessage,
  { maxBytes, signal }: { maxBytes: number; signal: AbortSignal },
): Promise<Request | undefined> {
  const chunks: Buffer[] = [];
  let size = 0;
  for await (const chunk of request as AsyncIterable<Buffer>) {
    size += chunk.length;
    // what is too long is still read for a while: who is cut off in the middle does not hear why
    if (size > maxBytes * patience) return undefined;
    if (size <= maxBytes) chunks.push(chunk);
  }
  if (size > maxBytes) return undefined;
  const headers = new Headers();
  for (const [name, value] of Object.entries(request.headers))
    for (const one of Array.isArray(value) ? value : [value])
      if (one !== undefined) headers.append(name, one);
  const url = new URL(request.url ?? "/", "http://attune");
  return new Request(url, {
    method: request.method ?? "GET",
    headers,
    signal,
    ...(size > 0 && { body: Buffer.concat(chunks) }),
  });
}

/** Sends a web response, stream or not, until it ends or nobody listens any more. */
export async function sendWebResponse(answer: Response, response: ServerResponse): Promise<void> {
  response.writeHead(answer.status, Object.fromEntries(answer.headers));
  if (!answer.body) return void response.end();
  response.flushHeaders();
  const body = Readable.fromWeb(answer.body as Parameters<typeof Readable.fromWeb>[0]);
  body.on("error", () => response.destroy());
  response.on("close", () => body.destroy());
  body.pipe(response);
}
