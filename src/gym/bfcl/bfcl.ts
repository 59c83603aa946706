import { defineEnvironment } from "../../environment/define-environment.ts";
import { splitOf, toTask } from "../../environment/task.ts";
import { memoryWorlds } from "../../eval/bfcl/agentic/memory-worlds.ts";
import { webWorlds } from "../../eval/bfcl/agentic/web-worlds.ts";
import { isAgentic, isMultiTurn } from "../../eval/bfcl/categories.ts";
import { type BfclData, openData } from "../../eval/bfcl/data.ts";
import { type Question, questionsOf } from "../../eval/bfcl/run/question.ts";
import { joinWorlds, multiTurnWorlds } from "../../eval/bfcl/run/world.ts";
import { judgeResult } from "../../eval/bfcl/score/judge.ts";
import { createRandom, deriveSeed } from "../../kit/random.ts";
import type { Embedder } from "../../spec/embedder.ts";
import type { Environment, Split } from "../../spec/environment.ts";
import { AttuneError } from "../../spec/error.ts";
import type { WebEngine } from "../../spec/web.ts";
import { goldTurns } from "./gold.ts";
import { goldPlayer } from "./gold-player.ts";
import { readNotes } from "./notes.ts";
import { openSession, type Places, stored, toResult } from "./sessions.ts";

export type BfclOptions = {
  /** The benchmark's data folder. */
  data: string;
  /** Which categories; those of `bfclCategories` that the folder has when absent. */
  categories?: readonly string[];
  /** For `memory_vector`. */
  embedder?: Embedder;
  /** For the categories of web search. */
  web?: WebEngine;
};

/** What an item is known by. */
export type BfclInput = { category: string; id: string };

/** Categories that are environments: all but those of Java and JavaScript, whose values native calls do not have. */
export const bfclCategories: readonly string[] = [
  "simple_python",
  "multiple",
  "parallel",
  "parallel_multiple",
  "irrelevance",
  "live_simple",
  "live_multiple",
  "live_parallel",
  "live_parallel_multiple",
  "live_irrelevance",
  "live_relevance",
  "multi_turn_base",
  "multi_turn_miss_func",
  "multi_turn_miss_param",
  "multi_turn_long_context",
  "memory_kv",
  "memory_vector",
  "memory_rec_sum",
  "web_search_base",
  "web_search_no_snippet",
];

/**
 * The Berkeley Function-Calling Leaderboard to practise on: four fifths of the items of each category train, the rest
 * is held out. The reward is the verdict of the benchmark's checker on the calls that were made.
 */
export function bfcl({ data: folder, categories, embedder, web }: BfclOptions): Environment {
  const data = openData(folder);
  const owner = "attune";
  const worlds = joinWorlds([
    multiTurnWorlds(owner),
    memoryWorlds(owner, { embedder }),
    webWorlds(owner, { engine: web }),
  ]);
  const places: Places = { worlds, notes: readNotes(data) };
  const playable = (each: string) => !(isMultiTurn(each) || isAgentic(each)) || worlds.has(each);
  const wanted = categories ?? bfclCategories.filter((each) => data.present.includes(each) && playable(each));
  const unknown = wanted.find((each) => !bfclCategories.includes(each));
  if (unknown !== undefined)
    throw new AttuneError("usage", `bfcl: no category "${unknown}"; there are ${bfclCategories.join(", ")}`);
  const without = wanted.find((each) => !playable(each));
  if (without !== undefined)
    throw new AttuneError("usage", `bfcl: ${without}: ${worlds.whyNot?.(without)} (embedder, web)`);
  const find = rememberQuestions(data);
  const sizes = wanted.map((category) => ({ category, size: find(category).size }));
  const silent = sizes.filter(({ category }) => category.includes("irrelevance"));

  return defineEnvironment<BfclInput>({
    name: "bfcl",
    description: "Items of the Berkeley Function-Calling Leaderboard, judged by its checker.",
    *tasks({ split, seed }) {
      const ids = wanted.flatMap((category) => [...find(category).keys()].map((id) => ({ category, id })));
      const own = ids.filter(({ id }) => sideOf(id) === split);
      for (const input of createRandom(deriveSeed(seed, "bfcl", split)).shuffle(own))
        yield toTask({ environment: "bfcl", kind: input.category, input, split });
    },
    start: ({ input: { category, id } }) => {
      const question = find(category).get(id);
      if (!question) throw new AttuneError("input", `bfcl: there is no item ${id} in ${folder}`);
      return openSession(question, places);
    },
    rewards: {
      correct: {
        weight: 1,
        grade({ task, messages }) {
          const { category, id } = task.input as BfclInput;
          const question = find(category).get(id);
          if (!question) return null;
          return judgeResult(question, toResult(messages, question), "native").valid ? 1 : 0;
        },
      },
    },
    // where no function fits, saying nothing is right
    baselines: { null: sum(silent) / Math.max(1, sum(sizes)) },
    limits: { turns: 60, tokens: 65_536, toolCalls: 200, observationCharacters: 100_000 },
    experts: {
      careful: ({ input }) => {
        const { category, id } = input as unknown as BfclInput;
        return goldPlayer(find(category).get(id)!, places);
      },
    },
  });
}

const sum = (categories: readonly { size: number }[]) =>
  categories.reduce((total, { size }) => total + size, 0);

/** A variant of an item is on the side of the item that it varies. */
function sideOf(id: string): Split {
  const item = id
    .replace(/^multi_turn_(?:base|miss_func|miss_param|long_context)_/, "multi_turn_")
    .replace(/^memory_(?:kv|vector|rec_sum)_/, "memory_")
    .replace(/^web_search_(?:base|no_snippet)_/, "web_search_");
  return splitOf(item, { salt: "bfcl" });
}

function rememberQuestions(data: BfclData): (category: string) => ReadonlyMap<string, Question> {
  const known = new Map<string, ReadonlyMap<string, Question>>();
  return (category) => {
    const questions =
      known.get(category) ??
      new Map(
        questionsOf(data, category)
          .filter(isSound)
          .map((question) => [question.id, question]),
      );
    known.set(category, questions);
    return questions;
  };
}

/** The checker refuses the answers of a few items themselves; nothing can be learnt from those. */
function isSound(question: Question): boolean {
  if (isMultiTurn(question.category) || isAgentic(question.category)) return true;
  const [calls = []] = goldTurns(question.item!, question.functions);
  return judgeResult(question, calls.length > 0 ? stored(calls) : "", "native").valid;
}
