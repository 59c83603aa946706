import { defineEnvironment } from "../../environment/define-environment.ts";
import { scripted } from "../../environment/script.ts";
import { pickKinds, type TaskKind, taskStream } from "../../environment/task-stream.ts";
import type { Random } from "../../kit/random.ts";
import { correct } from "../../reward/components.ts";
import type { Environment } from "../../spec/environment.ts";
import { atlasCountries } from "../atlas/countries.ts";
import { endings, folderNames, keys } from "../files/world.ts";

/** What is to be said back: all the items, or the first. */
export type EchoInput = { system: "echo" | "echo first"; items: string[] };

/**
 * The copy drill: no tools, the answer repeats what the question says. A small model that is to use tools must be
 * able to copy first, and learns it here in far fewer tokens; its items are what the other worlds speak
 * of. `kinds` chooses among all and first.
 */
export function echo({ kinds: only = Object.keys(kinds) }: { kinds?: readonly string[] } = {}): Environment {
  const asked = pickKinds(kinds, { only, environment: "echo" });
  return defineEnvironment<EchoInput>({
    name: "echo",
    description: "Say items back: a drill in copying.",
    tasks: ({ split, seed }) =>
      taskStream({ environment: "echo", kinds: asked, salt: "echo-2", split, seed }),
    start: ({ input }) => ({
      messages: [
        { role: "system", content: input.system },
        { role: "user", content: input.items.join(", ") },
      ],
      tools: [],
    }),
    rewards: { correct: correct() },
    experts: { careful: (task) => scripted(() => ({ answer: task.answer as string })) },
  });
}

const all: TaskKind<EchoInput> = (random) => {
  const items = drawItems(random);
  return { input: { system: "echo", items }, answer: items.join(", "), key: items.join() };
};

const first: TaskKind<EchoInput> = (random) => {
  const items = drawItems(random);
  return { input: { system: "echo first", items }, answer: items[0]!, key: items.join() };
};

const kinds: Record<string, TaskKind<EchoInput>> = { all, first };

function drawItems(random: Random): string[] {
  return Array.from({ length: 1 + random.integer(4) }, () => random.pick(sources)(random));
}

const number = (random: Random) => String(1 + random.integer(10 ** (1 + random.integer(4))));

const sources: readonly ((random: Random) => string)[] = [
  (random) => `${number(random)}${random.pick(["+", "-", "*"])}${number(random)}`,
  (random) => random.pick(atlasCountries).name,
  (random) => random.pick(atlasCountries).capital,
  (random) => `${random.pick(folderNames)}/${random.pick(keys)}.${random.pick(endings)}`,
  (random) => random.pick([...keys, ...folderNames]),
];
