import { setTimeout as delay } from "node:timers/promises";
import { WebSocket } from "ws";
import { AttuneError } from "../../spec/error.ts";
import { authorization, broken, type Channel, LostError, NoWebSocketError, type Server } from "./channel.ts";
import {
  FrameError,
  issuesOf,
  parseJson,
  type ServerFrame,
  type StepResult,
  serverFrameSchema,
  shown,
} from "./frames.ts";

/** Milliseconds that the server may take to say goodbye. */
const closeTimeoutMs = 500;

/** Statuses of a refused handshake that say there is no such route, not that it is busy. */
const withoutWebSocket = new Set([400, 403, 404, 405, 426, 501]);

type Asked = { observation: StepResult; state: Record<string, unknown> };

type Waiting = { resolve(frame: ServerFrame): void; reject(error: unknown): void };

/** One WebSocket, one session: a question at a time, each with a deadline. */
export async function openSocketChannel(server: Server, signal: AbortSignal): Promise<Channel> {
  signal.throwIfAborted();
  const socket = dial(server);
  let waiting: Waiting | undefined;
  let lost: AttuneError | undefined;
  let unasked: ServerFrame | undefined;
  let turn: Promise<unknown> = Promise.resolve();

  const lose = (error: AttuneError) => {
    lost ??= error;
    waiting?.reject(lost);
    waiting = undefined;
    socket.terminate();
  };

  socket.on("message", (data: Buffer) => {
    const frame = readServerFrame(server, data.toString("utf8"));
    if (frame instanceof AttuneError) return lose(frame);
    if (!waiting) {
      // a server that is full says so before it is asked anything
      unasked = frame;
      return;
    }
    waiting.resolve(frame);
    waiting = undefined;
  });
  socket.on("error", ({ message }) => lose(new LostError(server, message)));
  socket.on("close", (code, reason) => {
    const said = reason.length > 0 ? `: ${shown(reason.toString("utf8"))}` : "";
    lose(new LostError(server, `the connection was closed (${code}${said})`));
  });

  // listened to from the start: what a server says first may come together with its handshake
  await opened(socket, { server, signal });

  const exchange = async (frame: object, asked: AbortSignal): Promise<ServerFrame> => {
    if (unasked?.type === "error") throw toFrameError(unasked);
    if (unasked) throw broken(server, `got a frame "${unasked.type}" that nothing asked for`);
    if (lost) throw lost;
    asked.throwIfAborted();
    return new Promise<ServerFrame>((resolve, reject) => {
      // an answer that comes later would be taken for the next one's: the session cannot go on
      const giveUp = () => lose(new LostError(server, "the session was given up in the middle of a request"));
      const late = () => lose(new LostError(server, `no answer within ${server.messageTimeoutMs} ms`));
      const timer = setTimeout(late, server.messageTimeoutMs);
      asked.addEventListener("abort", giveUp, { once: true });
      const settled = () => {
        clearTimeout(timer);
        asked.removeEventListener("abort", giveUp);
      };
      waiting = {
        resolve: (answer) => {
          settled();
          resolve(answer);
        },
        reject: (error) => {
          settled();
          reject(error as Error);
        },
      };
      socket.send(JSON.stringify(frame));
    });
  };

  const ask = async <Type extends keyof Asked>(
    frame: { type: string; data?: unknown },
    expected: Type,
    asked: AbortSignal,
  ): Promise<Asked[Type]> => {
    const run = turn.then(() => exchange(frame, asked));
    turn = run.catch(() => undefined);
    const answer = await run;
    if (answer.type === "error") throw toFrameError(answer);
    if (answer.type !== expected)
      throw broken(server, `${frame.type}: got a frame "${answer.type}", expected "${expected}"`);
    return answer.data as Asked[Type];
  };

  let closing: Promise<void> | undefined;
  return {
    reset: (data, asked) => ask({ type: "reset", data }, "observation", asked),
    step: (action, asked) => ask({ type: "step", data: action }, "observation", asked),
    state: (asked) => ask({ type: "state" }, "state", asked),
    close: () =>
      (closing ??= (async () => {
        if (socket.readyState === WebSocket.OPEN && !lost) {
          // the server closes, as the protocol has it; one that does not is left
          const closed = new Promise<void>((resolve) => socket.once("close", () => resolve()));
          socket.send(JSON.stringify({ type: "close" }));
          await Promise.race([closed, delay(closeTimeoutMs, undefined, { ref: false })]);
        }
        socket.terminate();
      })()),
  };
}

const dial = (server: Server) =>
  new WebSocket(`${server.url.replace(/^http/, "ws")}/ws`, {
    headers: authorization(server),
    handshakeTimeout: server.connectTimeoutMs,
    maxPayload: server.maxMessageBytes,
    perMessageDeflate: false,
  });

async function opened(
  socket: WebSocket,
  { server, signal }: { server: Server; signal: AbortSignal },
): Promise<void> {
  const abort = () => socket.terminate();
  signal.addEventListener("abort", abort, { once: true });
  try {
    await new Promise<void>((resolve, reject) => {
      socket.once("open", resolve);
      socket.once("unexpected-response", (request, response) => {
        const status = response.statusCode ?? 0;
        request.destroy();
        reject(refusedWith(server, status));
      });
      socket.once("error", (error) => reject(new LostError(server, error.message, { cause: error })));
    });
  } catch (error) {
    socket.terminate();
    signal.throwIfAborted();
    throw error;
  } finally {
    signal.removeEventListener("abort", abort);
  }
}

function refusedWith(server: Server, status: number): AttuneError {
  if (status === 401) return broken(server, "got HTTP status 401: expected another key");
  if (withoutWebSocket.has(status)) return new NoWebSocketError(server, status);
  return new LostError(server, `/ws: got HTTP status ${status}, expected a WebSocket`);
}

const toFrameError = ({ data: { code, message, ...more } }: Extract<ServerFrame, { type: "error" }>) =>
  new FrameError(code, message, more);

function readServerFrame(server: Server, text: string): ServerFrame | AttuneError {
  let value: unknown;
  try {
    value = parseJson(text);
  } catch (error) {
    return broken(server, (error as Error).message);
  }
  const result = serverFrameSchema.safeParse(value);
  return result.success
    ? result.data
    : broken(server, `frame: got ${shown(value)}: ${issuesOf(result.error)}`);
}
