import { DatabaseSync } from "node:sqlite";
import { type GuardedDatabase, openGuarded } from "./guarded-database.ts";
import { hashTables } from "./table-hash.ts";
import type { SqlReply, SqlRequest } from "./wire.ts";

/** The program of the process that holds the sessions' databases; `sql-host.ts` starts it. */

/** Databases are kept, the one used last at the end; what is thrown out is made again from its statements. */
const open = new Map<number, { database: GuardedDatabase; bytes: number }>();
const mostKeptBytes = 256 * 2 ** 20;
let keptBytes = 0;

// the limit is on all of SQLite in this process: a statement that asks for more fails
const heap = new DatabaseSync(":memory:");
heap.exec(`PRAGMA hard_heap_limit = ${2 * mostKeptBytes}`);

process.on("message", ({ id, request }: { id: number; request: SqlRequest }) => {
  if (request.ask === "forget") return drop(request.session);
  let reply: SqlReply;
  try {
    reply = answer(request);
  } catch (error) {
    reply = { broken: (error as Error).message };
  }
  process.send!({ id, reply });
});

function answer(request: Exclude<SqlRequest, { ask: "forget" }>): SqlReply {
  if (request.ask === "open") return make(request);
  const kept = open.get(request.session);
  if (!kept) return { unknown: true };
  open.delete(request.session);
  open.set(request.session, kept);
  const { database } = kept;
  if (request.ask === "hash") return { hashes: hashTables(database.raw) };
  let reply: SqlReply;
  try {
    reply = { text: database.run(request.sql), wrote: database.wrote() };
  } catch (error) {
    reply = { failed: oneLine(error), wrote: database.wrote() };
  }
  if (reply.wrote) weigh(request.session);
  return reply;
}

function make({ session, base, log, limits }: Extract<SqlRequest, { ask: "open" }>): SqlReply {
  drop(session);
  const database = openGuarded(base, limits);
  for (const sql of log) {
    try {
      database.run(sql);
    } catch {
      // it failed the first time too
    }
  }
  open.set(session, { database, bytes: 0 });
  weigh(session);
  return { opened: true };
}

/** Counts a database's bytes anew and drops those that were not used for longest. */
function weigh(session: number) {
  const kept = open.get(session)!;
  const bytes = kept.database.bytes() + overheadBytes;
  keptBytes += bytes - kept.bytes;
  kept.bytes = bytes;
  for (const oldest of open.keys()) {
    if (keptBytes <= mostKeptBytes || oldest === session) break;
    drop(oldest);
  }
}

/** What a connection takes beside its pages. */
const overheadBytes = 64 * 1024;

function drop(session: number) {
  const kept = open.get(session);
  if (!kept) return;
  open.delete(session);
  keptBytes -= kept.bytes;
  kept.database.raw.close();
}

const oneLine = (error: unknown) =>
  String((error as Error).message)
    .split("\n")[0]!
    .slice(0, 500);
