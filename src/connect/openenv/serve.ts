import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { WebSocketServer } from "ws";
import type { Environment } from "../../spec/environment.ts";
import { AttuneError } from "../../spec/error.ts";
import { checkServerOptions, refusedAccess } from "../access.ts";
import { attend, frames, rpc } from "./attend.ts";
import { createHostedSessions } from "./hosted-sessions.ts";
import { addressOf, httpRoutes, send } from "./serve-http.ts";

export type ServeOptions = {
  /** 0 takes a free one. */
  port?: number;
  host?: string;
  /** Asked of every caller, and needed where others than this machine can call. */
  key?: string;
  /** Sessions at a time. */
  capacity?: number;
  /** Milliseconds of silence after which a session is closed. */
  idleTimeoutMs?: number;
  /** Bytes of one frame or body. */
  maxMessageBytes?: number;
};

export type OpenEnvServer = {
  url: string;
  port: number;
  /** Sessions that are open now. */
  readonly sessions: number;
  close(): Promise<void>;
};

/**
 * Serves an environment by the OpenEnv protocol: WebSocket /ws (one connection, one session), WebSocket and POST /mcp
 * for the agent's tools, and the HTTP routes. Throws `AttuneError`: `usage` for options that cannot be served, a tool
 * of a reserved name among them; `io` where the port cannot be had.
 */
export async function serveOpenEnv(
  environment: Environment,
  {
    port = 8000,
    host = "127.0.0.1",
    key,
    capacity = 16,
    idleTimeoutMs = 900_000,
    maxMessageBytes = 1 << 20,
  }: ServeOptions = {},
): Promise<OpenEnvServer> {
  checkServerOptions("OpenEnv server", {
    host,
    key,
    counts: { capacity, idleTimeoutMs, maxMessageBytes },
  });

  const sessions = await createHostedSessions(environment, { capacity, idleTimeoutMs });
  const routes = httpRoutes(environment, { sessions, maxMessageBytes });
  const server = createServer((request, response) => {
    const refused = request.url === "/health" ? undefined : refusedAccess(request, { key });
    if (refused) return send(response, refused.status, { detail: refused.detail });
    void routes(request, response);
  });

  const sockets = new WebSocketServer({
    noServer: true,
    maxPayload: maxMessageBytes,
    perMessageDeflate: false,
  });
  server.on("upgrade", (request, socket, head) => {
    socket.on("error", () => socket.destroy());
    const { pathname, searchParams } = addressOf(request);
    const refused = refusedAccess(request, { key });
    const status = refused?.status ?? (pathname === "/ws" || pathname === "/mcp" ? undefined : 404);
    if (status) return void socket.end(`HTTP/1.1 ${status} Refused\r\nconnection: close\r\n\r\n`);
    sockets.handleUpgrade(request, socket, head, (connection) => {
      const speak = pathname === "/ws" ? frames : rpc;
      attend(connection, { sessions, speak, sessionId: searchParams.get("session_id") });
    });
  });

  await new Promise<void>((resolve, reject) => {
    const failed = ({ message }: Error) =>
      reject(new AttuneError("io", `OpenEnv server: ${host}:${port}: ${message}`));
    server.once("error", failed);
    server.listen(port, host, () => {
      server.off("error", failed);
      resolve();
    });
  });
  const taken = (server.address() as AddressInfo).port;

  return {
    url: `http://${host.includes(":") ? `[${host}]` : host}:${taken}`,
    port: taken,
    get sessions() {
      return sessions.size;
    },
    close: async () => {
      const closed = new Promise<void>((resolve) => server.close(() => resolve()));
      for (const connection of sockets.clients) connection.close(1001, "the server is closing");
      await sessions.closeAll();
      for (const connection of sockets.clients) connection.terminate();
      server.closeAllConnections();
      await closed;
    },
  };
}
