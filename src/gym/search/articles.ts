import { createRandom, deriveSeed } from "../../kit/random.ts";
import type { SearchDocument } from "./corpus.ts";
import type { Entity, EntityType, World } from "./world.ts";

/** Sentences by relation; `@` is what they are about, `#` the fact. The first of a type names what it is about. */
const sentences: Record<EntityType, Record<string, readonly string[]>> = {
  person: {
    occupation: ["@ was trained as #.", "By profession @ was #."],
    birthplace: ["@ was born in # to a family of weavers.", "The birthplace of @ is #."],
    birthYear: ["The year of birth is #.", "Parish books give # as the year of birth."],
    residence: ["For most of a long life the home was #.", "The later years were spent living in #."],
    employer: ["The only employer was #, for thirty years.", "Wages came from the employer #."],
    mentor: ["The mentor in early years was #.", "Letters name # as the mentor."],
  },
  town: {
    region: ["@ is a town in the region of #.", "@ lies in the region called #."],
    river: ["The river # runs through it.", "It was built on the river #."],
    founded: ["It was founded in the year #.", "Its charter, and with it the town, was founded in #."],
    population: ["The population is #.", "At the last count the population was #."],
    mayor: ["The mayor is #.", "Its mayor is named #."],
    hallArchitect: [
      "The architect of the town hall was #.",
      "The town hall was drawn by # as the architect.",
    ],
  },
  company: {
    product: ["@ makes # and is known for them.", "The main product of @ is #."],
    founder: ["Its founder was #.", "The company was started by its founder #."],
    founded: ["It was founded in the year #.", "Trading began when it was founded in #."],
    headquarters: ["The headquarters are in #.", "From its headquarters in # it sells abroad."],
  },
  work: {
    form: ["@ is # in four parts.", "@ was written off as a lesser # at first, then praised."],
    creator: ["Its creator was #.", "It is the best known work of its creator, #."],
    year: ["It was finished in the year #.", "The year of completion is #."],
    setting: ["The setting is the town of #.", "It is set in #, and the setting was recognised at once."],
    patron: ["The patron who paid for it was #.", "Without its patron # it would not exist."],
  },
  event: {
    venue: ["@ took place in #, its only venue.", "The venue of @ was #."],
    year: ["It was held in the year #.", "The year was #."],
    winner: ["The winner was #.", "The prize went to the winner #."],
    sponsor: ["The sponsor was #.", "Its costs were met by the sponsor #."],
  },
};

const fillers: Record<EntityType, readonly string[]> = {
  person: [
    "Few portraits survive.",
    "A street was later given the name.",
    "The diaries were lost in a fire.",
  ],
  town: ["Its covered market is often painted.", "Storms have damaged its bridges more than once."],
  company: ["Its ledgers are kept in an archive.", "A strike once closed it for a winter."],
  work: ["Early critics disliked the ending.", "Several copies are held abroad."],
  event: ["It rained throughout.", "The crowd was larger than had been foreseen."],
};

/**
 * The encyclopaedia of a world: one article per entity, in which every fact of it stands once and nothing is said
 * that the world does not know. Ids say nothing about what a document is about.
 */
export function writeArticles(world: World, { seed }: { seed: number }): SearchDocument[] {
  const random = createRandom(deriveSeed(seed, "search articles"));
  const written = world.entities.map((entity) => {
    const [first, ...others] = Object.entries(sentences[entity.type])
      .filter(([relation]) => relation in entity.facts)
      .map(([relation, texts]) => fill(random.pick(texts), entity, relation));
    const rest = random.shuffle([...others, random.pick(fillers[entity.type])]);
    return { title: entity.name, text: [first, ...rest].join(" ") };
  });
  return random
    .shuffle(written)
    .map((document, number) => ({ id: `d${String(number + 1).padStart(4, "0")}`, ...document }));
}

/** Facts that are kinds of things: they take an article in front. */
const countable = new Set(["occupation", "form"]);

function fill(text: string, { name, facts }: Entity, relation: string): string {
  const value = String(facts[relation]);
  const article = countable.has(relation) && !/\b(?:a|lesser) #/.test(text);
  const told = article ? `${/^[aeiou]/.test(value) ? "an" : "a"} ${value}` : value;
  return text.replace("@", name).replace("#", told);
}
