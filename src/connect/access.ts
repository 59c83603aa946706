import { createHash, timingSafeEqual } from "node:crypto";
import type { IncomingMessage } from "node:http";
import { isIP } from "node:net";
import { AttuneError } from "../spec/error.ts";

/**
 * Refuses, with an `AttuneError` (usage), counts that are none and a server that everybody could use: one that other
 * machines can reach needs a key.
 */
export function checkServerOptions(
  server: string,
  { host, key, counts }: { host: string; key: string | undefined; counts: Record<string, number> },
): void {
  const refuse = (message: string): never => {
    throw new AttuneError("usage", `${server}: ${message}`);
  };
  for (const [name, value] of Object.entries(counts))
    if (!Number.isInteger(value) || value < 1)
      refuse(`${name}: expected a whole number above 0, got ${value}`);
  if (key === "") refuse("key: expected some characters, got none");
  if (key === undefined && !isLoopback(host))
    refuse(`host ${host} can be reached from other machines: give a key`);
}

/** Whether a host name or address can only be reached from this machine. */
function isLoopback(host: string): boolean {
  const name = host.replace(/^\[|\]$/g, "").toLowerCase();
  return name === "localhost" || name === "::1" || (isIP(name) === 4 && name.startsWith("127."));
}

/**
 * Why a request is not let in, or undefined where it is. With a key, it must be given as a bearer token or as the
 * password of basic authentication (which is what `http://user:KEY@host` sends). Without one the server listens on
 * loopback only, and what a page in a browser sends there is turned away.
 */
export function refusedAccess(
  { headers }: IncomingMessage,
  { key }: { key: string | undefined },
): { status: 401 | 403; detail: string } | undefined {
  if (key !== undefined) {
    const given = keyIn(headers.authorization);
    if (given !== undefined && same(given, key)) return undefined;
    const got = given === undefined ? "none" : "another one";
    return { status: 401, detail: `key: got ${got}, expected the server's key as a bearer token` };
  }
  const host = hostnameOf(`http://${headers.host ?? "localhost"}`);
  if (host === undefined || !isLoopback(host))
    return { status: 403, detail: `host: got "${headers.host}", expected a loopback name` };
  const { origin } = headers;
  if (origin === undefined) return undefined;
  const from = hostnameOf(origin);
  if (from !== undefined && isLoopback(from)) return undefined;
  return { status: 403, detail: `origin: got "${origin}", expected none or a loopback one` };
}

function keyIn(authorization: string | undefined): string | undefined {
  const [, scheme, value] = /^(\w+) +(.+)$/.exec(authorization ?? "") ?? [];
  if (scheme?.toLowerCase() === "bearer") return value;
  if (scheme?.toLowerCase() !== "basic") return undefined;
  const pair = Buffer.from(value!, "base64").toString("utf8");
  return pair.includes(":") ? pair.slice(pair.indexOf(":") + 1) : undefined;
}

function same(given: string, key: string): boolean {
  const digest = (text: string) => createHash("sha256").update(text).digest();
  return timingSafeEqual(digest(given), digest(key));
}

function hostnameOf(url: string): string | undefined {
  return URL.canParse(url) ? new URL(url).hostname : undefined;
}
