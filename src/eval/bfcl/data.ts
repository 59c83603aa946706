import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { AttuneError } from "../../spec/error.ts";
import {
  categories,
  documentFiles,
  fileOf,
  isAgentic,
  isMultiTurn,
  isRelevance,
  memoryScenarios,
} from "./categories.ts";
import { readJson } from "./python/json.ts";
import { str } from "./python/text.ts";
import { dictGet, type PythonDict, type PythonValue } from "./python/value.ts";
import { dictsOf, listOf, misfit, type Row, readRows, textOf, textsOf } from "./rows.ts";

export type BfclMessage = { role: string; content: string };

/** One item of the benchmark: what is asked, with which tools, and what is right. */
export type BfclItem = {
  id: string;
  category: string;
  /** Per turn the messages that open it; a turn of a missing function is empty. */
  turns: BfclMessage[][];
  /** Tool documents. Empty for the stateful categories, whose documents come from their classes. */
  functions: PythonDict[];
  /** As the file has it; undefined for (ir)relevance, which has no answers. */
  groundTruth: PythonValue[] | undefined;
  /** Classes, state to start from, functions withheld: empty where the category has none. */
  involvedClasses: string[];
  initialConfig: PythonDict;
  excludedFunctions: string[];
  missedFunctions: Map<number, string[]>;
  /** Memory only. */
  scenario: string | undefined;
  /** Web search only: how many pages must be joined. */
  hopCount: number | undefined;
};

/** A conversation that comes before the memory questions of its scenario. */
export type MemoryPrerequisite = {
  id: string;
  scenario: string;
  topic: string | undefined;
  turns: BfclMessage[][];
};

export type BfclData = {
  folder: string;
  /** The scored categories whose file of questions is there, in the leaderboard's order. */
  present: string[];
  missing: string[];
  items(category: string): BfclItem[];
  /** Tool documents of a stateful class. */
  documents(className: string): PythonDict[];
  prerequisites(scenario: string): MemoryPrerequisite[];
  /** Ids per category of the prompt-variation study; empty where the list is not part of the data. */
  formatSensitivity(): Map<string, string[]>;
};

/**
 * Opens a data folder: the benchmark's own (`BFCL_v4_*.json`, `possible_answer/`, `multi_turn_func_doc/`,
 * `memory_prereq_conversation/`) or one with `questions/`, `func_doc/` and `memory_prereq/`. Files are read when they
 * are asked for; whatever is wrong in one is said with file and line.
 */
export function openData(folder: string): BfclData {
  const questions = firstFolder(folder, ["questions", "."]);
  const known = new Set(questions === undefined ? [] : readdirSync(questions));
  const present = categories.filter((category) => known.has(`BFCL_v4_${fileOf(category)}.json`));
  if (questions === undefined || present.length === 0) {
    throw new AttuneError(
      "input",
      `${folder}: no file BFCL_v4_CATEGORY.json there nor in its folder questions/`,
    );
  }
  const answers = join(folder, "possible_answer");
  return {
    folder,
    present,
    missing: categories.filter((category) => !present.includes(category)),
    items: (category) => readItems(questions, answers, category),
    documents: (className) => readDocuments(folder, className),
    prerequisites: (scenario) => readPrerequisites(folder, scenario),
    formatSensitivity: () => readFormatSensitivity(questions),
  };
}

function readItems(questions: string, answers: string, category: string): BfclItem[] {
  const name = `BFCL_v4_${fileOf(category)}.json`;
  const rows = [...readRows(join(questions, name))];
  const truths = isRelevance(category) ? undefined : readAnswers(join(answers, name));
  const ids = new Set<string>();
  return rows.map((row, index) => {
    const item = toItem(row, category);
    const fileId = textOf(row, "id");
    if (ids.has(fileId))
      throw new AttuneError("input", `${row.file}:${row.line}: id ${fileId} was there before`);
    ids.add(fileId);
    if (truths === undefined) return item;
    // Ids of some answers are spelled otherwise; the original pairs both files by position alone.
    const truth = truths.byId.get(fileId) ?? truths.byIndex[index];
    if (truth === undefined)
      throw new AttuneError("input", `${row.file}:${row.line}: ${fileId} has no answer in ${name}`);
    return { ...item, groundTruth: truth };
  });
}

function readAnswers(file: string): { byId: Map<string, PythonValue[]>; byIndex: PythonValue[][] } {
  const byId = new Map<string, PythonValue[]>();
  const byIndex: PythonValue[][] = [];
  for (const row of readRows(file)) {
    const truth = listOf(row, "ground_truth");
    byId.set(textOf(row, "id"), truth);
    byIndex.push(truth);
  }
  return { byId, byIndex };
}

function toItem(row: Row, category: string): BfclItem {
  const id = textOf(row, "id");
  const isStateful = isMultiTurn(category) || isAgentic(category);
  const hops = dictGet(row.row, "num_hops");
  const config = dictGet(row.row, "initial_config");
  return {
    id: isAgentic(category) ? id.replace(fileOf(category), category) : id,
    category,
    turns: toTurns(row),
    functions: isStateful ? [] : toFunctions(row),
    groundTruth: undefined,
    involvedClasses: isStateful ? toClasses(row, category) : [],
    initialConfig: config instanceof Map ? config : new Map(),
    excludedFunctions:
      dictGet(row.row, "excluded_function") === undefined ? [] : textsOf(row, "excluded_function"),
    missedFunctions: toMissed(row),
    scenario: category.startsWith("memory") ? textOf(row, "scenario") : undefined,
    hopCount: typeof hops === "bigint" ? Number(hops) : undefined,
  };
}

function toTurns(row: Row): BfclMessage[][] {
  return listOf(row, "question").map((turn) => {
    if (!Array.isArray(turn))
      throw misfit(row.file, row.line, "question", turn, "a list of lists of messages");
    return turn.map((message) => {
      const role = message instanceof Map ? dictGet(message, "role") : undefined;
      const content = message instanceof Map ? dictGet(message, "content") : undefined;
      if (typeof role === "string" && typeof content === "string") return { role, content };
      throw misfit(row.file, row.line, "question", message, "messages {role, content}");
    });
  });
}

function toFunctions(row: Row): PythonDict[] {
  return dictsOf(row, "function").map((each) => {
    const parameters = dictGet(each, "parameters");
    if (
      typeof dictGet(each, "name") === "string" &&
      parameters instanceof Map &&
      dictGet(parameters, "properties") instanceof Map
    ) {
      return each;
    }
    throw misfit(row.file, row.line, "function", each, "documents {name, parameters: {properties}}");
  });
}

function toClasses(row: Row, category: string): string[] {
  // The back end of the memory is the category's, not the file's.
  if (category.startsWith("memory_")) return [`MemoryAPI_${category.slice("memory_".length)}`];
  const classes = textsOf(row, "involved_classes");
  const unknown = classes.find((name) => documentFiles[name] === undefined);
  if (unknown === undefined || isAgentic(category)) return classes;
  throw new AttuneError(
    "input",
    `${row.file}:${row.line}: involved_classes: got ${unknown}, expected one of ${Object.keys(documentFiles).join(", ")}`,
  );
}

function toMissed(row: Row): Map<number, string[]> {
  const missed = dictGet(row.row, "missed_function");
  if (missed === undefined) return new Map();
  if (!(missed instanceof Map))
    throw misfit(row.file, row.line, "missed_function", missed, "{turn: [names]}");
  return new Map(
    [...missed].map(([turn, names]) => {
      if (Array.isArray(names) && names.every((name) => typeof name === "string"))
        return [Number(turn), names];
      throw misfit(row.file, row.line, "missed_function", names, "{turn: [names]}");
    }),
  );
}

function readDocuments(folder: string, className: string): PythonDict[] {
  const name = documentFiles[className];
  if (name === undefined) throw new AttuneError("input", `no tool documents for a class named ${className}`);
  const documents =
    firstFolder(folder, ["multi_turn_func_doc", "func_doc"]) ?? join(folder, "multi_turn_func_doc");
  return [...readRows(join(documents, name))].map((row) => {
    textOf(row, "name");
    return row.row;
  });
}

function readPrerequisites(folder: string, scenario: string): MemoryPrerequisite[] {
  if (!memoryScenarios.some((known) => known === scenario)) {
    throw new AttuneError("input", `no memory scenario ${scenario}; there are ${memoryScenarios.join(", ")}`);
  }
  const conversations =
    firstFolder(folder, ["memory_prereq_conversation", "memory_prereq"]) ??
    join(folder, "memory_prereq_conversation");
  return [...readRows(join(conversations, `memory_${scenario}.json`))].map((row) => {
    const topic = dictGet(row.row, "topic");
    return {
      id: textOf(row, "id"),
      scenario,
      topic: typeof topic === "string" ? topic : undefined,
      turns: toTurns(row),
    };
  });
}

function readFormatSensitivity(questions: string): Map<string, string[]> {
  const file = join(questions, "BFCL_v4_format_sensitivity.json");
  if (!existsSync(file)) return new Map();
  const row = readWhole(file);
  return new Map([...row.row.keys()].map((category) => [str(category), textsOf(row, str(category))]));
}

/** The only file of the data that is one JSON value over several lines. */
function readWhole(file: string): Row {
  const value = readJson(readFileSync(file, "utf8"));
  if (value instanceof Map) return { file, line: 1, row: value };
  throw misfit(file, 1, "format_sensitivity", value, "{category: [ids]}");
}

function firstFolder(folder: string, names: readonly string[]): string | undefined {
  return names.map((name) => join(folder, name)).find((path) => existsSync(path));
}
