import { z } from "zod";
import type { JsonObject } from "../../spec/json.ts";
import type { ToolSpec } from "../../spec/tool.ts";
import { FrameError, issuesOf } from "./frames.ts";
import { type HostedSession, toToolResult } from "./hosted-session.ts";
import type { HostedSessions } from "./hosted-sessions.ts";

// The agent's side of the protocol: MCP's tools/list and tools/call as JSON-RPC 2.0, and the two methods by which an
// HTTP caller keeps a session. Nothing here can reset a world.

const codes = {
  parse: -32700,
  invalidRequest: -32600,
  methodNotFound: -32601,
  invalidParams: -32602,
  internal: -32603,
  server: -32000,
} as const;

const requestSchema = z.looseObject({
  jsonrpc: z.literal("2.0").default("2.0"),
  method: z.string(),
  params: z.record(z.string(), z.unknown()).nullish(),
  id: z.union([z.string(), z.number()]).nullish(),
});

const callSchema = z.looseObject({
  name: z.string().min(1),
  arguments: z.record(z.string(), z.unknown()).nullish(),
});

const sessionSchema = z.looseObject({ session_id: z.string().min(1) });

type Reply = { jsonrpc: "2.0"; id: string | number | null } & (
  | { result: unknown }
  | { error: { code: number; message: string; data?: unknown } }
);

class RpcError extends Error {
  readonly code: number;
  readonly data: unknown;

  constructor(code: number, message: string, data?: unknown) {
    super(message);
    this.code = code;
    this.data = data;
  }
}

export const notJson = (message: string): Reply => refusal(null, new RpcError(codes.parse, message));

/** Answers one JSON-RPC request on a session that is held, one that it names, or one made for this request alone. */
export async function answerRpc(
  body: unknown,
  { sessions, held }: { sessions: HostedSessions; held?: HostedSession },
): Promise<Reply> {
  const parsed = requestSchema.safeParse(body);
  if (!parsed.success)
    return refusal(null, new RpcError(codes.invalidRequest, `request: ${issuesOf(parsed.error)}`));
  const { method, id = null } = parsed.data;
  const params = parsed.data.params ?? {};
  try {
    return { jsonrpc: "2.0", id, result: await resultOf(method, params, { sessions, held }) };
  } catch (error) {
    return refusal(id, error);
  }
}

async function resultOf(
  method: string,
  params: Record<string, unknown>,
  { sessions, held }: { sessions: HostedSessions; held: HostedSession | undefined },
): Promise<unknown> {
  switch (method) {
    case "openenv/session/create":
      return { session_id: (held ?? sessions.open()).id };
    case "openenv/session/close": {
      const { session_id } = checkedParams(sessionSchema, params);
      if (held?.id === session_id)
        throw new RpcError(codes.invalidRequest, "this session ends with its connection");
      await sessions.close(named(sessions, session_id));
      return { session_id, closed: true };
    }
    case "tools/list":
      return {
        tools: (await toolsFor(params, { sessions, held })).map(({ name, description, parameters }) => ({
          name,
          description,
          inputSchema: parameters,
        })),
      };
    case "tools/call": {
      const { name, arguments: given } = checkedParams(callSchema, params);
      return onSession(params, { sessions, held }, async (session) =>
        toToolResult(await session.callTool(name, (given ?? {}) as JsonObject)),
      );
    }
    default:
      throw new RpcError(
        codes.methodNotFound,
        `method: got "${method}", expected tools/list, tools/call, openenv/session/create or openenv/session/close`,
      );
  }
}

function toolsFor(
  { session_id }: Record<string, unknown>,
  { sessions, held }: { sessions: HostedSessions; held: HostedSession | undefined },
): readonly ToolSpec[] | Promise<readonly ToolSpec[]> {
  if (held) return held.listTools();
  return typeof session_id === "string" ? named(sessions, session_id).listTools() : sessions.tools;
}

async function onSession<Result>(
  params: Record<string, unknown>,
  { sessions, held }: { sessions: HostedSessions; held: HostedSession | undefined },
  work: (session: HostedSession) => Promise<Result>,
): Promise<Result> {
  if (held) return work(held);
  const { session_id } = params;
  if (typeof session_id === "string") return work(named(sessions, session_id));
  const session = sessions.open();
  try {
    return await work(session);
  } finally {
    await sessions.close(session);
  }
}

function named(sessions: HostedSessions, id: string): HostedSession {
  const session = sessions.get(id);
  if (!session) throw new RpcError(codes.invalidParams, `session_id: there is no session "${id}"`);
  return session;
}

function checkedParams<Value>(schema: z.ZodType<Value>, params: unknown): Value {
  const result = schema.safeParse(params);
  if (result.success) return result.data;
  throw new RpcError(codes.invalidParams, `params: ${issuesOf(result.error)}`);
}

function refusal(id: string | number | null, error: unknown): Reply {
  const { message } = error as Error;
  if (error instanceof RpcError) {
    const { code, data } = error;
    return { jsonrpc: "2.0", id, error: { code, message, ...(data !== undefined && { data }) } };
  }
  if (error instanceof FrameError) {
    const data = { code: error.code, ...error.more };
    return { jsonrpc: "2.0", id, error: { code: codes.server, message, data } };
  }
  return { jsonrpc: "2.0", id, error: { code: codes.internal, message } };
}
