import { readFileSync } from "node:fs";
import { z } from "zod";
import { splitOf, toTask } from "../../environment/task.ts";
import { createRandom, deriveSeed } from "../../kit/random.ts";
import type { Split, Task } from "../../spec/environment.ts";
import { AttuneError } from "../../spec/error.ts";
import type { Corpus, SearchDocument } from "./corpus.ts";
import { type SearchAnswer, type SearchInput, unanswerableAnswer } from "./question-kinds.ts";

/** A document of the user's own. */
const document = z.strictObject({
  id: z.string().regex(/^\S{1,200}$/, "expected an id of up to 200 characters without spaces"),
  title: z.string().min(1),
  text: z.string().min(1),
});

const question = z
  .strictObject({
    question: z.string().min(1),
    /** Each is right. None at all: the documents do not say it. */
    answers: z.array(z.string().min(1)),
    /** Ids of the documents that it follows from. */
    sources: z.array(z.string()).optional(),
    /** Whether the policy can answer without a search; asked of the model beforehand, or so by the notes. */
    known: z.boolean().optional(),
    notes: z.array(z.string()).optional(),
    kind: z.string().min(1).optional(),
    /** Where it belongs; its text decides when absent. */
    split: z.enum(["train", "test"]).optional(),
  })
  .refine(({ answers }) => answers.every((answer) => answer !== unanswerableAnswer), {
    message: `expected no "${unanswerableAnswer}" among the answers: leave them empty`,
  });

export type GivenQuestion = z.infer<typeof question>;
export type GivenRows = { documents: SearchDocument[]; questions: GivenQuestion[] };

/**
 * Reads a JSONL file of documents (`{"id", "title", "text"}`) and questions (`{"question", "answers", …}`) in any
 * order. Throws `AttuneError` (input) with file and line.
 */
export function readGivenRows(path: string): GivenRows {
  let content: string;
  try {
    content = readFileSync(path, "utf8");
  } catch (error) {
    throw new AttuneError("input", `search: cannot read ${path}: ${(error as Error).message}`);
  }
  const rows: GivenRows = { documents: [], questions: [] };
  const lineOfId = new Map<string, number>();
  for (const [at, line] of content.split("\n").entries()) {
    if (line.trim() === "") continue;
    const refuse = (message: string): never => {
      throw new AttuneError("input", `${path}:${at + 1}: ${message}`);
    };
    let value: unknown;
    try {
      value = JSON.parse(line);
    } catch {
      refuse("not JSON");
    }
    if (typeof value !== "object" || value === null || Array.isArray(value))
      refuse("expected an object, a document or a question");
    const isQuestion = "question" in (value as object);
    const read = (isQuestion ? question : document).safeParse(value);
    if (!read.success) {
      const { path: part, message } = read.error.issues[0]!;
      refuse(
        `${isQuestion ? "question" : "document"}: ${part.length > 0 ? `${part.join(".")}: ` : ""}${message}`,
      );
    }
    if (isQuestion) rows.questions.push(read.data as GivenQuestion);
    else {
      const { id } = read.data as SearchDocument;
      if (lineOfId.has(id)) refuse(`document "${id}" is there already, in line ${lineOfId.get(id)}`);
      lineOfId.set(id, at + 1);
      rows.documents.push(read.data as SearchDocument);
    }
  }
  if (rows.questions.length === 0) throw new AttuneError("input", `${path}: expected at least one question`);
  return rows;
}

/** Tasks over given questions, each once, in an order that the seed decides. Without a corpus sources are as given. */
export function givenTasks(questions: readonly GivenQuestion[], corpus: Corpus | undefined) {
  const tasks = questions.map((given) => toGivenTask(given, corpus));
  return ({ split, seed }: { split: Split; seed: number }): Task<SearchInput>[] =>
    createRandom(deriveSeed(seed, "search", split)).shuffle(tasks.filter((task) => task.split === split));
}

function toGivenTask(given: GivenQuestion, corpus: Corpus | undefined): Task<SearchInput> {
  const { question: asked, answers, sources = [], known = false, notes = [], kind = "given" } = given;
  const unanswerable = answers.length === 0;
  const titles = sources.map((id) => {
    const found = corpus?.byId(id);
    if (corpus && !found)
      throw new AttuneError("input", `search: question "${asked}": no document "${id}" among the given ones`);
    return found?.title ?? "";
  });
  const looks = known ? [] : titles.length > 0 ? titles : [""];
  const input: SearchInput = {
    question: asked,
    notes,
    known,
    plan: looks.map((title) => ({
      query: title || asked,
      title,
      thought: "I look for what the question is about.",
    })),
    conclusion: unanswerable ? "The documents do not say it." : "That answers the question.",
  };
  const answer: SearchAnswer = {
    answers: unanswerable ? [unanswerableAnswer] : answers,
    unanswerable,
    stated: !unanswerable,
    sources,
  };
  const split = given.split ?? splitOf(asked, { salt: "search-given-1" });
  return toTask({ environment: "search", kind, input, answer, split });
}
