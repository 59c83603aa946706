import { isAgentic, isMultiTurn } from "../../eval/bfcl/categories.ts";
import { toNativeCallStrings } from "../../eval/bfcl/decode/native.ts";
import { toNativeTools } from "../../eval/bfcl/native-tools.ts";
import { moreFunctions } from "../../eval/bfcl/prompt/wording.ts";
import { readJson } from "../../eval/bfcl/python/json.ts";
import { withMemory } from "../../eval/bfcl/run/ask.ts";
import type { Question } from "../../eval/bfcl/run/question.ts";
import type { World, Worlds } from "../../eval/bfcl/run/world.ts";
import type { Session } from "../../spec/environment.ts";
import type { JsonObject } from "../../spec/json.ts";
import type { AssistantMessage, Message } from "../../spec/message.ts";
import type { Tool } from "../../spec/tool.ts";
import { type Note, takeNotes } from "./notes.ts";

export type Places = { worlds: Worlds; notes(scenario: string): readonly Note[] };

export async function openSession(question: Question, { worlds, notes }: Places): Promise<Session> {
  const { category, scenario } = question;
  if (!isMultiTurn(category) && !isAgentic(category)) return oneReply(question);
  const world = await worlds.open(question);
  if (scenario !== undefined) await takeNotes(world, category, notes(scenario));
  return conversation(question, world);
}

/** One question and the calls of one reply; what they would give is nobody's to say. */
function oneReply(question: Question): Session {
  let called = false;
  return {
    messages: toMessages(question.turns[0]),
    tools: toTools(question.functions, () => {
      called = true;
      return "called";
    }),
    ended: () => called,
  };
}

/** Turns of a user whose calls are run in a world; a reply without calls lets the user speak again. */
function conversation(question: Question, world: World): Session {
  const execute = async (name: string, given: JsonObject) => {
    const [text = ""] = await world.run(callsFor(name, given));
    return text;
  };
  const tools = toTools(question.functions, execute);
  let turn = 0;
  return {
    messages: toMessages(withMemory(question.turns[0] ?? [], question, world)),
    tools,
    respond() {
      turn++;
      tools.push(...toTools(question.heldBack.get(turn) ?? [], execute));
      return openingOf(question, turn);
    },
  };
}

/** What opens a turn. Functions that become callable only now are described in it, since a prompt is not rewritten. */
function openingOf({ heldBack, turns }: Question, turn: number): Message[] {
  const more = heldBack.get(turn);
  if (more === undefined) return toMessages(turns[turn]);
  const described = toNativeTools(more).map((tool) => JSON.stringify(tool));
  return [{ role: "user", content: `${moreFunctions}\n${described.join("\n")}` }];
}

const toMessages = (turn: Question["turns"][number] = []): Message[] =>
  turn.map(({ role, content }) => ({ role: role === "system" ? "system" : "user", content }));

const callsFor = (name: string, given: JsonObject) =>
  toNativeCallStrings(stored([{ name, arguments: given }]));

type Execute = (name: string, given: JsonObject) => string | Promise<string>;

/** Calls are taken with whatever types they have: what is wrong with one is for the checker to say. */
function toTools(functions: Question["functions"], execute: Execute): Tool[] {
  return toNativeTools(functions).map((spec) => ({
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
export function toResult(messages: readonly Message[], question: Question) {
  const said = (message: AssistantMessage) =>
    message.toolCalls?.length ? stored(message.toolCalls) : message.content;
  const turns: AssistantMessage[][] = [[]];
  const first = messages.findIndex(({ role }) => role === "assistant");
  for (const message of first === -1 ? [] : messages.slice(first)) {
    const next = openingOf(question, turns.length)[0]?.content;
    if (message.role === "assistant") turns.at(-1)!.push(message);
    else if (message.role === "user" && message.content === next) turns.push([]);
  }
  if (isMultiTurn(question.category) || isAgentic(question.category))
    return turns.map((turn) => turn.map(said));
  const [reply] = turns[0]!;
  return reply ? said(reply) : "";
}

/** Calls as the leaderboard stores them; numbers are read again as they were written. */
export function stored(calls: readonly { name: string; arguments: JsonObject }[]) {
  return readJson(
    JSON.stringify(calls.map(({ name, arguments: given }) => ({ [name]: JSON.stringify(given) }))),
  );
}
