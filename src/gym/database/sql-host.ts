import { type ChildProcess, fork } from "node:child_process";
import { AttuneError } from "../../spec/error.ts";
import { ToolError } from "../../spec/tool.ts";
import type { Base, SqlReply, SqlRequest, StatementLimits } from "./wire.ts";

/** A session's own database. Nothing is opened before the first statement. */
export interface SqlSession {
  /** Shows what a statement gives. Throws `ToolError` for what SQLite says, and for a statement that takes too long. */
  run(sql: string, context: { signal?: AbortSignal }): Promise<string>;
  /** Hashes of its tables by name; null where that takes too long. */
  hashes(): Promise<Record<string, string> | null>;
  close(): void;
}

class Overdue extends Error {}
class Gone extends Error {}

/**
 * Databases live in processes of their own, because SQLite runs a statement to its end: a thread that is told to
 * stop stops only after it, a process does at once. A process that is killed takes other sessions' databases along;
 * they are made again from their base and their statements when they are next asked.
 */
const processes = 2;
const hosts: Host[] = [];
let sessions = 0;

/** Opens a session over a copy of `base`. `timeMs` is what one statement may take. */
export function openSqlSession(
  base: Base,
  { timeMs, limits }: { timeMs: number; limits: StatementLimits },
): SqlSession {
  const session = sessions++;
  const index = session % processes;
  const log: string[] = [];
  // all that a session says waits for what it said before, so that the log is in order
  let last: Promise<unknown> = Promise.resolve();
  const ask = async (request: Extract<SqlRequest, { ask: "run" | "hash" }>, signal?: AbortSignal) => {
    for (let attempt = 0; ; attempt++) {
      hosts[index] ??= createHost();
      const host = hosts[index];
      try {
        const ownMs = request.ask === "run" ? timeMs : timeMs + openMs;
        let reply = await host.ask(request, { timeMs: ownMs, signal });
        if ("unknown" in reply) {
          const made: SqlRequest = { ask: "open", session, base, log, limits };
          reply = await host.ask(made, { timeMs: openMs + timeMs * log.length, signal });
          if ("opened" in reply) continue;
        }
        if ("broken" in reply) throw new AttuneError("environment", `database: ${reply.broken}`);
        return reply;
      } catch (error) {
        // killed by the system, or for another's statement: the next process knows how to go on
        if (!(error instanceof Gone) || attempt >= mostAttempts) throw error;
      }
    }
  };
  const inOrder = <Result>(work: () => Promise<Result>): Promise<Result> => {
    const result = last.then(work);
    last = result.catch(() => {});
    return result;
  };
  return {
    run: (sql, { signal }) =>
      inOrder(async () => {
        signal?.throwIfAborted();
        let reply: SqlReply;
        try {
          reply = await ask({ ask: "run", session, sql }, signal);
        } catch (error) {
          signal?.throwIfAborted();
          if (error instanceof Overdue)
            throw new ToolError(`the statement was stopped: it took longer than ${timeMs} ms`);
          throw error;
        }
        if ("wrote" in reply && reply.wrote) log.push(sql);
        if ("failed" in reply) throw new ToolError(reply.failed);
        return (reply as { text: string }).text;
      }),
    hashes: () =>
      inOrder(async () => {
        try {
          return ((await ask({ ask: "hash", session })) as { hashes: Record<string, string> }).hashes;
        } catch (error) {
          if (error instanceof Overdue) return null;
          throw error;
        }
      }),
    close: () => hosts[index]?.tell({ ask: "forget", session }),
  };
}

/** For making a database, for hashing its tables, and for starting a process. */
const openMs = 10_000;
const mostAttempts = 10;

interface Host {
  ask(request: SqlRequest, options: { timeMs: number; signal?: AbortSignal | undefined }): Promise<SqlReply>;
  tell(request: SqlRequest): void;
}

/** A process that is asked one thing at a time, started when it is needed and killed when it takes too long. */
function createHost(): Host {
  let child: ChildProcess | undefined;
  const answered = new WeakSet<ChildProcess>();
  let waiting: { id: number; settle: (reply: SqlReply | Error) => void } | undefined;
  let nextId = 0;
  let last: Promise<unknown> = Promise.resolve();

  const start = (): ChildProcess => {
    const file = import.meta.url.endsWith(".ts") ? "./sql-process.ts" : "./sql-process.js";
    const started = fork(new URL(file, import.meta.url), {
      serialization: "advanced",
      env: {},
      execArgv: ["--max-old-space-size=512"],
      stdio: ["ignore", "ignore", "ignore", "ipc"],
    });
    started.on("message", ({ id, reply }: { id: number; reply: SqlReply }) => {
      if (id === waiting?.id) waiting.settle(reply);
    });
    const gone = () => {
      // one that was killed has been answered for
      if (child !== started) return;
      child = undefined;
      waiting?.settle(new Gone("the databases' process ended"));
    };
    started.once("exit", gone);
    started.once("error", gone);
    const kill = () => started.kill("SIGKILL");
    process.once("exit", kill);
    started.once("exit", () => process.off("exit", kill));
    return started;
  };

  const askNow: Host["ask"] = async (request, { timeMs, signal }) => {
    signal?.throwIfAborted();
    child ??= start();
    const asked = child;
    const id = nextId++;
    const { promise, resolve } = Promise.withResolvers<SqlReply | Error>();
    waiting = { id, settle: resolve };
    asked.ref();
    asked.channel?.ref();
    const stop = () => {
      child = undefined;
      asked.kill("SIGKILL");
      resolve(new Overdue());
    };
    // the first one waits for the process to start
    const timer = setTimeout(stop, answered.has(asked) ? timeMs : timeMs + openMs);
    signal?.addEventListener("abort", stop, { once: true });
    try {
      asked.send({ id, request }, (error) => error && resolve(new Gone(error.message)));
      const reply = await promise;
      answered.add(asked);
      if (reply instanceof Error) throw reply;
      return reply;
    } finally {
      clearTimeout(timer);
      signal?.removeEventListener("abort", stop);
      waiting = undefined;
      asked.unref();
      asked.channel?.unref();
    }
  };
  return {
    // one after the other, so that a statement's time is its own
    ask(request, options) {
      const answer = last.then(() => askNow(request, options));
      last = answer.catch(() => {});
      return answer;
    },
    tell(request) {
      if (child?.connected) child.send({ id: -1, request }, () => {});
    },
  };
}
