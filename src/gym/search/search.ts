import { z } from "zod";
import { defineEnvironment } from "../../environment/define-environment.ts";
import { pickKinds, taskStream } from "../../environment/task-stream.ts";
import { tool } from "../../environment/tool.ts";
import type { Environment, Split, Task } from "../../spec/environment.ts";
import { AttuneError } from "../../spec/error.ts";
import { writeArticles } from "./articles.ts";
import { createCorpus, localEngine } from "./corpus.ts";
import { givenTasks, readGivenRows } from "./given-rows.ts";
import { type NoiseCurriculum, simulatedEngine } from "./noise.ts";
import { type Library, questionKinds, type SearchInput, unanswerableAnswer } from "./question-kinds.ts";
import { createResearch } from "./research.ts";
import { researchRewards } from "./research-rewards.ts";
import { researcher } from "./researcher.ts";
import type { SearchEngine } from "./search-engine.ts";
import { createWorld } from "./world.ts";

export type SearchEnvironmentOptions = {
  /** Families of questions about the made-up world; see `questionKinds`. */
  kinds?: readonly string[];
  /** Which world is made up, and how many documents describe it. */
  world?: number;
  documents?: number;
  /** JSONL with documents and questions of your own, in place of a made-up world. Questions alone go with `engine`. */
  corpus?: string;
  /** What answers searches in place of the local index: a live service, a record, one of your own. */
  engine?: SearchEngine;
  /** Makes the local index answer with noise now and then, more often as training goes on. */
  noise?: NoiseCurriculum;
  /** Searches that an episode may make. */
  searches?: number;
  /** Hits of a search that does not say how many. */
  top?: number;
  /** Characters of a document that are read at once. */
  pageCharacters?: number;
};

/**
 * Research with a search engine, after Search-R1 (arXiv 2503.09516): find, read and combine documents, and commit an
 * answer. Graded by exact match. Over a made-up world that no model has read about, or over documents of your own.
 */
export function search({
  kinds: only,
  world = 1,
  documents = 2_000,
  corpus: path,
  engine,
  noise,
  searches = 10,
  top: usualTop = 5,
  pageCharacters = 3_000,
}: SearchEnvironmentOptions = {}): Environment {
  const mostTop = 10;
  checkNumbers({ world, documents, searches, top: usualTop, pageCharacters }, { mostTop });
  if (noise && engine) throw new AttuneError("usage", "search: got engine and noise, expected one of them");
  if (path !== undefined && only)
    throw new AttuneError("usage", "search: got corpus and kinds, expected one of them");
  const given = path === undefined ? undefined : readGivenRows(path);
  if (given?.documents.length === 0 && !engine)
    throw new AttuneError("input", `${path}: expected documents, or an engine that searches elsewhere`);
  const givenCorpus = given && given.documents.length > 0 ? createCorpus(given.documents) : undefined;
  const corpus = () => givenCorpus ?? libraryOf(world, documents).corpus;
  let searched = engine;
  const engineOf = () => (searched ??= noise ? simulatedEngine(corpus(), noise) : localEngine(corpus()));
  if (noise) engineOf();

  const asked = questionKinds(() => libraryOf(world, documents));
  const kinds = pickKinds(asked, { only: only ?? Object.keys(asked), environment: "search" });
  const drawn = ({ split, seed }: { split: Split; seed: number }) =>
    taskStream({ environment: "search", kinds, salt: `search-1 ${world}`, split, seed });
  const input = z.object({
    query: z.string().min(1).max(300).describe("words to look for"),
    top: z.int().min(1).max(mostTop).optional().describe(`documents wanted, ${usualTop} unless told`),
  });

  return defineEnvironment<SearchInput>({
    name: "search",
    description: "Answer questions by searching and reading documents.",
    tasks: given ? givenTasks(given.questions, givenCorpus) : drawn,
    start(task, { seed }) {
      const research = createResearch(engineOf(), { seed, searches, pageCharacters });
      const { question, notes } = task.input;
      const told = notes.length > 0 ? `You know:\n${notes.map((note) => `- ${note}`).join("\n")}\n\n` : "";
      return {
        messages: [
          { role: "system", content: instructions(searches) },
          { role: "user", content: `${told}Question: ${question}` },
        ],
        tools: [
          tool({
            name: "search",
            description: "Finds documents by words. Gives their ids in brackets, titles and snippets.",
            input,
            execute: ({ query, top = usualTop }, { signal }) => research.search(query, { top, signal }),
          }),
          tool({
            name: "open",
            description: "Shows a document that a search has found.",
            input: openInput,
            execute: ({ id, page = 1 }, { signal }) => research.open(id, { page, signal }),
          }),
          tool({
            name: "answer",
            description: "Commits the answer and ends the task.",
            input: answerInput,
            execute: ({ answer, sources = [] }) => research.answer(answer, sources),
          }),
        ],
        ended: research.ended,
        outcome: research.outcome,
      };
    },
    rewards: researchRewards,
    experts: {
      careful: (task: Task) => researcher(task, "careful"),
      hasty: (task: Task) => researcher(task, "hasty"),
    },
    limits: { turns: 3 * searches, toolCalls: 4 * searches, toolTimeoutMs: 120_000 },
  });
}

const openInput = z.object({
  id: z.string().max(2_000).describe("as it stands in brackets"),
  page: z.int().min(1).optional().describe("of a long document, 1 unless told"),
});
const answerInput = z.object({
  answer: z.string().max(200).describe("a name, a number or a few words, nothing else"),
  sources: z.array(z.string().max(2_000)).max(20).optional().describe("ids of the documents it follows from"),
});

const instructions = (searches: number) =>
  `You answer a question. If you know the answer, or it follows from what you are told, call answer at once. Else call search and open to find it in documents, then call answer with the name or number alone. If the documents do not say it, answer "${unanswerableAnswer}". You have ${searches} searches.`;

/** Worlds that were made, the newest last; sessions and environments of the same world share one. */
const libraries = new Map<string, Library>();
const mostLibraries = 8;

function libraryOf(seed: number, documents: number): Library {
  const key = `${seed} ${documents}`;
  const known = libraries.get(key);
  if (known) return known;
  const world = createWorld({ seed, documents });
  const made = { world, corpus: createCorpus(writeArticles(world, { seed })) };
  if (libraries.size >= mostLibraries) libraries.delete(libraries.keys().next().value!);
  libraries.set(key, made);
  return made;
}

function checkNumbers(numbers: Record<string, number>, { mostTop }: { mostTop: number }): void {
  const least: Record<string, number> = { world: 0, documents: 200, pageCharacters: 200 };
  const most: Record<string, number> = { documents: 100_000, top: mostTop };
  for (const [name, value] of Object.entries(numbers)) {
    const [from, to] = [least[name] ?? 1, most[name] ?? Number.MAX_SAFE_INTEGER];
    if (!Number.isInteger(value) || value < from || value > to)
      throw new AttuneError(
        "usage",
        `search: expected ${name} to be a whole number of ${from}${name in most ? ` to ${to}` : " or more"}, got ${value}`,
      );
  }
}
