import type { IncomingMessage } from "node:http";
import type { Context } from "hono";
import { Refused } from "./refused.ts";

/**
 * The text of a request's body. It is read from the connection where there is one, since a whole `Request` for it
 * costs more than everything else a call does. Throws `Refused` (413) where it is longer than it may be.
 */
export async function readText({ req, env }: Context, maxBytes: number): Promise<string> {
  const { incoming } = (env ?? {}) as { incoming?: IncomingMessage };
  const refuse = (): never => {
    throw new Refused(413, `body: expected at most ${maxBytes} bytes`);
  };
  if (Number(req.header("content-length") ?? 0) > maxBytes) refuse();
  if (incoming === undefined) return req.text();
  const parts: Buffer[] = [];
  let bytes = 0;
  for await (const part of incoming) {
    bytes += (part as Buffer).length;
    if (bytes > maxBytes) refuse();
    parts.push(part as Buffer);
  }
  return (parts.length === 1 ? parts[0]! : Buffer.concat(parts)).toString("utf8");
}
