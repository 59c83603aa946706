import { appendFileSync, existsSync, mkdirSync, readFileSync, truncateSync } from "node:fs";
import { dirname } from "node:path";
import { z } from "zod";
import { AttuneError } from "../../spec/error.ts";

const hit = z.object({
  id: z.string(),
  title: z.string(),
  snippet: z.string(),
  text: z.string().optional(),
});

/** What an engine said, as a line of a record: its answer to a query, or a document that it opened (null: there is none). */
const recordRow = z.union([
  z.object({
    engine: z.string(),
    query: z.string(),
    top: z.int().positive(),
    /** Whether the engine opens documents itself; else they are opened from its hits. */
    opens: z.boolean(),
    hits: z.array(hit),
    cost: z.number().nonnegative(),
    latencyMs: z.number().nonnegative().nullable(),
  }),
  z.object({
    engine: z.string(),
    open: z.string(),
    document: z.object({ title: z.string(), text: z.string() }).nullable(),
  }),
]);
export type RecordRow = z.infer<typeof recordRow>;
export type SearchedRow = Extract<RecordRow, { query: string }>;
export type OpenedRow = Extract<RecordRow, { open: string }>;

/** What makes two questions to an engine the same: its name, and the words and number of hits, or the document. */
export const keyOf = (
  row: Pick<SearchedRow, "engine" | "query" | "top"> | Pick<OpenedRow, "engine" | "open">,
): string =>
  JSON.stringify(
    "query" in row ? [row.engine, "search", row.query.trim(), row.top] : [row.engine, "open", row.open],
  );

/**
 * Rows of a record by key; of two with the same key the first. A last line that a crash has torn is passed over, and
 * cut off with `mend`. Throws `AttuneError` (input) with the line of anything else that is no row.
 */
export function readRecord(path: string, { mend }: { mend: boolean }): Map<string, RecordRow> {
  const rows = new Map<string, RecordRow>();
  if (!existsSync(path)) return rows;
  const content = readFileSync(path);
  const whole = content.lastIndexOf(10) + 1;
  if (mend && whole < content.length) truncateSync(path, whole);
  for (const [at, line] of content.subarray(0, whole).toString("utf8").split("\n").entries()) {
    if (line.trim() === "") continue;
    const read = recordRow.safeParse(jsonOf(line));
    if (!read.success) throw new AttuneError("input", `${path}:${at + 1}: not a recorded search`);
    const key = keyOf(read.data);
    if (!rows.has(key)) rows.set(key, read.data);
  }
  return rows;
}

/** Appends a row in one write, and returns it as it will be read. Throws `AttuneError` for what is no row or cannot be written. */
export function appendRow(path: string, row: RecordRow): RecordRow {
  const read = recordRow.safeParse(row);
  if (!read.success)
    throw new AttuneError(
      "environment",
      `search engine "${row.engine}": got an answer that is none, at ${JSON.stringify(read.error.issues[0]!.path)}`,
    );
  try {
    mkdirSync(dirname(path), { recursive: true });
    appendFileSync(path, `${JSON.stringify(read.data)}\n`);
  } catch (error) {
    throw new AttuneError("io", `search: cannot record to ${path}: ${(error as Error).message}`, {
      cause: error,
    });
  }
  return read.data;
}

function jsonOf(text: string): unknown {
  try {
    return JSON.parse(text) as unknown;
  } catch {
    return undefined;
  }
}
