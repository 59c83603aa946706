import type { EntityType } from "./world.ts";

export type Relation = {
  name: string;
  of: EntityType;
  /** What the fact is: another entity, a number, or a word of a short list (which could be guessed, and is not asked for). */
  to: EntityType | "number" | "word";
  /** Asks for it, of `@`. Absent for words. */
  question?: string;
  /** Names it, of `@`, so that it can be asked about itself. */
  phrase: string;
  /** Says it of the subject of a sentence, with `#` for the fact; for questions with two conditions. */
  predicate?: string;
  /** Words that find it in an article. */
  keyword: string;
};

/** Every relation of the world, as it is asked about. */
export const relations: readonly Relation[] = [
  {
    name: "birthYear",
    of: "person",
    to: "number",
    question: "In which year was @ born?",
    phrase: "the year of birth of @",
    keyword: "year of birth",
  },
  {
    name: "birthplace",
    of: "person",
    to: "town",
    question: "In which town was @ born?",
    phrase: "the town where @ was born",
    predicate: "was born in #",
    keyword: "born birthplace",
  },
  {
    name: "residence",
    of: "person",
    to: "town",
    question: "In which town did @ live later in life?",
    phrase: "the town where @ lived later in life",
    predicate: "lived in # later in life",
    keyword: "home living",
  },
  {
    name: "occupation",
    of: "person",
    to: "word",
    phrase: "the profession of @",
    predicate: "was by profession a(n) #",
    keyword: "profession",
  },
  {
    name: "employer",
    of: "person",
    to: "company",
    question: "Which company was the employer of @?",
    phrase: "the employer of @",
    predicate: "worked for #",
    keyword: "employer",
  },
  {
    name: "mentor",
    of: "person",
    to: "person",
    question: "Who was the mentor of @?",
    phrase: "the mentor of @",
    predicate: "had # as a mentor",
    keyword: "mentor",
  },
  {
    name: "region",
    of: "town",
    to: "word",
    phrase: "the region of @",
    predicate: "lies in the region of #",
    keyword: "region",
  },
  {
    name: "river",
    of: "town",
    to: "word",
    phrase: "the river of @",
    predicate: "lies on the river #",
    keyword: "river",
  },
  {
    name: "founded",
    of: "town",
    to: "number",
    question: "In which year was @ founded?",
    phrase: "the year in which @ was founded",
    keyword: "founded",
  },
  {
    name: "population",
    of: "town",
    to: "number",
    question: "What is the population of @?",
    phrase: "the population of @",
    keyword: "population",
  },
  {
    name: "mayor",
    of: "town",
    to: "person",
    question: "Who is the mayor of @?",
    phrase: "the mayor of @",
    predicate: "has # as mayor",
    keyword: "mayor",
  },
  {
    name: "hallArchitect",
    of: "town",
    to: "person",
    question: "Who was the architect of the town hall of @?",
    phrase: "the architect of the town hall of @",
    keyword: "town hall architect",
  },
  {
    name: "product",
    of: "company",
    to: "word",
    phrase: "the product of @",
    predicate: "makes #",
    keyword: "product",
  },
  {
    name: "founder",
    of: "company",
    to: "person",
    question: "Who was the founder of @?",
    phrase: "the founder of @",
    predicate: "has # as its founder",
    keyword: "founder",
  },
  {
    name: "founded",
    of: "company",
    to: "number",
    question: "In which year was @ founded?",
    phrase: "the year in which @ was founded",
    keyword: "founded",
  },
  {
    name: "headquarters",
    of: "company",
    to: "town",
    question: "In which town are the headquarters of @?",
    phrase: "the town with the headquarters of @",
    predicate: "has its headquarters in #",
    keyword: "headquarters",
  },
  {
    name: "form",
    of: "work",
    to: "word",
    phrase: "the form of @",
    predicate: "is a(n) #",
    keyword: "parts",
  },
  {
    name: "creator",
    of: "work",
    to: "person",
    question: 'Who is the creator of "@"?',
    phrase: 'the creator of "@"',
    predicate: "has # as its creator",
    keyword: "creator",
  },
  {
    name: "year",
    of: "work",
    to: "number",
    question: 'In which year was "@" finished?',
    phrase: 'the year in which "@" was finished',
    keyword: "year",
  },
  {
    name: "setting",
    of: "work",
    to: "town",
    question: 'In which town is "@" set?',
    phrase: 'the town in which "@" is set',
    predicate: "is set in #",
    keyword: "setting",
  },
  {
    name: "patron",
    of: "work",
    to: "person",
    question: 'Who was the patron of "@"?',
    phrase: 'the patron of "@"',
    keyword: "patron",
  },
  {
    name: "venue",
    of: "event",
    to: "town",
    question: "In which town did the @ take place?",
    phrase: "the town where the @ took place",
    predicate: "took place in #",
    keyword: "venue",
  },
  {
    name: "year",
    of: "event",
    to: "number",
    question: "In which year was the @ held?",
    phrase: "the year in which the @ was held",
    keyword: "year",
  },
  {
    name: "winner",
    of: "event",
    to: "person",
    question: "Who was the winner of the @?",
    phrase: "the winner of the @",
    predicate: "had # as its winner",
    keyword: "winner",
  },
  {
    name: "sponsor",
    of: "event",
    to: "company",
    question: "Which company was the sponsor of the @?",
    phrase: "the sponsor of the @",
    predicate: "had # as its sponsor",
    keyword: "sponsor",
  },
];

/** Relations that some entities have no fact for. */
export const optional: ReadonlySet<string> = new Set(["mentor", "hallArchitect", "patron", "sponsor"]);
