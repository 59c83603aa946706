import type { WebSocket } from "ws";
import { FrameError, parseJson, readClientFrame } from "./frames.ts";
import type { HostedSession } from "./hosted-session.ts";
import type { HostedSessions } from "./hosted-sessions.ts";
import { answerRpc, notJson } from "./hosted-tools.ts";

/** Frames of one connection that may wait for an answer; a client that follows the protocol has one. */
const mostWaiting = 32;

/** How a kind of connection answers a message, and how it is told that something is wrong. */
type Speech = {
  /** Undefined ends the connection. */
  answer(text: string, context: { sessions: HostedSessions; held: HostedSession }): Promise<unknown>;
  refuse(error: unknown): unknown;
};

/** Lives as long as a connection: one session, answers in the order of the questions, and one close at the end. */
export function attend(
  connection: WebSocket,
  { sessions, speak, sessionId }: { sessions: HostedSessions; speak: Speech; sessionId: string | null },
): void {
  const say = (message: unknown) => {
    if (connection.readyState === connection.OPEN) connection.send(JSON.stringify(message));
  };
  const refuse = (error: unknown) => {
    say(speak.refuse(error));
    connection.close(1000);
  };
  // what breaks a connection also closes it
  connection.on("error", () => undefined);

  let held: HostedSession;
  try {
    const named = sessionId === null ? undefined : sessions.get(sessionId);
    if (sessionId !== null && !named)
      throw new FrameError("SESSION_ERROR", `session_id: there is no session "${sessionId}"`);
    const idle = new FrameError("SESSION_ERROR", "the session is closed: it was silent for too long");
    held = named ?? sessions.open(() => refuse(idle));
  } catch (error) {
    refuse(error);
    return;
  }
  // a session that came before the connection outlives it
  const ownsSession = sessionId === null;

  let turn = Promise.resolve();
  let waiting = 0;
  connection.on("message", (data: Buffer, isBinary) => {
    if (isBinary) return refuse(new FrameError("SESSION_ERROR", "got a binary frame, expected text"));
    if (++waiting > mostWaiting)
      return refuse(new FrameError("SESSION_ERROR", `got more than ${mostWaiting} frames before an answer`));
    turn = turn.then(async () => {
      try {
        const answer = await speak.answer(data.toString("utf8"), { sessions, held });
        if (answer === undefined) connection.close(1000);
        else say(answer);
      } catch (error) {
        say(speak.refuse(error));
      } finally {
        waiting--;
      }
    });
  });
  connection.on("close", () => {
    if (!ownsSession) return;
    // nobody is left to be told that the world could not be closed
    sessions.close(held).catch(() => undefined);
  });
}

/** How /ws speaks: the frames of the protocol. */
export const frames: Speech = {
  async answer(text, { sessions, held }) {
    const frame = readClientFrame(text);
    switch (frame.type) {
      case "reset":
        return { type: "observation", data: await held.reset(frame.data) };
      case "step":
        return { type: "observation", data: await held.step(frame.data) };
      case "state":
        return { type: "state", data: await held.state() };
      case "mcp":
        return { type: "mcp", data: await answerRpc(frame.data, { sessions, held }) };
      case "close":
        return undefined;
    }
  },
  refuse(error) {
    const { message } = error as Error;
    if (!(error instanceof FrameError)) return { type: "error", data: { message, code: "EXECUTION_ERROR" } };
    return { type: "error", data: { message, code: error.code, ...error.more } };
  },
};

/** How a WebSocket /mcp speaks: JSON-RPC, one message a request. */
export const rpc: Speech = {
  async answer(text, context) {
    let request: unknown;
    try {
      request = parseJson(text);
    } catch (error) {
      return notJson((error as Error).message);
    }
    return answerRpc(request, context);
  },
  refuse(error) {
    const { message } = error as Error;
    const data = error instanceof FrameError ? { code: error.code, ...error.more } : undefined;
    return { jsonrpc: "2.0", id: null, error: { code: -32000, message, ...(data && { data }) } };
  },
};
