import { isAgentic, isMultiTurn, memoryScenarios } from "../categories.ts";
import type { BfclData, BfclItem, BfclMessage } from "../data.ts";
import { withLanguageNotes } from "../prompt/language-notes.ts";
import {
  leaderboardPrompt,
  type PromptVariation,
  promptVariations,
  variationText,
} from "../prompt/variation.ts";
import { answerFormat } from "../prompt/wording.ts";
import { dictGet, type PythonDict } from "../python/value.ts";

/** The study of prompt variations: not scored, and asked only of prompted models. */
export const formatSensitivity = "format_sensitivity";

/** One conversation to have with a model: an item, a prompt variation of one, or what comes before memory questions. */
export type Question = {
  /** As its row in the result file is named. */
  id: string;
  /** Whose file of results it belongs to: `memory_kv_prereq`, `format_sensitivity`, else the item's category. */
  category: string;
  turns: BfclMessage[][];
  /** Tool documents as they are shown. */
  functions: PythonDict[];
  /** Documents of functions that become callable only with this turn. */
  heldBack: Map<number, PythonDict[]>;
  /** Whether calls are executed and answered, turn by turn. */
  isStateful: boolean;
  variation: PromptVariation;
  involvedClasses: string[];
  initialConfig: PythonDict;
  /** Memory only. */
  scenario: string | undefined;
  /** What it is judged by; undefined for a conversation that only fills the memory. */
  item: BfclItem | undefined;
};

/** Everything that is asked of a category, in the leaderboard's order. */
export function questionsOf(
  data: BfclData,
  category: string,
  variation: PromptVariation = leaderboardPrompt,
): Question[] {
  if (category === formatSensitivity) return variedQuestions(data);
  return data.items(category).map((item) => toQuestion(data, item, variation));
}

function toQuestion(data: BfclData, item: BfclItem, variation: PromptVariation): Question {
  const { id, category, turns, involvedClasses, initialConfig, scenario } = item;
  const isStateful = isMultiTurn(category) || isAgentic(category);
  const { offered, heldBack } = isStateful
    ? functionsOfClasses(data, item)
    : { offered: item.functions, heldBack: new Map<number, PythonDict[]>() };
  return {
    id,
    category,
    turns: isAgentic(category) ? withSystemMessage(turns, answerFormat) : turns,
    functions: withLanguageNotes(offered, category),
    heldBack,
    isStateful,
    variation,
    involvedClasses,
    initialConfig,
    scenario,
    item,
  };
}

/** Puts a system message first in the conversation. */
function withSystemMessage([first = [], ...rest]: BfclMessage[][], content: string): BfclMessage[][] {
  return [[{ role: "system", content }, ...first], ...rest];
}

function functionsOfClasses(
  data: BfclData,
  { involvedClasses, missedFunctions }: BfclItem,
): { offered: PythonDict[]; heldBack: Map<number, PythonDict[]> } {
  let offered = involvedClasses.flatMap((name) => data.documents(name));
  const heldBack = new Map<number, PythonDict[]>();
  for (const [turn, names] of missedFunctions) {
    const documents: PythonDict[] = [];
    for (const name of names) {
      const found = offered.find((document) => dictGet(document, "name") === name);
      if (found === undefined) continue;
      documents.push(found);
      offered = offered.filter((document) => document !== found);
    }
    heldBack.set(turn, documents);
  }
  return { offered, heldBack };
}

/** The conversations that fill the memory before its questions, in their order, by scenario. */
export function memoryConversations(
  data: BfclData,
  category: string,
  variation: PromptVariation = leaderboardPrompt,
): Map<string, Question[]> {
  const className = `MemoryAPI_${category.slice("memory_".length)}`;
  return new Map(
    memoryScenarios.map((scenario) => [
      scenario,
      data.prerequisites(scenario).map(
        ({ id, turns }): Question => ({
          id: id.replace("memory", category),
          category: `${category}_prereq`,
          turns,
          functions: withLanguageNotes(data.documents(className), category),
          heldBack: new Map(),
          isStateful: true,
          variation,
          involvedClasses: [className],
          initialConfig: new Map(),
          scenario,
          item: undefined,
        }),
      ),
    ]),
  );
}

function variedQuestions(data: BfclData): Question[] {
  const questions: Question[] = [];
  for (const [category, ids] of data.formatSensitivity()) {
    if (ids.length === 0) continue;
    const wanted = new Set(ids);
    for (const item of data.items(category)) {
      if (!wanted.has(item.id)) continue;
      const base = toQuestion(data, item, leaderboardPrompt);
      // The leaderboard adds its note on the language to these documents a second time.
      const functions = withLanguageNotes(base.functions, formatSensitivity);
      for (const variation of promptVariations) {
        const id = `${formatSensitivity}_${questions.length}:${variationText(variation)}:${item.id}`;
        questions.push({ ...base, id, category: formatSensitivity, functions, variation });
      }
    }
  }
  return questions;
}
