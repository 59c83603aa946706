import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import type { Environment, Split } from "../../spec/environment.ts";
import { AttuneError } from "../../spec/error.ts";
import { checkServerOptions, refusedAccess } from "../access.ts";
import { createMcpSessions, refused } from "./mcp-sessions.ts";
import { type ServedResult, serveSession } from "./served-session.ts";
import { sendWebResponse, toWebRequest } from "./web-request.ts";

export type ServeEnvironmentOptions = {
  /** 0 takes a free one. */
  port?: number;
  host?: string;
  /** Asked of every caller, and needed where others than this machine can call. */
  key?: string;
  /** Sessions at a time. */
  capacity?: number;
  /** Milliseconds of silence after which a session is closed. */
  idleTimeoutMs?: number;
  /** Bytes of one request. */
  maxMessageBytes?: number;
  /** Tasks of sessions that name none: the first of this seed, then of the next, and so on. */
  split?: Split;
  seed?: number;
  /** Name of the tool by which the agent answers. */
  answerTool?: string;
  /** Told how each session ended. */
  onResult?: (result: ServedResult) => void;
};

export type McpEnvironmentServer = {
  /** Where clients connect. `?split=…&seed=…&index=…` chooses the task. */
  url: string;
  port: number;
  /** Sessions that are open now. */
  readonly sessions: number;
  close(): Promise<void>;
};

/**
 * Serves an environment by MCP over streamable HTTP, one episode per MCP session. The earlier protocol era has
 * sessions of its own; in the current one, which has none, the client names one in the address (`?session=…`) and
 * may end it with a DELETE there.
 * Throws `AttuneError`: `usage` for options that cannot be served, `io` where the port cannot be had.
 */
export async function serveEnvironment(
  environment: Environment,
  {
    port = 8000,
    host = "127.0.0.1",
    key,
    capacity = 16,
    idleTimeoutMs = 900_000,
    maxMessageBytes = 1 << 20,
    split = "train",
    seed = 0,
    answerTool = "submit_answer",
    onResult,
  }: ServeEnvironmentOptions = {},
): Promise<McpEnvironmentServer> {
  checkServerOptions("MCP server", { host, key, counts: { capacity, idleTimeoutMs, maxMessageBytes } });
  // a session with a tool of the answer's name is refused now, not in the middle of an episode
  const trial = serveSession(environment, { id: "load", choice: { split, seed, index: 0 }, answerTool });
  try {
    await trial.tools();
  } finally {
    await trial.close();
  }

  const sessions = await createMcpSessions(environment, {
    capacity,
    idleTimeoutMs,
    usual: { split, seed, index: 0 },
    answerTool,
    onResult,
  });

  const server = createServer((request, response) => {
    const gone = new AbortController();
    response.on("close", () => gone.abort());
    const respond = async (): Promise<Response> => {
      const denied = refusedAccess(request, { key });
      if (denied) return refused(denied.status, denied.detail);
      const asked = await toWebRequest(request, { maxBytes: maxMessageBytes, signal: gone.signal });
      return asked
        ? sessions.answer(asked)
        : refused(413, `expected a body of at most ${maxMessageBytes} bytes`);
    };
    respond()
      .then((answer) => sendWebResponse(answer, response))
      .catch(() => response.destroy());
  });
  await new Promise<void>((resolve, reject) => {
    server.once("error", ({ message }: Error) =>
      reject(new AttuneError("io", `MCP server: ${host}:${port}: ${message}`)),
    );
    server.listen(port, host, resolve);
  });
  const taken = (server.address() as AddressInfo).port;

  let closing: Promise<void> | undefined;
  return {
    url: `http://${host.includes(":") ? `[${host}]` : host}:${taken}/mcp`,
    port: taken,
    get sessions() {
      return sessions.size;
    },
    close() {
      closing ??= (async () => {
        const closed = new Promise<void>((resolve) => server.close(() => resolve()));
        await sessions.close();
        server.closeAllConnections();
        await closed;
      })();
      return closing;
    },
  };
}
