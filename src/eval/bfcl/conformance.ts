import { existsSync, readdirSync } from "node:fs";
import { basename, join } from "node:path";
import { AttuneError } from "../../spec/error.ts";
import { categories, isMultiTurn, isRelevance } from "./categories.ts";
import { checkAnswer } from "./check/answer.ts";
import { checkAst } from "./check/ast.ts";
import { checkRelevance } from "./check/relevance.ts";
import { isCallList } from "./check/shape.ts";
import { failed, passed, type Verdict } from "./check/verdict.ts";
import { type BfclData, type BfclItem, openData } from "./data.ts";
import { decode, type ReturnFormat, returnFormats } from "./decode/decode.ts";
import { decodeExecute } from "./decode/execute.ts";
import { toTagged } from "./decode/tagged.ts";
import { checkTurns } from "./multi-turn/check.ts";
import { PythonError } from "./python/error.ts";
import { repr } from "./python/text.ts";
import { dictGet, isEqual, type PythonValue } from "./python/value.ts";
import { listOf, misfit, type Row, readRows, textOf } from "./rows.ts";

export type Disagreement = { id: string; kind: string; expected: string; got: string };
export type FileAgreement = { rows: number; agree: number; disagreements: Disagreement[] };
export type Conformance = { categories: Record<string, FileAgreement>; rows: number; agree: number };

/** What a row is judged to be; `extra` is the decoded value or the execution results where the row has them. */
type Outcome = Verdict & { extra?: PythonValue };

export type ConformanceOptions = { signal?: AbortSignal };

const textFiles = new Set(["decode", "end_to_end", "synthetic"]);

/** Judges every row under `conformance/` of a tree and says where the verdict differs from the recorded one. */
export function measureConformance(folder: string, options: ConformanceOptions = {}): Conformance {
  const report: Conformance = { categories: {}, rows: 0, agree: 0 };
  const rows = join(folder, "conformance");
  if (!existsSync(rows)) throw new AttuneError("input", `${folder}: no folder conformance/ there`);
  const data = openData(folder);
  for (const file of readdirSync(rows).sort()) {
    if (!file.endsWith(".jsonl")) continue;
    const category = basename(file, ".jsonl");
    const agreement = measureFile(join(rows, file), category, data, options);
    report.categories[category] = agreement;
    report.rows += agreement.rows;
    report.agree += agreement.agree;
  }
  return report;
}

function measureFile(
  file: string,
  category: string,
  data: BfclData,
  options: ConformanceOptions,
): FileAgreement {
  const judge = judgeOf(file, category, data);
  const agreement: FileAgreement = { rows: 0, agree: 0, disagreements: [] };
  for (const row of readRows(file)) {
    options.signal?.throwIfAborted();
    const outcome = judge(row);
    const expected = expectedOf(row);
    agreement.rows++;
    if (isSame(outcome, expected)) agreement.agree++;
    else {
      const [id, kind] = [textOf(row, "id"), textOf(row, "kind")];
      agreement.disagreements.push({ id, kind, expected: describe(expected), got: describe(outcome) });
    }
  }
  return agreement;
}

function judgeOf(file: string, category: string, data: BfclData): (row: Row) => Outcome {
  if (category === "decode") return judgeDecoding;
  if (category === "synthetic") return judgeSynthetic;
  const itemsOf = rememberItems(data);
  if (category === "end_to_end") return (row) => judgeText(row, itemsOf);
  const fileCategory =
    category === "memory" ? "memory_kv" : category === "web_search" ? "web_search_base" : category;
  if (!categories.includes(fileCategory)) {
    throw new AttuneError(
      "input",
      `${file}: got rows of ${category}, expected ${[...categories, ...textFiles].join(", ")}`,
    );
  }
  const itemOf = (row: Row) => findItem(row, itemsOf(fileCategory));
  if (isMultiTurn(category)) return (row) => judgeTurns(row, itemOf(row));
  if (isRelevance(category)) return (row) => judgeRelevance(row, category);
  if (fileCategory !== category) return (row) => judgeAnswer(row, itemOf(row));
  return (row) => judgeCalls(row, itemOf(row));
}

type ItemsOf = (category: string) => Map<string, BfclItem>;

function rememberItems(data: BfclData): ItemsOf {
  const known = new Map<string, Map<string, BfclItem>>();
  return (category) => {
    const items = known.get(category) ?? new Map(data.items(category).map((item) => [fileIdOf(item), item]));
    known.set(category, items);
    return items;
  };
}

/** Memory and web search items are named by how they are asked; the rows hold for all ways. */
function fileIdOf(item: BfclItem): string {
  return item.id.replace(/^memory_kv_/, "memory_").replace(/^web_search_base_/, "web_search_");
}

function findItem(row: Row, items: Map<string, BfclItem>): BfclItem {
  const id = textOf(row, "id");
  const item = items.get(id);
  if (item !== undefined) return item;
  throw new AttuneError("input", `${row.file}:${row.line}: id ${id} is not among the questions`);
}

function judgeCalls(row: Row, item: BfclItem): Outcome {
  return checkAst({
    category: item.category,
    functions: item.functions,
    groundTruth: item.groundTruth ?? [],
    output: fieldOf(row, "output"),
    underscoreToDot: dictGet(row.row, "underscore_to_dot") === true,
  });
}

function judgeSynthetic(row: Row): Outcome {
  return checkAst({
    category: textOf(row, "category"),
    functions: listOf(row, "function"),
    groundTruth: listOf(row, "ground_truth"),
    output: fieldOf(row, "output"),
    underscoreToDot: dictGet(row.row, "underscore_to_dot") === true,
  });
}

function judgeText(row: Row, itemsOf: ItemsOf): Outcome {
  const category = textOf(row, "category");
  const item = findItem(row, itemsOf(category));
  const decoded = decode(textOf(row, "text"), formatOf(row), dictGet(row.row, "tool_call_tag") === true);
  if (decoded.value === undefined) return failed("ast_decoder:decoder_failed");
  return checkAst({
    category,
    functions: item.functions,
    groundTruth: item.groundTruth ?? [],
    output: decoded.value,
    underscoreToDot: dictGet(row.row, "underscore_to_dot") === true,
  });
}

function judgeRelevance(row: Row, category: string): Outcome {
  const text = dictGet(row.row, "text");
  return checkRelevance(
    typeof text === "string" ? decode(text, "python").value : fieldOf(row, "output"),
    category,
  );
}

function judgeAnswer(row: Row, item: BfclItem): Outcome {
  const accepted = (item.groundTruth ?? []).filter((answer) => typeof answer === "string");
  return checkAnswer(textOf(row, "answer_text"), accepted);
}

function judgeDecoding(row: Row): Outcome {
  const text = textOf(row, "text");
  const isTagged = dictGet(row.row, "tool_call_tag") === true;
  if (dictGet(row.row, "format") === "python_execute") {
    try {
      return { ...passed, extra: decodeExecute(text, isTagged) };
    } catch (error) {
      if (error instanceof PythonError) return failed("ast_decoder:decoder_failed");
      throw error;
    }
  }
  const decoded = decode(text, formatOf(row), isTagged);
  if (decoded.value === undefined) return failed("ast_decoder:decoder_failed");
  const verdict = isCallList(decoded.value) ? passed : failed("ast_decoder:decoder_wrong_output_format");
  return { ...verdict, extra: toTagged(decoded.value) };
}

function judgeTurns(row: Row, item: BfclItem): Outcome {
  const { results, ...verdict } = checkTurns(item, turnsOf(row));
  return dictGet(row.row, "results") === undefined ? verdict : { ...verdict, extra: results };
}

function turnsOf(row: Row): string[][][] {
  const isSteps = (turn: PythonValue) => Array.isArray(turn) && turn.every(isCalls);
  const isCalls = (step: PythonValue) =>
    Array.isArray(step) && step.every((call) => typeof call === "string");
  const turns = listOf(row, "turns");
  const other = turns.find((turn) => !isSteps(turn));
  if (other === undefined) return turns as string[][][];
  throw misfit(row.file, row.line, "turns", other, "a list of turns, each a list of steps of call texts");
}

function formatOf(row: Row): ReturnFormat {
  const name = textOf(row, "format");
  const format = returnFormats.find((each) => each === name);
  if (format !== undefined) return format;
  throw new AttuneError(
    "input",
    `${row.file}:${row.line}: format: got ${name}, expected one of ${returnFormats.join(", ")}`,
  );
}

function fieldOf({ file, line, row }: Row, key: string): PythonValue {
  const value = dictGet(row, key);
  if (value === undefined) throw misfit(file, line, key, value, "a value");
  return value;
}

function expectedOf(row: Row): Outcome {
  const valid = dictGet(row.row, "valid");
  if (typeof valid !== "boolean") throw misfit(row.file, row.line, "valid", valid, "a boolean");
  const decoded = dictGet(row.row, "decoded");
  // A decoder may return None, which is not the same as no record of what it returned.
  const extra = decoded === undefined ? dictGet(row.row, "results") : decoded;
  return { valid, errorType: textOf(row, "error_type"), ...(extra !== undefined && { extra }) };
}

function isSame(got: Outcome, expected: Outcome): boolean {
  if (got.valid !== expected.valid || got.errorType !== expected.errorType) return false;
  if (got.extra === undefined || expected.extra === undefined) return got.extra === expected.extra;
  // By the printed text: equality alone would let 1 pass for 1.0 or True.
  return isEqual(got.extra, expected.extra) && repr(got.extra) === repr(expected.extra);
}

function describe({ valid, errorType, extra }: Outcome): string {
  return `${valid ? "valid" : errorType}${extra === undefined ? "" : ` ${repr(extra)}`}`;
}
