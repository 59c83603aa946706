import { createHash, timingSafeEqual } from "node:crypto";
import type { IncomingMessage } from "node:http";
import type { AddressInfo } from "node:net";
import { type ServerType, serve } from "@hono/node-server";
import { type Context, Hono } from "hono";
import type { z } from "zod";
import { checkServerOptions, refusedAccess } from "../connect/access.ts";
import { AttuneError } from "../spec/error.ts";
import type { Trajectory } from "../spec/trajectory.ts";
import { createDialectApp } from "./app.ts";
import { readText } from "./body.ts";
import { type ConversationFactory, createEpisodes, type Episodes, ending, opening } from "./episodes.ts";
import { Refused } from "./refused.ts";

export type GatewayOptions = {
  /** Makes the model of an episode: `createConversation` over a policy, or one over a server behind. */
  create: ConversationFactory;
  /** Who plays, for the record. */
  player: string;
  /** 0 takes a free one. */
  port?: number;
  host?: string;
  /** Asked of every caller, and needed where others than this machine can call. */
  key?: string;
  /** Bytes of one request. */
  maxBodyBytes?: number;
  /** Whether a call that names an unknown trajectory opens it; without it, the runner must. */
  openUnknown?: boolean;
  onTrajectory(trajectory: Trajectory): void;
};

export type Gateway = {
  /** The address that an agent is given, for a trajectory: `…/t/ID/v1`. */
  baseUrl(trajectory: string): string;
  url: string;
  episodes: Episodes;
  /** Stops listening, waits for calls that are under way, and seals what is open. */
  close(): Promise<void>;
};

/**
 * Serves conversations over HTTP, so that an agent in any language is captured by a change of its base URL. The
 * runner of the agent opens episodes (`POST /episodes`), looks at them (`GET /episodes/ID`) and seals them with what
 * they earned (`POST /episodes/ID/seal`). Throws `AttuneError`: `usage` for options that cannot be served, `io` where
 * the port cannot be had.
 */
export async function serveGateway({
  create,
  player,
  port = 8100,
  host = "127.0.0.1",
  key,
  maxBodyBytes = 32 * 1024 * 1024,
  openUnknown = true,
  onTrajectory,
}: GatewayOptions): Promise<Gateway> {
  checkServerOptions("gateway", { host, key, counts: { maxBodyBytes } });
  const episodes = createEpisodes({ create, player, onTrajectory });
  let underWay = 0;
  let idle: (() => void) | undefined;

  const app = new Hono<{ Bindings: { incoming: IncomingMessage } }>();
  app.use(async (context, next) => {
    underWay++;
    try {
      const refused = refusedCaller(context, key);
      if (refused) return context.json({ error: { message: refused.message } }, refused.status);
      return await next();
    } finally {
      if (--underWay === 0) idle?.();
    }
  });
  app.get("/health", (context) => context.json({ ok: true, open: episodes.ids().length }));
  app.post("/episodes", (context) =>
    answered(context, async () => {
      const id = episodes.open(await readBody(context, opening, maxBodyBytes));
      return { id, baseUrl: `${new URL(context.req.url).origin}/t/${id}/v1` };
    }),
  );
  app.get("/episodes/:id", (context) =>
    answered(context, async () => episodes.state(context.req.param("id"))),
  );
  app.post("/episodes/:id/seal", (context) =>
    answered(context, async () => {
      const { id, status, reward, nodes } = episodes.seal(
        context.req.param("id"),
        await readBody(context, ending, maxBodyBytes),
      );
      return { id, status, reward, nodes: nodes.length };
    }),
  );
  app.route(
    "/",
    createDialectApp({
      now: () => new Date(),
      maxBodyBytes,
      conversationFor({ trajectory, key: given }) {
        const id = trajectory ?? trajectoryIn(given, key) ?? "default";
        if (!episodes.has(id)) {
          if (!openUnknown) throw new Refused(404, `there is no episode ${id}; open it first`);
          if (!opening.shape.id.safeParse(id).success)
            throw new Refused(
              404,
              `trajectory: expected letters, digits, - _ . ~, got ${JSON.stringify(id)}`,
            );
          episodes.open({ id });
        }
        if (episodes.state(id).sealed) throw new Refused(410, `episode ${id} is sealed`);
        return episodes.conversation(id);
      },
    }) as unknown as Hono,
  );

  const server = await listen((request, env) => app.fetch(request, env as { incoming: IncomingMessage }), {
    port,
    host,
  });
  const url = `http://${host.includes(":") ? `[${host}]` : host}:${(server.address() as AddressInfo).port}`;
  return {
    url,
    baseUrl: (trajectory) => `${url}/t/${trajectory}/v1`,
    episodes,
    async close() {
      const closed = new Promise<void>((resolve) => server.close(() => resolve()));
      if (underWay > 0) await new Promise<void>((resolve) => (idle = resolve));
      if ("closeAllConnections" in server) server.closeAllConnections();
      await closed;
      for (const id of episodes.ids()) episodes.seal(id, {});
    },
  };
}

function listen(
  fetch: Parameters<typeof serve>[0]["fetch"],
  { port, host }: { port: number; host: string },
): Promise<ServerType> {
  return new Promise((resolve, reject) => {
    const server = serve({ fetch, port, hostname: host }, () => resolve(server));
    server.once("error", (error) =>
      reject(new AttuneError("io", `gateway: cannot listen on ${host}:${port}: ${error.message}`)),
    );
  });
}

/** A server with a key wants it from everybody; one without is for this machine alone. */
function refusedCaller(
  { req, env }: Context<{ Bindings: { incoming: IncomingMessage } }>,
  key: string | undefined,
): { status: 401 | 403; message: string } | undefined {
  if (key === undefined) {
    const refused = refusedAccess(env.incoming, { key });
    return refused && { status: refused.status, message: refused.detail };
  }
  const given = req.header("x-api-key") ?? /^bearer +(.+)$/i.exec(req.header("authorization") ?? "")?.[1];
  if (given !== undefined && sameText(given.split("/", 1)[0]!, key)) return undefined;
  const got = given === undefined ? "none" : "another one";
  return { status: 401, message: `key: got ${got}, expected the gateway's key` };
}

/** An agent whose address cannot be changed names its trajectory in the key: `ID`, or `KEY/ID` where there is a key. */
function trajectoryIn(given: string | undefined, key: string | undefined): string | undefined {
  if (given === undefined) return undefined;
  if (key === undefined) return /^[\w.~-]{1,200}$/.test(given) ? given : undefined;
  return given.startsWith(`${key}/`) ? given.slice(key.length + 1) : undefined;
}

function sameText(given: string, key: string): boolean {
  const digest = (text: string) => createHash("sha256").update(text).digest();
  return timingSafeEqual(digest(given), digest(key));
}

async function readBody<Body>(context: Context, schema: z.ZodType<Body>, maxBytes: number): Promise<Body> {
  const text = await readText(context, maxBytes);
  let value: unknown;
  try {
    value = text === "" ? {} : JSON.parse(text);
  } catch {
    throw new AttuneError("input", "body: expected JSON");
  }
  const parsed = schema.safeParse(value);
  if (parsed.success) return parsed.data;
  const [issue] = parsed.error.issues;
  throw new AttuneError("input", `${issue!.path.join(".") || "body"}: ${issue!.message}`);
}

/** The runner's endpoints: what they give, or one line on why not. */
async function answered(context: Context, work: () => Promise<object>): Promise<Response> {
  try {
    return context.json(await work());
  } catch (error) {
    if (error instanceof Refused) return context.json({ error: { message: error.message } }, error.status);
    if (!(error instanceof AttuneError)) throw error;
    const status = error.kind === "input" ? 400 : error.message.startsWith("there is no") ? 404 : 409;
    return context.json({ error: { message: error.message } }, status);
  }
}
