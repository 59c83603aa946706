import { z } from "zod";
import { defineEnvironment } from "../../environment/define-environment.ts";
import { type Move, scripted } from "../../environment/script.ts";
import { pickKinds, type TaskKind, taskStream } from "../../environment/task-stream.ts";
import { tool } from "../../environment/tool.ts";
import type { Random } from "../../kit/random.ts";
import { correct, format, toolUse } from "../../reward/components.ts";
import type { Environment, Task } from "../../spec/environment.ts";
import { ToolError } from "../../spec/tool.ts";
import {
  atlasCountries,
  type Country,
  countryNamed,
  countryOfCapital,
  type Field,
  showField,
} from "./countries.ts";

/** Where a question starts, how many neighbours it hops, and what it asks of the country it ends in. */
export type AtlasInput = {
  question: string;
  start: { country: string } | { capital: string };
  hops: number;
  field: Field;
};

const askable = ["capital", "region", "area", "currency"] as const;
const lookupParameters = z.object({ country: z.string(), field: z.enum([...askable, "borders"]) });
const findParameters = z.object({ capital: z.string() });

/**
 * Questions over real countries that have to be looked up, one to three calls away. `kinds` chooses among field,
 * capital-field, neighbor-field, capital-neighbor-field, second-neighbor-field and, only where it is named,
 * capital-second-neighbor-field: four calls, too far for the quickstart's small model.
 */
export function atlas({ kinds: only = usualKinds }: { kinds?: readonly string[] } = {}): Environment {
  const asked = pickKinds(kinds, { only, environment: "atlas" });
  return defineEnvironment<AtlasInput>({
    name: "atlas",
    description: "Questions over real countries that must be looked up, one to four calls away.",
    tasks: ({ split, seed }) =>
      taskStream({
        environment: "atlas",
        kinds: asked,
        salt: "atlas-2",
        split,
        seed,
      }),
    start: ({ input }) => ({
      messages: [
        { role: "system", content: "atlas" },
        { role: "user", content: input.question },
      ],
      tools: [
        tool({
          name: "lookup",
          description: "A field of a country. Of its borders, the first three neighbours.",
          input: lookupParameters,
          execute: ({ country, field }) =>
            showField(countryNamed(country) ?? refuse(`no country "${country}"`), field),
        }),
        tool({
          name: "find",
          description: "The country that a capital belongs to.",
          input: findParameters,
          execute: ({ capital }) => (countryOfCapital(capital) ?? refuse(`no capital "${capital}"`)).name,
        }),
      ],
    }),
    rewards: { correct: correct(), format: format(), toolUse: toolUse() },
    experts: { careful: (task) => play(task, "careful"), hasty: (task) => play(task, "hasty") },
  });
}

/** Careful walks the whole way; hasty stops one call early and answers with what it saw last. */
function play(task: Task, style: "careful" | "hasty") {
  const { start, hops, field } = task.input as AtlasInput;
  const calls = ("capital" in start ? 1 : 0) + hops + 1;
  const last = style === "hasty" && calls > 1 ? calls - 1 : calls;
  return scripted((observations): Move => {
    const done = observations.length;
    if (done === last) return { answer: observations.at(-1)! };
    if ("capital" in start && done === 0) {
      return { thought: "find country", call: { name: "find", arguments: { capital: start.capital } } };
    }
    const country = done === 0 && "country" in start ? start.country : firstOf(observations.at(-1)!);
    const asked = done === calls - 1 ? field : "borders";
    const thought = asked === "borders" ? "neighbors" : "look up";
    return { thought, call: { name: "lookup", arguments: { country, field: asked } } };
  });
}

const firstOf = (list: string) => list.split(", ")[0]!;

function refuse(message: string): never {
  throw new ToolError(message);
}

function draw(random: Random, from: "country" | "capital", hops: number) {
  for (;;) {
    const first = random.pick(atlasCountries);
    const last = walk(first, hops);
    const field = random.pick(askable);
    // the country that was named would be the answer to its own capital
    if (!last || (from === "capital" && hops === 0 && field === "capital")) continue;
    const place = `${"the first neighbor of ".repeat(hops)}${from === "country" ? first.name : `the country with capital ${first.capital}`}`;
    const start = from === "country" ? { country: first.name } : { capital: first.capital };
    return {
      input: { question: `${field} of ${place}?`, start, hops, field },
      answer: showField(last, field),
      key: `${field} ${first.name}`,
    };
  }
}

function walk(country: Country, hops: number): Country | undefined {
  let here: Country | undefined = country;
  for (let hop = 0; hop < hops && here; hop++) here = countryNamed(here.borders[0] ?? "");
  return here;
}

const kinds: Record<string, TaskKind<AtlasInput>> = {
  field: (random) => draw(random, "country", 0),
  "capital-field": (random) => draw(random, "capital", 0),
  "neighbor-field": (random) => draw(random, "country", 1),
  "capital-neighbor-field": (random) => draw(random, "capital", 1),
  "second-neighbor-field": (random) => draw(random, "country", 2),
  "capital-second-neighbor-field": (random) => draw(random, "capital", 2),
};

const usualKinds = Object.keys(kinds).filter((kind) => kind !== "capital-second-neighbor-field");
