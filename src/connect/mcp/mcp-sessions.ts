import { randomUUID } from "node:crypto";
import type { WebStandardStreamableHTTPServerTransport } from "@modelcontextprotocol/server";
import type { Environment } from "../../spec/environment.ts";
import { AttuneError } from "../../spec/error.ts";
import { loadServer, toMcpServer } from "./mcp-server.ts";
import { type ServedResult, type ServedSession, serveSession, type TaskChoice } from "./served-session.ts";
import { createServedSessions } from "./served-sessions.ts";

/** The sessions of a server, as what answers its requests. */
export type McpSessions = {
  readonly size: number;
  answer(request: Request): Promise<Response>;
  close(): Promise<void>;
};

/** What answers a session's requests: a transport that knows the session, or nothing where requests stand alone. */
type Held = WebStandardStreamableHTTPServerTransport | undefined;

const path = "/mcp";
const goneMessage = "there is no such session: it was closed, or was silent for too long";
/** Names of closed sessions that are kept. */
const mostLeft = 10_000;
const sessionName = /^[\w.-]{8,128}$/;

/**
 * Answers requests in both protocol eras: in the earlier one `initialize` opens a session, in the current one the
 * address names it.
 */
export async function createMcpSessions(
  environment: Environment,
  {
    capacity,
    idleTimeoutMs,
    usual,
    answerTool,
    onResult,
  }: {
    capacity: number;
    idleTimeoutMs: number;
    /** Where the address names none: each session takes the next seed. */
    usual: TaskChoice;
    answerTool: string;
    onResult: ((result: ServedResult) => void) | undefined;
  },
): Promise<McpSessions> {
  const {
    Server,
    WebStandardStreamableHTTPServerTransport: Transport,
    createMcpHandler,
    isInitializeRequest,
    isLegacyRequest,
  } = await loadServer();

  const sessions = createServedSessions<Held>({ capacity, idleTimeoutMs });
  let started = 0;
  const make = (id: string, { searchParams }: URL) => {
    const choice = choiceIn(searchParams, { ...usual, seed: usual.seed + started++ });
    return serveSession(environment, { id, choice, answerTool, onResult });
  };
  const serverFor = (session: ServedSession) => toMcpServer(Server, environment, { session, answerTool });

  /** The current era: every request stands alone and says in its address which session it belongs to. */
  const alone = createMcpHandler(
    ({ requestInfo }) => {
      const name = new URL(requestInfo!.url).searchParams.get("session")!;
      return serverFor(sessions.get(name)!.session);
    },
    { legacy: "reject" },
  );
  const left = new Set<string>();
  const leave = async (name: string) => {
    // a name that came back would start another episode without a word
    left.add(name);
    if (left.size > mostLeft) left.delete(left.values().next().value!);
  };
  const answerAlone = async (request: Request, parsedBody: unknown): Promise<Response> => {
    const url = new URL(request.url);
    const name = url.searchParams.get("session");
    if (name === null)
      return refused(
        400,
        "this protocol era has no sessions: name one with ?session=, or open with initialize",
      );
    if (!sessionName.test(name))
      return refused(400, "session: expected 8 to 128 letters, digits, dots, dashes or underscores");
    if (left.has(name)) return refused(404, goneMessage);
    const place =
      sessions.get(name) ?? sessions.open(make(name, url), { value: undefined, close: () => leave(name) });
    return place.busy(() => alone.fetch(request, { parsedBody }));
  };

  /** The earlier era: `initialize` opens a session, whose id comes with every request after it. */
  const answerInSession = async (request: Request, parsedBody: unknown): Promise<Response> => {
    const id = request.headers.get("mcp-session-id");
    if (id !== null) {
      const transport = sessions.get(id)?.held;
      if (!transport) return refused(404, goneMessage);
      return sessions.get(id)!.busy(() => transport.handleRequest(request, { parsedBody }));
    }
    const named = sessions.get(new URL(request.url).searchParams.get("session") ?? "");
    if (request.method === "DELETE" && named) {
      await named.close();
      return new Response(null, { status: 204 });
    }
    if (!isInitializeRequest(parsedBody))
      return refused(400, "expected an mcp-session-id, or initialize first");
    sessions.refuseIfFull();
    const session = make(randomUUID(), new URL(request.url));
    const transport = new Transport({
      sessionIdGenerator: () => session.id,
      enableJsonResponse: true,
      onsessionclosed: () => sessions.get(session.id)?.close(),
    });
    const server = serverFor(session);
    const place = sessions.open(session, { value: transport, close: () => server.close() });
    await server.connect(transport);
    const answer = await place.busy(() => transport.handleRequest(request, { parsedBody }));
    if (!answer.ok) await place.close();
    return answer;
  };

  const answer = async (request: Request): Promise<Response> => {
    if (new URL(request.url).pathname !== path) return refused(404, `expected ${path}`);
    try {
      const parsedBody: unknown = request.method === "POST" ? await request.clone().json() : undefined;
      const isEarlier = await isLegacyRequest(request, parsedBody);
      return await (isEarlier ? answerInSession : answerAlone)(request, parsedBody);
    } catch (error) {
      if (error instanceof SyntaxError) return refused(400, "expected a body of JSON");
      if (!(error instanceof AttuneError)) return refused(500, (error as Error).message);
      return refused(error.kind === "environment" ? 503 : 400, error.message);
    }
  };

  return {
    get size() {
      return sessions.size;
    },
    answer,
    async close() {
      await alone.close();
      await sessions.closeAll();
    },
  };
}

/** What the address says about the task. Throws `AttuneError` (usage). */
function choiceIn(query: URLSearchParams, usual: TaskChoice): TaskChoice {
  const number = (name: "seed" | "index") => {
    const text = query.get(name);
    if (text === null) return usual[name];
    if (!/^\d{1,9}$/.test(text))
      throw new AttuneError("usage", `${name}: got "${text}", expected a whole number`);
    return Number(text);
  };
  const split = query.get("split") ?? usual.split;
  if (split !== "train" && split !== "test")
    throw new AttuneError("usage", `split: got "${split}", expected train or test`);
  return { split, seed: number("seed"), index: number("index") };
}

export function refused(status: number, message: string): Response {
  return Response.json({ jsonrpc: "2.0", id: null, error: { code: -32000, message } }, { status });
}
