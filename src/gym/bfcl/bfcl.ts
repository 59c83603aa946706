import { defineEnvironment } from "../../environment/define-environment.ts";
import { splitOf, toTask } from "../../environment/task.ts";
import { isMultiTurn } from "../../eval/bfcl/categories.ts";
import { type BfclData, openData } from "../../eval/bfcl/data.ts";
import { toNativeCallStrings } from "../../eval/bfcl/decode/native.ts";
import { toNativeTools } from "../../eval/bfcl/native-tools.ts";
import { readJson } from "../../eval/bfcl/python/json.ts";
import { type Question, questionsOf } from "../../eval/bfcl/run/question.ts";
import { multiTurnWorlds, type World } from "../../eval/bfcl/run/world.ts";
import { judgeResult } from "../../eval/bfcl/score/judge.ts";
import { createRandom, deriveSeed } from "../../kit/random.ts";
import type { Environment, Session, Split } from "../../spec/environment.ts";
import { AttuneError } from "../../spec/error.ts";
import type { JsonObject } from "../../spec/json.ts";
import type { AssistantMessage, Message } from "../../spec/message.ts";
import type { Tool } from "../../spec/tool.ts";
import { goldTurns } from "./gold.ts";

export type BfclOptions = {
  /** The benchmark's data folder. */
  data: string;
  /** Which categories; those of `bfclCategories` that the folder has when absent. */
  categories?: readonly string[];
};

/** What an item is known by. */
export type BfclInput = { category: string; id: string };

/** Categories that are environments: calls of Python's kind, and conversations whose tools do not change. */
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
  "multi_turn_miss_param",
  "multi_turn_long_context",
];

/**
 * The Berkeley Function-Calling Leaderboard to practise on: four fifths of the items of each category train, the rest
 * is held out. The reward is the verdict of the benchmark's checker on the calls that were made.
 */
export function bfcl({ data: folder, categories }: BfclOptions): Environment {
  const data = openData(folder);
  const wanted = categories ?? bfclCategories.filter((each) => data.present.includes(each));
  const unknown = wanted.find((each) => !bfclCategories.includes(each));
  if (unknown !== undefined)
    throw new AttuneError("usage", `bfcl: no category "${unknown}"; there are ${bfclCategories.join(", ")}`);
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
      return isMultiTurn(category) ? conversation(question) : oneReply(question);
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
        const question = find(category).get(id)!;
        const turns = goldTurns(question.item!, question.functions);
        let spoken = 0;
        return ({ messages }) => {
          // each turn of calls is followed by a word, which ends the turn
          const calls = spoken % 2 === 0 ? (turns[spoken / 2] ?? []) : [];
          if (calls.length === 0 && messages.at(-1)?.role !== "tool") spoken += 2;
          else spoken++;
          return calls.length > 0
            ? { role: "assistant", content: "", toolCalls: calls }
            : { role: "assistant", content: "No function is called here." };
        };
      },
    },
  });
}

const sum = (categories: readonly { size: number }[]) =>
  categories.reduce((total, { size }) => total + size, 0);

/** A variant of an item is on the side of the item that it varies. */
function sideOf(id: string): Split {
  return splitOf(id.replace(/^multi_turn_(?:base|miss_func|miss_param|long_context)_/, "multi_turn_"), {
    salt: "bfcl",
  });
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
  if (isMultiTurn(question.category)) return true;
  const [calls = []] = goldTurns(question.item!, question.functions);
  return judgeResult(question, calls.length > 0 ? stored(calls) : "", "native").valid;
}

const opening = (turn: Question["turns"][number] = []): Message[] =>
  turn.map(({ role, content }) => ({ role: role === "system" ? "system" : "user", content }));

/** One question and the calls of one reply; what they would give is nobody's to say. */
function oneReply(question: Question): Session {
  let called = false;
  return {
    messages: opening(question.turns[0]),
    tools: toTools(question, () => {
      called = true;
      return "called";
    }),
    ended: () => called,
  };
}

/** Turns of a user whose calls change simulated objects; a reply without calls lets the user speak again. */
function conversation(question: Question): Session {
  const world = multiTurnWorlds("attune").open(question) as World;
  let turn = 0;
  return {
    messages: opening(question.turns[0]),
    tools: toTools(question, (name, given) => {
      const [text = ""] = world.run(callsFor(name, given)) as readonly string[];
      return text;
    }),
    respond: () => opening(question.turns[++turn]),
  };
}

const callsFor = (name: string, given: JsonObject) =>
  toNativeCallStrings(stored([{ name, arguments: given }]));

/** Calls are taken with whatever types they have: what is wrong with one is for the checker to say. */
function toTools(question: Question, execute: (name: string, given: JsonObject) => string): Tool[] {
  return toNativeTools(question.functions).map((spec) => ({
    ...spec,
    check(value) {
      const required = (spec.parameters["required"] ?? []) as readonly string[];
      const missing = required.filter((name) => !Object.hasOwn(value, name));
      return missing.length === 0
        ? { ok: true, value }
        : { ok: false, issues: `missing: ${missing.join(", ")}` };
    },
    execute: (value) => execute(spec.name, value as JsonObject),
  }));
}

/** What the leaderboard's result file would hold of an episode. */
function toResult(messages: readonly Message[], question: Question) {
  const said = (message: AssistantMessage) =>
    message.toolCalls?.length ? stored(message.toolCalls) : message.content;
  const turns: AssistantMessage[][] = [[]];
  const first = messages.findIndex(({ role }) => role === "assistant");
  for (const message of first === -1 ? [] : messages.slice(first)) {
    const next = question.turns[turns.length]?.[0]?.content;
    if (message.role === "assistant") turns.at(-1)!.push(message);
    else if (message.role === "user" && message.content === next) turns.push([]);
  }
  if (isMultiTurn(question.category)) return turns.map((turn) => turn.map(said));
  const [reply] = turns[0]!;
  return reply ? said(reply) : "";
}

/** Calls as the leaderboard stores them; numbers are read again as they were written. */
function stored(calls: readonly { name: string; arguments: JsonObject }[]) {
  return readJson(
    JSON.stringify(calls.map(({ name, arguments: given }) => ({ [name]: JSON.stringify(given) }))),
  );
}
