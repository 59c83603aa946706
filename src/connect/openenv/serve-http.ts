import type { IncomingMessage, ServerResponse } from "node:http";
import { z } from "zod";
import type { Environment } from "../../spec/environment.ts";
import { actionSchema, checked, FrameError, parseJson } from "./frames.ts";
import type { HostedSession } from "./hosted-session.ts";
import type { HostedSessions } from "./hosted-sessions.ts";
import { answerRpc, notJson } from "./hosted-tools.ts";

type Route = (body: string) => unknown;

const stepBodySchema = z.looseObject({ action: z.record(z.string(), z.unknown()) });

const noEpisode = { episode_id: null, step_count: 0 };

/**
 * The protocol's HTTP routes. HTTP knows no sessions, so /reset, /step and /state share one, which a reset begins and
 * the end of its episode gives back: enough for one caller at a time, as with the servers that have only HTTP.
 */
export function httpRoutes(
  environment: Environment,
  { sessions, maxMessageBytes }: { sessions: HostedSessions; maxMessageBytes: number },
): (request: IncomingMessage, response: ServerResponse) => Promise<void> {
  let shared: HostedSession | undefined;
  let lastState: unknown = noEpisode;

  const reset: Route = async (body) => {
    const data = body === "" ? {} : parseJson(body);
    shared ??= sessions.open(() => (shared = undefined));
    const session = shared;
    try {
      const result = await session.reset(data);
      lastState = noEpisode;
      return result;
    } catch (error) {
      await release(session);
      throw error;
    }
  };

  const step: Route = async (body) => {
    const { action } = checked(stepBodySchema, parseJson(body), "body");
    const session = shared;
    if (!session)
      throw new FrameError("EXECUTION_ERROR", "there is no episode: expected a POST /reset first");
    try {
      const result = await session.step(action);
      if (result.done) await release(session);
      return result;
    } catch (error) {
      if (session.over) await release(session);
      throw error;
    }
  };

  /** Leaves what the episode looked like, for a /state that comes after it. */
  const release = async (session: HostedSession) => {
    lastState = await session.state();
    if (shared === session) shared = undefined;
    await sessions.close(session);
  };

  const routes: Record<string, Partial<Record<string, Route>>> = {
    "/health": { GET: () => ({ status: "healthy" }) },
    "/metadata": { GET: () => metadataOf(environment) },
    "/schema": { GET: () => schemasOf(environment) },
    "/state": { GET: () => shared?.state() ?? lastState },
    "/reset": { POST: reset },
    "/step": { POST: step },
    "/mcp": {
      POST: async (body) => {
        let request: unknown;
        try {
          request = parseJson(body);
        } catch (error) {
          return notJson((error as Error).message);
        }
        return answerRpc(request, { sessions });
      },
    },
  };

  return async (request, response) => {
    const { pathname } = addressOf(request);
    const route = Object.hasOwn(routes, pathname) ? routes[pathname]! : undefined;
    const method = request.method ?? "GET";
    if (!route) return send(response, 404, { detail: "Not Found" });
    const handle = Object.hasOwn(route, method) ? route[method] : undefined;
    if (!handle)
      return send(response, 405, { detail: `got ${method}, expected ${Object.keys(route).join()}` });
    try {
      const body = method === "GET" ? "" : await bodyOf(request, maxMessageBytes);
      if (body === undefined) {
        response.setHeader("connection", "close");
        return send(response, 413, { detail: `got a body of more than ${maxMessageBytes} bytes` });
      }
      send(response, 200, await handle(body));
    } catch (error) {
      const { status, detail } = refusalOf(error);
      send(response, status, detail);
    }
  };
}

function metadataOf({ name, description }: Environment) {
  return { name, description, readme_content: null, version: null, author: null, documentation_url: null };
}

/** JSON Schemas of what goes in and out. The observation's `rewards` name the environment's components. */
function schemasOf({ rewards }: Environment) {
  const component = { type: ["number", "null"] };
  return {
    action: z.toJSONSchema(actionSchema, { io: "input" }),
    observation: {
      title: "Observation",
      type: "object",
      properties: {
        messages: { type: "array", items: { type: "object" } },
        tools: { type: "array", items: { type: "object" } },
        tool_name: { type: "string" },
        result: {},
        error: {},
        status: { type: "string" },
        rewards: {
          type: "object",
          properties: Object.fromEntries(Object.keys(rewards).map((name) => [name, component])),
        },
      },
    },
    state: {
      title: "State",
      type: "object",
      properties: {
        episode_id: { type: ["string", "null"] },
        step_count: { type: "integer", minimum: 0 },
        task_id: { type: ["string", "null"] },
        kind: { type: ["string", "null"] },
        done: { type: "boolean" },
      },
    },
  };
}

const statusOf: Partial<Record<string, number>> = {
  INVALID_JSON: 422,
  VALIDATION_ERROR: 422,
  EXECUTION_ERROR: 409,
  CAPACITY_REACHED: 503,
};

function refusalOf(error: unknown): { status: number; detail: unknown } {
  if (!(error instanceof FrameError)) return { status: 500, detail: { detail: (error as Error).message } };
  const { code, message, more } = error;
  return { status: statusOf[code] ?? 500, detail: { detail: message, code, ...more } };
}

async function bodyOf(request: IncomingMessage, maxBytes: number): Promise<string | undefined> {
  const parts: Buffer[] = [];
  let bytes = 0;
  // left open when it is too long, so that the caller can be told
  for await (const part of request.iterator({ destroyOnReturn: false }) as AsyncIterable<Buffer>) {
    bytes += part.length;
    if (bytes > maxBytes) return undefined;
    parts.push(part);
  }
  return Buffer.concat(parts).toString("utf8");
}

/** What a request asks for; a target that cannot be read is the root, which is not there. */
export function addressOf({ url = "/" }: IncomingMessage): URL {
  const base = "http://localhost";
  return URL.canParse(url, base) ? new URL(url, base) : new URL(base);
}

export function send(response: ServerResponse, status: number, body: unknown): void {
  if (response.headersSent || response.destroyed) return;
  response.writeHead(status, { "content-type": "application/json" });
  response.end(JSON.stringify(body));
}
