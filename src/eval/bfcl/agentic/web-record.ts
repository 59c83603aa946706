import { appendFileSync, existsSync, mkdirSync, readFileSync, truncateSync } from "node:fs";
import { dirname } from "node:path";
import { z } from "zod";
import { AttuneError } from "../../../spec/error.ts";
import type { WebAnswer, WebEngine, WebHit, WebPage } from "../../../spec/web.ts";
import { bm25Plus } from "./bm25-plus.ts";

const failure = z.object({ error: z.string() });
const hit = z.object({ title: z.string(), link: z.string(), snippet: z.string().optional() });
const searched = z.object({
  keywords: z.string(),
  region: z.string(),
  answer: z.union([z.object({ hits: z.array(hit) }), failure]),
});
const opened = z.object({ url: z.string(), page: z.union([z.object({ html: z.string() }), failure]) });
const line = z.union([searched, opened]);
type Line = z.infer<typeof line>;

const keyOf = (row: { keywords: string; region: string } | { url: string }) =>
  "url" in row ? `open ${row.url}` : `search ${JSON.stringify([row.keywords.trim(), row.region])}`;

/**
 * An engine whose answers are kept in a JSONL file and given again from there when the same is asked, so that two
 * models see the same web and a search is paid for once. What fails for the service's sake is not kept.
 */
export function recordedWeb(engine: WebEngine, { file }: { file: string }): WebEngine {
  const known = readRecord(file, { mend: true });
  const running = new Map<string, Promise<Line>>();
  const once = async (key: string, signal: AbortSignal | undefined, ask: () => Promise<Line>) => {
    for (;;) {
      const kept = known.get(key);
      if (kept !== undefined) return kept;
      const sibling = running.get(key);
      if (sibling === undefined) break;
      // whoever asked first may have been stopped or refused; then it is this one's turn
      await sibling.catch(() => undefined);
      signal?.throwIfAborted();
    }
    const asking = ask()
      .then((row) => {
        append(file, row);
        known.set(key, row);
        return row;
      })
      .finally(() => running.delete(key));
    running.set(key, asking);
    return asking;
  };
  return {
    name: engine.name,
    async search(query, options) {
      const row = await once(keyOf(query), options.signal, async () => ({
        ...query,
        answer: await engine.search(query, options),
      }));
      return (row as z.infer<typeof searched>).answer as WebAnswer;
    },
    async open(url, options) {
      const row = await once(keyOf({ url }), options.signal, async () => ({
        url,
        page: await engine.open(url, options),
      }));
      return (row as z.infer<typeof opened>).page as WebPage;
    },
  };
}

/**
 * The web as a record knows it, without a network. A search that was recorded is answered as it was; any other with
 * those of all recorded hits that answer it best (BM25+). A page that was not recorded cannot be reached.
 */
export function replayedWeb({ file }: { file: string }): WebEngine {
  if (!existsSync(file)) throw new AttuneError("input", `there is no record ${file}`);
  const known = readRecord(file, { mend: false });
  const hits = allHits(known);
  const documents = hits.map(({ title, snippet = "" }) => wordsOf(`${title} ${snippet}`));
  return {
    name: `record ${file}`,
    async search(query) {
      const row = known.get(keyOf(query));
      if (row !== undefined) return (row as z.infer<typeof searched>).answer as WebAnswer;
      return { hits: bestHits(hits, documents, wordsOf(query.keywords)) };
    },
    async open(url) {
      const row = known.get(keyOf({ url }));
      if (row !== undefined) return (row as z.infer<typeof opened>).page as WebPage;
      return { error: `404 Client Error: Not Found for url: ${url}` };
    },
  };
}

function allHits(known: ReadonlyMap<string, Line>): WebHit[] {
  const byLink = new Map<string, WebHit>();
  for (const row of known.values())
    if ("answer" in row && "hits" in row.answer)
      for (const each of row.answer.hits) if (!byLink.has(each.link)) byLink.set(each.link, each);
  return [...byLink.values()];
}

function bestHits(
  hits: readonly WebHit[],
  documents: readonly string[][],
  query: readonly string[],
): WebHit[] {
  if (hits.length === 0) return [];
  const scores = bm25Plus(documents, query);
  return hits
    .map((each, index) => ({ each, score: scores[index]! }))
    .filter((_, index) => documents[index]!.some((word) => query.includes(word)))
    .sort((one, other) => other.score - one.score)
    .slice(0, 20)
    .map(({ each }) => each);
}

const wordsOf = (text: string) => text.toLowerCase().match(/[\p{L}\p{N}]+/gu) ?? [];

/** Rows by what was asked; a last line that a crash has torn is passed over, and cut off with `mend`. */
function readRecord(file: string, { mend }: { mend: boolean }): Map<string, Line> {
  const rows = new Map<string, Line>();
  if (!existsSync(file)) return rows;
  const content = readFileSync(file);
  const whole = content.lastIndexOf(10) + 1;
  if (mend && whole < content.length) truncateSync(file, whole);
  for (const [at, text] of content.subarray(0, whole).toString("utf8").split("\n").entries()) {
    if (text.trim() === "") continue;
    const read = line.safeParse(jsonOf(text));
    if (!read.success)
      throw new AttuneError("input", `${file}:${at + 1}: expected {keywords, region, answer} or {url, page}`);
    const key = keyOf(read.data);
    if (!rows.has(key)) rows.set(key, read.data);
  }
  return rows;
}

function append(file: string, row: Line): void {
  try {
    mkdirSync(dirname(file), { recursive: true });
    appendFileSync(file, `${JSON.stringify(row)}\n`);
  } catch (error) {
    throw new AttuneError("io", `cannot record to ${file}: ${(error as Error).message}`, { cause: error });
  }
}

function jsonOf(text: string): unknown {
  try {
    return JSON.parse(text) as unknown;
  } catch {
    return undefined;
  }
}
