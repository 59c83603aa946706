import { existsSync } from "node:fs";
import { isAgentic, isMultiTurn } from "../categories.ts";
import type { BfclData } from "../data.ts";
import type { PromptVariation } from "../prompt/variation.ts";
import { type ResultFolder, readResults, type StoredRows } from "../result-files.ts";
import type { Mode } from "./mode.ts";
import { formatSensitivity, memoryConversations, type Question, questionsOf } from "./question.ts";
import type { Worlds } from "./world.ts";

/** A category with its questions and what is stored of them. `items` is how many it has without a limit. */
export type AskedCategory = { category: string; questions: Question[]; items: number; stored: StoredRows };

export type Wanted = {
  data: BfclData;
  mode: Mode;
  variation: PromptVariation;
  categories: readonly string[];
  worlds: Worlds;
  folder: ResultFolder;
  /** Items of each category; all when absent. */
  limit?: number;
};

export type Found = AskedCategory & {
  /** Memory only: the conversations that come before, in one list, and by scenario. */
  conversations?: AskedCategory;
  chains?: Map<string, Question[]>;
};

/** The questions of the wanted categories, with what is stored of them. */
export function findQuestions(options: Wanted): { asked: Found[]; leftOut: Record<string, string> } {
  const { data, categories, variation, limit, folder } = options;
  const asked: Found[] = [];
  const leftOut: Record<string, string> = {};
  for (const category of categories) {
    const reason = whyNot(category, options);
    if (reason !== undefined) {
      leftOut[category] = reason;
      continue;
    }
    const all = questionsOf(data, category, variation);
    const questions = limit === undefined ? all : all.slice(0, limit);
    // Beyond the limit a stored result is not foreign.
    const stored = readResults(folder.result(category), asSet(all));
    const found: Found = {
      category,
      questions: withStored(all, questions, stored),
      items: all.length,
      stored,
    };
    if (category.startsWith("memory_")) {
      const scenarios = new Set(found.questions.map(({ scenario }) => scenario));
      const chains = new Map(
        [...memoryConversations(data, category, variation)].filter(([scenario]) => scenarios.has(scenario)),
      );
      const before = [...chains.values()].flat();
      found.chains = chains;
      found.conversations = {
        category: `${category}_prereq`,
        questions: before,
        items: before.length,
        stored: readResults(folder.result(`${category}_prereq`), asSet(before)),
      };
    }
    asked.push(found);
  }
  return { asked, leftOut };
}

/** Whether there is a world for the category, where it needs one. */
export function canBeAsked(category: string, worlds: Worlds): boolean {
  return !(isMultiTurn(category) || isAgentic(category)) || worlds.has(category);
}

function asSet(questions: readonly Question[]): (id: string) => boolean {
  const ids = new Set(questions.map(({ id }) => id));
  return (id) => ids.has(id);
}

/** The questions within the limit, and those beyond it that have been answered already. */
function withStored(all: Question[], within: Question[], stored: StoredRows): Question[] {
  const wanted = new Set(within);
  return all.filter((question) => wanted.has(question) || stored.rows.has(question.id));
}

function whyNot(category: string, { data, mode, worlds, folder }: Wanted): string | undefined {
  if (category !== formatSensitivity) {
    if (!data.present.includes(category)) return "its questions are not in the data folder";
    if (canBeAsked(category, worlds) || existsSync(folder.result(category))) return undefined;
    return worlds.whyNot?.(category) ?? "there is no world for its calls";
  }
  if (mode === "native") return "asked of prompted models only";
  return data.formatSensitivity().size > 0 ? undefined : "its list of ids is not in the data folder";
}
