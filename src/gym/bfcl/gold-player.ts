import { isAgentic } from "../../eval/bfcl/categories.ts";
import { str } from "../../eval/bfcl/python/text.ts";
import type { Question } from "../../eval/bfcl/run/question.ts";
import type { Player } from "../../spec/environment.ts";
import type { JsonObject } from "../../spec/json.ts";
import type { ToolCall } from "../../spec/message.ts";
import { goldTurns } from "./gold.ts";
import type { Places } from "./sessions.ts";

/** Plays the benchmark's answer: its calls turn by turn, or where it has none a look at where the answer stands. */
export function goldPlayer(question: Question, places: Places): Player {
  const turns = isAgentic(question.category)
    ? [lookups(question, places)]
    : goldTurns(question.item!, allFunctions(question));
  const answer = isAgentic(question.category)
    ? `{'answer': ${JSON.stringify(firstAnswer(question))}, 'context': 'I looked it up.'}`
    : "No function is called here.";
  let spoken = 0;
  return ({ messages }) => {
    // each turn of calls is followed by a word, which ends the turn
    const calls = spoken % 2 === 0 ? (turns[spoken / 2] ?? []) : [];
    if (calls.length === 0 && messages.at(-1)?.role !== "tool") spoken += 2;
    else spoken++;
    return calls.length > 0
      ? { role: "assistant", content: "", toolCalls: calls }
      : { role: "assistant", content: answer };
  };
}

const allFunctions = ({ functions, heldBack }: Question) => [...functions, ...[...heldBack.values()].flat()];

const firstAnswer = ({ item }: Question) => str(item?.groundTruth?.[0] ?? "");

function lookups(question: Question, { notes }: Places): ToolCall[] {
  const asked = question.turns[0]?.at(-1)?.content ?? "";
  const call = (name: string, given: JsonObject): ToolCall => ({ id: "call_0", name, arguments: given });
  if (question.category.startsWith("web_search")) return [call("search_engine_query", { keywords: asked })];
  if (question.category === "memory_vector") return [call("archival_memory_retrieve", { query: asked })];
  if (question.category !== "memory_kv" || question.scenario === undefined) return [];
  const wanted = firstAnswer(question).toLowerCase();
  const note = notes(question.scenario).find(({ text }) => text.toLowerCase().includes(wanted));
  return [
    note
      ? call("archival_memory_retrieve", { key: note.key })
      : call("archival_memory_key_search", { query: asked }),
  ];
}
