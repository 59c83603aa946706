import { appendFileSync, existsSync, mkdirSync, readFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { writeFileAtomic } from "../../kit/files.ts";
import { categoryGroups } from "./categories.ts";
import { PythonError } from "./python/error.ts";
import { readJson } from "./python/json.ts";
import { dictGet, type PythonDict, typeName } from "./python/value.ts";

/** Where the leaderboard's own tools look for a model's results and scores. */
export type ResultFolder = {
  result(category: string): string;
  score(category: string): string;
  settings: string;
};

/** The folder of a model inside of `out`, with slashes in its name replaced as the leaderboard does. */
export function resultFolder(out: string, modelName: string): ResultFolder {
  const name = modelName.replaceAll("/", "_");
  const file = (kind: "result" | "score", category: string) =>
    join(out, kind, name, folderOf(category), `BFCL_v4_${category}_${kind}.json`);
  return {
    result: (category) => file("result", category),
    score: (category) => file("score", category),
    settings: join(out, "result", name, "attune.json"),
  };
}

function folderOf(category: string): string {
  if (category === "format_sensitivity") return "format_sensitivity";
  if (category.startsWith("memory_"))
    return join("agentic", "memory", category.slice("memory_".length).replace("_prereq", ""));
  if (category.startsWith("web_search")) return "agentic";
  const group = Object.entries(categoryGroups).find(([, names]) =>
    (names as readonly string[]).includes(category),
  );
  return group?.[0] ?? "non_live";
}

export type StoredRow = { id: string; text: string; row: PythonDict };

export type StoredRows = {
  rows: Map<string, StoredRow>;
  /** Lines that are not results of this category, each said with file and line. */
  problems: string[];
  /** The lines themselves, to be set aside. */
  rejected: string[];
};

/**
 * Reads a result file. A line that is not JSON, has an id that is not asked or one that was there before is named
 * and left out, so that its question is asked again.
 */
export function readResults(file: string, isAsked: (id: string) => boolean): StoredRows {
  const stored: StoredRows = { rows: new Map(), problems: [], rejected: [] };
  if (!existsSync(file)) return stored;
  for (const [index, text] of readFileSync(file, "utf8").split("\n").entries()) {
    if (text.trim() === "") continue;
    const found = readRow(text);
    const problem =
      typeof found === "string"
        ? found
        : !isAsked(found.id)
          ? `id ${found.id} is not among the questions`
          : stored.rows.has(found.id)
            ? `id ${found.id} was there before`
            : undefined;
    if (problem === undefined) stored.rows.set((found as StoredRow).id, found as StoredRow);
    else {
      stored.problems.push(`${file}:${index + 1}: ${problem}`);
      stored.rejected.push(text);
    }
  }
  return stored;
}

function readRow(text: string): StoredRow | string {
  try {
    const row = readJson(text);
    if (!(row instanceof Map)) return `got a ${typeName(row)}, expected an object`;
    const id = dictGet(row, "id");
    if (typeof id !== "string") return "no id";
    return dictGet(row, "result") === undefined ? `${id} has no result` : { id, text, row };
  } catch (error) {
    if (error instanceof PythonError) return `not JSON: ${error.message}`;
    throw error;
  }
}

export function appendResult(file: string, row: { id: string; [field: string]: unknown }): string {
  mkdirSync(dirname(file), { recursive: true });
  const text = JSON.stringify(row);
  appendFileSync(file, `${text}\n`);
  return text;
}

/**
 * Puts a result file in the order of the questions, which the leaderboard's tools rely on. What was rejected goes
 * into a file beside it that they do not read.
 */
export function orderResults(file: string, ids: readonly string[], stored: StoredRows): void {
  const lines = ids.flatMap((id) => stored.rows.get(id)?.text ?? []);
  if (lines.length === 0 && stored.rejected.length === 0) return;
  const text = lines.map((line) => `${line}\n`).join("");
  if (stored.rejected.length > 0)
    appendFileSync(`${file}.rejected`, stored.rejected.map((line) => `${line}\n`).join(""));
  if (!existsSync(file) || readFileSync(file, "utf8") !== text) writeFileAtomic(file, text);
}
