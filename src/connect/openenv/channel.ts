import { AttuneError } from "../../spec/error.ts";
import type { StepResult } from "./frames.ts";

/** A session on somebody's OpenEnv server. Refusals of the server come as `FrameError`, all else as `AttuneError`. */
export type Channel = {
  reset(data: Record<string, unknown>, signal: AbortSignal): Promise<StepResult>;
  step(action: Record<string, unknown>, signal: AbortSignal): Promise<StepResult>;
  state(signal: AbortSignal): Promise<Record<string, unknown>>;
  /** Any number of times. Never throws: what cannot be closed is gone. */
  close(): Promise<void>;
};

export type Server = {
  /** Without a slash at the end. */
  url: string;
  key: string | undefined;
  connectTimeoutMs: number;
  messageTimeoutMs: number;
  maxMessageBytes: number;
};

/** The server cannot be reached, or the connection to it broke off. */
export class LostError extends AttuneError {
  constructor(server: Server, message: string, options?: { cause?: unknown }) {
    super("environment", `OpenEnv server ${server.url}: ${message}`, options);
    this.name = "LostError";
  }
}

/** The server answers HTTP and refuses WebSocket. */
export class NoWebSocketError extends AttuneError {
  constructor(server: Server, status: number) {
    super(
      "environment",
      `OpenEnv server ${server.url}: /ws: got HTTP status ${status}, expected a WebSocket`,
    );
    this.name = "NoWebSocketError";
  }
}

export function broken(server: Server, message: string): AttuneError {
  return new AttuneError("environment", `OpenEnv server ${server.url}: ${message}`);
}

export const authorization = ({ key }: Server): Record<string, string> =>
  key === undefined ? {} : { authorization: `Bearer ${key}` };

/** The server's address with the scheme of HTTP. Throws `AttuneError` (usage) for what is none. */
export function toServerUrl(url: string): string {
  const parsed = URL.canParse(url) ? new URL(url) : undefined;
  const scheme = parsed && /^(?:http|ws)(s?):$/.exec(parsed.protocol);
  if (!scheme)
    throw new AttuneError("usage", `openEnv: url: got "${url}", expected http, https, ws or wss://host:port`);
  if (parsed.username || parsed.password || parsed.search || parsed.hash)
    throw new AttuneError(
      "usage",
      `openEnv: url: got "${parsed.host}" with a user, a query or a fragment, expected none; a key goes into \`key\``,
    );
  return `http${scheme[1]}://${parsed.host}${parsed.pathname}`.replace(/\/+$/, "");
}
