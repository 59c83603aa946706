import { createRandom, deriveSeed, type Random } from "../../kit/random.ts";
import { createNames, type Names } from "./names.ts";

export type EntityType = "person" | "town" | "company" | "work" | "event";

/** One thing of the world. What is not known of it anywhere is not among its facts. */
export type Entity = {
  type: EntityType;
  name: string;
  /** By relation: another entity's name, a word, or a whole number. */
  facts: Record<string, string | number>;
};

export type World = { entities: readonly Entity[]; byName: ReadonlyMap<string, Entity> };

const occupations = "engraver botanist cartographer architect composer surgeon watchmaker jurist".split(" ");
const regions = "Harrowmark Sundvale Ostrand Kelmoor Brightfen Tarrin".split(" ");
const rivers = "Aln Bress Corra Dove Esker Fallow Garn Hest".split(" ");
const products = "paper,clocks,bells,lenses,rope,porcelain,engines,ink,pianos,barges".split(",");
const workTypes = "novel,opera,painting,play,symphony,poem".split(",");

/** How the documents of a world are shared out among the kinds of things. */
const shares: Record<EntityType, number> = {
  person: 0.42,
  town: 0.14,
  company: 0.14,
  work: 0.18,
  event: 0.12,
};

/** The chance that an optional fact (a mentor, an architect, a patron, a sponsor) is known. */
const known = 0.6;

/**
 * A world that nobody has read about: people, towns, companies, works and events that are related by facts which go
 * together (nobody founds a company as a child, a mentor is older). A seed and a size always make the same world.
 */
export function createWorld({ seed, documents }: { seed: number; documents: number }): World {
  const random = createRandom(deriveSeed(seed, "search world", documents));
  const names = createNames(random);
  const many = (type: EntityType, draw: (random: Random, names: Names) => Entity) =>
    Array.from({ length: Math.round(documents * shares[type]) }, () => draw(random, names));

  const towns = many("town", () => ({
    type: "town",
    name: names.town(),
    facts: {
      region: random.pick(regions),
      river: random.pick(rivers),
      founded: between(random, 900, 1700),
      population: between(random, 2_000, 90_000),
    },
  }));
  const people = many("person", () => ({
    type: "person",
    name: names.person(),
    facts: {
      birthYear: between(random, 1800, 1950),
      birthplace: random.pick(towns).name,
      residence: random.pick(towns).name,
      occupation: random.pick(occupations),
    },
  }));
  const bornIn = (person: Entity) => person.facts["birthYear"] as number;
  const companies = many("company", () => {
    const founder = random.pick(people);
    return {
      type: "company",
      name: names.company(),
      facts: {
        founder: founder.name,
        founded: bornIn(founder) + between(random, 22, 55),
        headquarters: random.pick(towns).name,
        product: random.pick(products),
      },
    };
  });
  const works = many("work", () => {
    const creator = random.pick(people);
    return {
      type: "work",
      name: names.work(),
      facts: {
        form: random.pick(workTypes),
        creator: creator.name,
        year: bornIn(creator) + between(random, 20, 70),
        setting: random.pick(towns).name,
        ...(random.next() < known && {
          patron: random.pick(people.filter((other) => other !== creator)).name,
        }),
      },
    };
  });
  const events = many("event", () => {
    const winner = random.pick(people);
    return {
      type: "event",
      name: names.event(),
      facts: {
        venue: random.pick(towns).name,
        year: bornIn(winner) + between(random, 18, 60),
        winner: winner.name,
        ...(random.next() < known && { sponsor: random.pick(companies).name }),
      },
    };
  });
  // what leads back to what was made later
  for (const town of towns) {
    town.facts["mayor"] = random.pick(people).name;
    if (random.next() < known) town.facts["hallArchitect"] = random.pick(people).name;
  }
  const byAge = people.toSorted((one, other) => bornIn(one) - bornIn(other));
  for (const person of people) {
    const employers = companies.filter(({ facts }) => {
      const age = (facts["founded"] as number) - bornIn(person);
      return age < 50 && facts["founder"] !== person.name;
    });
    if (employers.length > 0) person.facts["employer"] = random.pick(employers).name;
    const older = byAge.filter((other) => {
      const years = bornIn(person) - bornIn(other);
      return years >= 10 && years <= 45;
    });
    if (older.length > 0 && random.next() < known) person.facts["mentor"] = random.pick(older).name;
  }
  const entities = [...people, ...towns, ...companies, ...works, ...events];
  return { entities, byName: new Map(entities.map((entity) => [entity.name, entity])) };
}

const between = (random: Random, low: number, high: number) => low + random.integer(high - low + 1);
