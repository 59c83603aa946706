import type { Random } from "../../kit/random.ts";

const onsets = "b br d dr f g gr h j k kl l m n p pr r s st t tr v w z th sh".split(" ");
const vowels = "a e i o u ae ei ou".split(" ");
const codas = "l n r s th nd rk lm st v".split(" ");

const townEndings = "ford mere wick dale haven stead mouth field gate moor".split(" ");
const firstNames =
  "Ada Adrin Alva Bertil Brisa Calla Corin Dagny Davit Edda Elin Emeric Fenna Fyodor Gerda Gideon Hale Hedda Ilse Ivor Jarek Jorun Kaia Kelvin Lena Leopold Maren Matthis Nadia Nils Odette Orson Petra Quentin Ragna Rufus Selma Stellan Tamsin Tobias Ulla Viktor Wanda Xenia Yorick Zelda".split(
    " ",
  );
const companyEndings =
  "Foundry Mills Press Shipyard Brewery Instruments Glassworks Railways Ceramics Optics".split(" ");
const adjectives =
  "Amber Silent Crooked Distant Hollow Gilded Northern Pale Restless Scarlet Sunken Wandering Bitter Velvet Frozen Burning Forgotten Patient Broken Quiet".split(
    " ",
  );
const things =
  "Orchard Lantern Harbour Staircase Mirror Sparrow Winter Garden Compass Bridge Letter Tide Window Clock Forest Season Feather Crown Valley Shore".split(
    " ",
  );
const eventEndings = "Regatta Exposition Fair Marathon Tournament Congress Rally Carnival".split(" ");

/** Draws names that it has not given before, to nobody and nothing. */
export type Names = { town(): string; person(): string; company(): string; work(): string; event(): string };

export function createNames(random: Random): Names {
  const taken = new Set<string>();
  const fresh = (draw: () => string): string => {
    for (;;) {
      const name = draw();
      if (taken.has(name.toLowerCase())) continue;
      taken.add(name.toLowerCase());
      return name;
    }
  };
  const root = () => {
    const syllable = () => random.pick(onsets) + random.pick(vowels);
    const word = syllable() + (random.next() < 0.5 ? syllable() : "") + random.pick(codas);
    return word[0]!.toUpperCase() + word.slice(1);
  };
  // a surname is nobody else's name, so that no two names are told apart by a first name alone
  const coined = () => fresh(root);
  return {
    town: () => fresh(() => root() + random.pick(townEndings)),
    person: () => `${random.pick(firstNames)} ${coined()}`,
    company: () => `${coined()} ${random.pick(companyEndings)}`,
    work: () => fresh(() => `The ${random.pick(adjectives)} ${random.pick(things)} of ${root()}`),
    event: () => `${coined()} ${random.pick(eventEndings)}`,
  };
}
