import type { TaskKind } from "../../environment/task-stream.ts";
import type { Random } from "../../kit/random.ts";
import type { Corpus } from "./corpus.ts";
import { createNames } from "./names.ts";
import { optional, type Relation, relations } from "./relations.ts";
import type { Entity, EntityType, World } from "./world.ts";

/** One look at an article on the way to an answer; without a title at the first that the query finds. */
export type Look = { query: string; title: string; thought: string };

export type SearchInput = {
  question: string;
  /** What the policy is told before it starts; a known question follows from them. */
  notes: string[];
  /** Whether it can be answered without a search. */
  known: boolean;
  /** A way to the answer, and what is thought at its end. */
  plan: Look[];
  conclusion: string;
};

export type SearchAnswer = {
  /** Each is right; for a question without an answer what says so. */
  answers: string[];
  unanswerable: boolean;
  /** Whether an answer stands in a document as it is, so that it can have been read there. */
  stated: boolean;
  /** Documents that the answer follows from. */
  sources: string[];
};

/** What is committed where the documents do not say. */
export const unanswerableAnswer = "unanswerable";

type Draft = Omit<SearchInput, "notes"> & {
  answers: string[];
  key: string;
  given?: string[];
  computed?: boolean;
};

/** Where questions are drawn from. Made when the first one is. */
export type Library = { world: World; corpus: Corpus };

const asked = relations.filter(({ question }) => question !== undefined);
const leading = relations.filter(({ to }) => to !== "number" && to !== "word");

/** Families of questions, by name. Those of `noted` and `arithmetic` can be answered without a search. */
export function questionKinds(library: () => Library): Record<string, TaskKind<SearchInput>> {
  const kind =
    (draft: (random: Random, library: Library) => Draft | undefined): TaskKind<SearchInput> =>
    (random) => {
      for (;;) {
        const place = library();
        const drawn = draft(random, place);
        if (!drawn) continue;
        const { answers, key, given = [], computed = false, ...input } = drawn;
        const about = new Set(input.plan.map(({ title }) => title));
        const notes = random.shuffle([
          ...given,
          ...drawNotes(random, place.world, { about, most: 3 - given.length }),
        ]);
        const sources = [...about].flatMap((title) => place.corpus.byTitle(title)?.id ?? []);
        const unanswerable = answers[0] === unanswerableAnswer;
        const stated = !unanswerable && !computed;
        return { input: { ...input, notes }, answer: { answers, unanswerable, stated, sources }, key };
      }
    };
  return {
    "one-hop": kind((random, { world }) => drawChain(random, world, 1)?.draft),
    "two-hop": kind((random, { world }) => drawChain(random, world, 2)?.draft),
    "three-hop": kind((random, { world }) => drawChain(random, world, 3)?.draft),
    comparison: kind((random, { world }) => drawComparison(random, world)),
    intersection: kind(drawIntersection),
    unanswerable: kind((random, { world }) => drawUnanswerable(random, world)),
    noted: kind((random, { world }) => {
      const drawn = drawChain(random, world, 1 + random.integer(2));
      return drawn && { ...drawn.draft, known: true, given: drawn.facts };
    }),
    arithmetic: kind((random) => drawArithmetic(random)),
  };
}

/** A question that follows `hops` relations, and the facts that answer it. */
function drawChain(
  random: Random,
  world: World,
  hops: number,
): { draft: Draft; facts: string[] } | undefined {
  const start = random.pick(world.entities);
  let [entity, phrase] = [start, ""];
  const passed = [start.name];
  const path: Relation[] = [];
  const facts: string[] = [];
  const plan: Look[] = [];
  let thought = "";
  for (let hop = 1; ; hop++) {
    const choices = (hop === hops ? asked : leading).filter(
      ({ of, name }) => of === entity.type && name in entity.facts,
    );
    if (choices.length === 0) return undefined;
    const relation = random.pick(choices);
    const value = String(entity.facts[relation.name]);
    if (passed.includes(value)) return undefined;
    path.push(relation);
    facts.push(statement(relation, entity, value));
    plan.push({
      query: `${entity.name} ${relation.keyword}`,
      title: entity.name,
      thought: `${thought}I look for ${relation.phrase.replace("@", entity.name)}.`,
    });
    thought = `${sentenceCase(facts.at(-1)!)}. `;
    if (hop < hops) {
      phrase = about(relation.phrase, { name: phrase || entity.name, nested: phrase !== "" });
      entity = world.byName.get(value)!;
      passed.push(value);
      continue;
    }
    const draft = {
      question: about(relation.question!, { name: phrase || entity.name, nested: phrase !== "" }),
      known: false,
      plan,
      conclusion: `${thought}That is the answer.`,
      answers: [value],
      key: [start.name, ...path.map(({ name }) => name)].join(" "),
    };
    return { draft, facts };
  }
}

/** A phrase or question about a name, or about a phrase in its place, which stands without quotes or a second article. */
const about = (text: string, { name, nested }: { name: string; nested: boolean }) =>
  nested ? text.replace('"@"', "@").replace("the @", "@").replace("@", name) : text.replace("@", name);

const statement = ({ phrase }: Relation, { name }: Entity, value: string) =>
  `${phrase.replace("@", name)} is ${value}`;

const sentenceCase = (text: string) => text[0]!.toUpperCase() + text.slice(1);

/** True things about others, so that notes alone do not tell what is known. */
function drawNotes(
  random: Random,
  world: World,
  { about: taken, most }: { about: ReadonlySet<string>; most: number },
): string[] {
  const notes = new Set<string>();
  while (notes.size < most) {
    const entity = random.pick(world.entities);
    const relation = random.pick(asked.filter(({ of, name }) => of === entity.type && name in entity.facts));
    if (!taken.has(entity.name)) notes.add(statement(relation, entity, String(entity.facts[relation.name])));
  }
  return [...notes];
}

/** Ways to compare: the relation, and how the one with the least is asked for. */
const comparisons: readonly { of: EntityType; name: string; least: string; apart: string }[] = [
  { of: "person", name: "birthYear", least: "Who was born first", apart: "births of" },
  { of: "company", name: "founded", least: "Which company was founded first", apart: "foundings of" },
  { of: "town", name: "founded", least: "Which town was founded first", apart: "foundings of" },
  { of: "work", name: "year", least: "Which work was finished first", apart: "completions of" },
  { of: "event", name: "year", least: "Which event was held first", apart: "dates of" },
];

function drawComparison(random: Random, world: World): Draft | undefined {
  const { of, name, least, apart } = random.pick(comparisons);
  const relation = relations.find((other) => other.of === of && other.name === name)!;
  const differ = random.next() < 0.5;
  const compared = Array.from({ length: differ ? 2 : 3 }, () =>
    random.pick(world.entities.filter(({ type }) => type === of)),
  );
  const values = compared.map(({ facts }) => facts[name] as number);
  if (new Set(values).size < values.length) return undefined;
  const names = compared.map((entity) => entity.name);
  const facts = compared.map((entity, at) => sentenceCase(statement(relation, entity, String(values[at]))));
  const first = Math.min(...values);
  return {
    question: differ
      ? `How many years lie between the ${apart} ${names[0]} and ${names[1]}?`
      : `${least}: ${names[0]}, ${names[1]} or ${names[2]}?`,
    known: false,
    plan: compared.map((entity, at) => ({
      query: `${entity.name} ${relation.keyword}`,
      title: entity.name,
      thought: `${at > 0 ? `${facts[at - 1]}. ` : ""}I look for ${relation.phrase.replace("@", entity.name)}.`,
    })),
    conclusion: `${facts.at(-1)}. ${differ ? "I take the difference." : `The first of ${values.join(", ")} is ${first}.`}`,
    answers: [differ ? String(Math.max(...values) - first) : names[values.indexOf(first)]!],
    key: `${name} ${names.toSorted().join(" ")}`,
    computed: differ,
  };
}

function drawIntersection(random: Random, { world, corpus }: Library): Draft | undefined {
  const answer = random.pick(world.entities);
  const described = random.shuffle(
    relations.filter(({ of, name, predicate }) => of === answer.type && predicate && name in answer.facts),
  );
  const [one, other] = described;
  // two words of short lists fit too many
  if (!one || !other || (one.to === "word" && other.to === "word")) return undefined;
  const same = ({ facts }: Entity, { name }: Relation) => facts[name] === answer.facts[name];
  const fitting = world.entities.filter(
    (entity) => entity.type === answer.type && same(entity, one) && same(entity, other),
  );
  if (fitting.length > 1) return undefined;
  const said = ({ name, predicate }: Relation) => predicate!.replace("#", String(answer.facts[name]));
  const query = [one, other].map(({ name }) => answer.facts[name]).join(" ");
  // as hard as that: what the words of the question do not find could not be found
  if (!corpus.search(query, { top: 5 }).some(({ title }) => title === answer.name)) return undefined;
  return {
    question: `Which ${answer.type} ${said(one)} and ${said(other)}?`,
    known: false,
    plan: [
      {
        query,
        title: answer.name,
        thought: `I look for a ${answer.type} that has both in its article.`,
      },
    ],
    conclusion: `${answer.name} fits both conditions.`,
    answers: [answer.name],
    key: [answer.name, one.name, other.name].sort().join(" "),
  };
}

function drawUnanswerable(random: Random, world: World): Draft | undefined {
  const invented = random.next() < 0.5;
  const entity = random.pick(world.entities);
  const relation = random.pick(asked.filter(({ of }) => of === entity.type));
  if (!invented && (!optional.has(relation.name) || relation.name in entity.facts)) return undefined;
  const name = invented ? createNames(random)[entity.type]() : entity.name;
  if (invented && world.byName.has(name)) return undefined;
  return {
    question: relation.question!.replace("@", name),
    known: false,
    plan: [
      {
        query: `${name} ${relation.keyword}`,
        title: name,
        thought: `I look for ${relation.phrase.replace("@", name)}.`,
      },
    ],
    conclusion: "The documents do not say it.",
    answers: [unanswerableAnswer],
    key: `${name} ${relation.name}`,
  };
}

function drawArithmetic(random: Random): Draft {
  const [early, late] = [1800 + random.integer(100), 1900 + random.integer(100)];
  const [many, each] = [11 + random.integer(80), 3 + random.integer(9)];
  const { question, value } = random.pick([
    { question: `How many years lie between ${early} and ${late}?`, value: late - early },
    { question: `A fair sold ${many} tickets on each of ${each} days. How many in all?`, value: many * each },
    { question: `An orchestra of ${many} musicians loses ${each}. How many are left?`, value: many - each },
  ]);
  return {
    question,
    known: true,
    plan: [],
    conclusion: "This takes arithmetic, no search.",
    answers: [String(value)],
    key: question,
  };
}
