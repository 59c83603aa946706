import { existsSync } from "node:fs";
import { AttuneError } from "../../spec/error.ts";
import {
  appendRow,
  keyOf,
  type OpenedRow,
  type RecordRow,
  readRecord,
  type SearchedRow,
} from "./record-file.ts";
import type { SearchEngine, SearchResult } from "./search-engine.ts";

/**
 * An engine whose answers are kept in a JSONL file, and given again from there when the same is asked: so an episode
 * played twice sees the same, and a query is paid for once. The cost and latency of a kept answer are those it had.
 * What fails is not kept. Lines are appended whole; a last line that a crash has torn is taken off first.
 */
export function recordedEngine(engine: SearchEngine, { path }: { path: string }): SearchEngine {
  const kept = readRecord(path, { mend: true });
  const running = new Map<string, Promise<RecordRow>>();
  const { name } = engine;

  /** The kept row, or the one that `ask` makes: once, however many want it at the same time. */
  const once = async (key: string, signal: AbortSignal, ask: () => Promise<RecordRow>) => {
    for (;;) {
      const known = kept.get(key);
      if (known) return known;
      const sibling = running.get(key);
      if (!sibling) break;
      // whoever asked first may have been cancelled or refused; then it is this one's turn
      await sibling.catch(() => undefined);
      signal.throwIfAborted();
    }
    const asking = ask()
      .then((row) => {
        const written = appendRow(path, row);
        kept.set(key, written);
        return written;
      })
      .finally(() => running.delete(key));
    running.set(key, asking);
    return asking;
  };

  return {
    name,
    async search(query, options) {
      const words = query.trim();
      const { top, signal } = options;
      const row = await once(keyOf({ engine: name, query: words, top }), signal, async () => {
        const { hits, cost = 0, latencyMs = null } = await engine.search(words, options);
        return { engine: name, query: words, top, opens: engine.open !== undefined, hits, cost, latencyMs };
      });
      return toResult(row as SearchedRow);
    },
    ...(engine.open && {
      async open(id: string, options: { signal: AbortSignal }) {
        const row = await once(keyOf({ engine: name, open: id }), options.signal, async () => ({
          engine: name,
          open: id,
          document: (await engine.open!(id, options)) ?? null,
        }));
        return (row as OpenedRow).document ?? undefined;
      },
    }),
  };
}

/**
 * An engine that gives only what was recorded, without a network. `engine` is the name under which it was recorded,
 * and may be left out where the record has one engine. What is not there is an `AttuneError` of the environment that
 * names it.
 */
export function replayedEngine({ path, engine }: { path: string; engine?: string }): SearchEngine {
  if (!existsSync(path)) throw new AttuneError("input", `search: there is no record ${path}`);
  const kept = readRecord(path, { mend: false });
  const rows = [...kept.values()];
  const names = [...new Set(rows.map((row) => row.engine))];
  const name = engine ?? names[0];
  if (name === undefined || !names.includes(name) || (engine === undefined && names.length > 1)) {
    const there = names.map((known) => `"${known}"`).join(", ") || "no engine";
    const expected = engine === undefined && names.length > 1 ? "`engine` to name one" : `"${engine ?? ""}"`;
    throw new AttuneError("usage", `search: ${path} has records of ${there}, expected ${expected}`);
  }
  const find = (key: string, what: string) => {
    const known = kept.get(key);
    if (known) return known;
    throw new AttuneError("environment", `search: no record of ${what} by "${name}" in ${path}`);
  };
  const opens = rows.some((row) => row.engine === name && "opens" in row && row.opens);
  return {
    name,
    search(query, { top }) {
      const key = keyOf({ engine: name, query, top });
      return toResult(find(key, `"${query.trim()}" (top ${top})`) as SearchedRow);
    },
    ...(opens && {
      open(id: string) {
        const row = find(keyOf({ engine: name, open: id }), `document "${id}"`) as OpenedRow;
        return row.document ?? undefined;
      },
    }),
  };
}

const toResult = ({ hits, cost, latencyMs }: SearchedRow): SearchResult => ({
  hits: structuredClone(hits),
  cost,
  ...(latencyMs !== null && { latencyMs }),
});
