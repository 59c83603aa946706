import { z } from "zod";
import { deriveSeed } from "../../kit/random.ts";
import { AttuneError } from "../../spec/error.ts";
import { HttpFailure, requestJson } from "../http-json.ts";
import { withRetry } from "../retry.ts";
import { type Edition, oneLine, parsed, readTurn, type Turn, type WireMessage } from "./protocol.ts";

export type ControllerOptions = {
  /** Address of the API, such as http://localhost:5020/api; `/api` is added where there is no path. */
  url: string;
  headers?: Record<string, string>;
  timeoutMs?: number;
  maxMessageBytes?: number;
  /** Further tries of what does nothing twice: reading, and starting a sample that was turned away. */
  retries?: number;
};

export type WorkerCount = { task: string; workers: number; capacity: number; current: number };

/** An AgentBench controller over HTTP. Everything it throws is an `AttuneError` (environment) or the abort. */
export type Controller = {
  readonly url: string;
  listWorkers(signal: AbortSignal): Promise<WorkerCount[]>;
  /** Undefined where the controller knows no such task. */
  indices(task: string, signal: AbortSignal): Promise<(number | string)[] | undefined>;
  /** The signal ends further tries; a request that is on its way comes back all the same. */
  start(
    task: string,
    options: { index: number | string; seed: number; signal: AbortSignal },
  ): Promise<{ session: number | string; turn: Turn }>;
  interact(
    session: number | string,
    options: { edition: Edition; message: WireMessage; signal: AbortSignal },
  ): Promise<Turn>;
  /** A session that is not there any more is as good as cancelled. */
  cancel(session: number | string, edition: Edition): Promise<void>;
};

const indicesSchema = z.array(z.union([z.int(), z.string()]));

const workersSchema = z.record(
  z.string(),
  z.looseObject({
    workers: z
      .record(
        z.string(),
        z.looseObject({
          capacity: z.number().catch(0),
          current: z.number().catch(0),
          status: z.unknown().optional(),
        }),
      )
      .catch({}),
  }),
);

const cancelTimeoutMs = 5000;

/** Statuses of a controller that is there but cannot answer now; reading may be tried again. */
const unavailable = new Set([429, 502, 503, 504]);

/** Asked to start where every worker is busy, a controller answers 406 and starts nothing. */
const noWorker = 406;

class Refused extends AttuneError {
  readonly status: number;

  constructor(message: string, status: number) {
    super("environment", message);
    this.status = status;
  }
}

export function createController({
  url,
  headers = {},
  timeoutMs = 120_000,
  maxMessageBytes = 16 << 20,
  retries = 5,
}: ControllerOptions): Controller {
  const base = toApiUrl(url);

  const request = async (
    path: string,
    asked: { body?: unknown; method?: "POST"; headers?: Record<string, string>; signal: AbortSignal },
    milliseconds = timeoutMs,
  ) => {
    const where = `AgentBench controller ${base}: ${path.split("?", 1)[0]}`;
    const answer = await requestJson(`${base}${path}`, {
      ...asked,
      headers: { ...headers, ...asked.headers },
      timeoutMs: milliseconds,
      maxBytes: maxMessageBytes,
    }).catch((error: unknown) => {
      if (!(error instanceof HttpFailure)) throw error;
      throw new AttuneError("environment", `${where}: ${error.message}`, { cause: error });
    });
    if (answer.status < 400) return { ...answer, where };
    const { detail } = (answer.value ?? {}) as { detail?: unknown };
    throw new Refused(
      `${where}: got HTTP status ${answer.status}: ${oneLine(detail ?? answer.value)}`,
      answer.status,
    );
  };

  const read = (path: string, signal: AbortSignal) =>
    withRetry(() => request(path, { signal }), {
      retries,
      seed: deriveSeed("agentbench", base, path),
      signal,
      mayRetry: (error) =>
        error instanceof Refused
          ? unavailable.has(error.status)
          : (error as Error).cause instanceof HttpFailure,
    });

  const cancel: Controller["cancel"] = async (session, edition) => {
    const { signal } = new AbortController();
    const asked =
      edition === "tools"
        ? { method: "POST" as const, headers: { session_id: String(session) }, signal }
        : { body: { session_id: session }, signal };
    try {
      await request("/cancel", asked, cancelTimeoutMs);
    } catch (error) {
      if (!(error instanceof Refused && [400, 404].includes(error.status))) throw error;
    }
  };

  return {
    url: base,
    async listWorkers(signal) {
      const { value, where } = await read("/list_workers", signal);
      return Object.entries(parsed(workersSchema, value, where)).map(([task, { workers }]) => {
        // a worker that has not sent its heartbeat is in a coma (1) or dead (2)
        const alive = Object.values(workers).filter(({ status }) => status !== 1 && status !== 2);
        return {
          task,
          workers: alive.length,
          capacity: alive.reduce((total, { capacity }) => total + capacity, 0),
          current: alive.reduce((total, { current }) => total + current, 0),
        };
      });
    },
    async indices(task, signal) {
      try {
        const { value, where } = await read(`/get_indices?name=${encodeURIComponent(task)}`, signal);
        return parsed(indicesSchema, value, where);
      } catch (error) {
        if (error instanceof Refused && [400, 404, 406].includes(error.status)) return undefined;
        throw error;
      }
    },
    async start(task, { index, seed, signal }) {
      const { value, headers, where } = await withRetry(
        // not stopped by the signal: without the answer nobody could cancel what was started
        () => request("/start_sample", { body: { name: task, index }, signal: new AbortController().signal }),
        {
          retries,
          seed,
          signal,
          mayRetry: (error) =>
            error instanceof Refused ? error.status === noWorker : wasUnsent((error as Error).cause),
        },
      );
      const session = sessionIn(headers.get("session_id"), value);
      if (session === undefined)
        throw new AttuneError(
          "environment",
          `${where}: got no session_id, neither as a header nor in the body`,
        );
      try {
        return { session, turn: readTurn(value, where) };
      } catch (error) {
        // whatever was started there, nobody will play it
        await cancel(session, isText(value) ? "text" : "tools").catch(() => undefined);
        throw error;
      }
    },
    async interact(session, { edition, message, signal }) {
      const { role: _, ...said } = message;
      const { value, where } =
        edition === "tools"
          ? await request("/interact", {
              body: { messages: [message] },
              headers: { session_id: String(session) },
              signal,
            })
          : await request("/interact", {
              body: {
                session_id: session,
                agent_response: { status: "normal", content: said.content ?? "" },
              },
              signal,
            });
      return readTurn(value, where);
    },
    cancel,
  };
}

function sessionIn(header: string | null, body: unknown): number | string | undefined {
  if (header) return header;
  const { session_id } = (body ?? {}) as { session_id?: unknown };
  return typeof session_id === "number" || typeof session_id === "string" ? session_id : undefined;
}

const isText = (body: unknown) => (body as { output?: unknown } | null)?.output !== undefined;

const wasUnsent = (cause: unknown) => cause instanceof HttpFailure && cause.unsent;

function toApiUrl(url: string): string {
  const parsed = URL.canParse(url) ? new URL(url) : undefined;
  if (!parsed || !/^https?:$/.test(parsed.protocol) || parsed.username || parsed.search)
    throw new AttuneError("usage", `agentBench: url: got "${url}", expected http://host:port/api`);
  const path = parsed.pathname.replace(/\/+$/, "");
  return `${parsed.origin}${path || "/api"}`;
}
