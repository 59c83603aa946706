import { type Bm25Parameters, createBm25, wordsOf } from "./bm25.ts";
import type { SearchEngine, SearchHit } from "./search-engine.ts";

export type SearchDocument = { id: string; title: string; text: string };

/** Documents with their index: made once, read by all sessions. */
export type Corpus = {
  documents: readonly SearchDocument[];
  byId(id: string): SearchDocument | undefined;
  byTitle(title: string): SearchDocument | undefined;
  /** Best documents for a query, best first. */
  search(query: string, options: { top: number }): SearchDocument[];
};

/** Ids and titles are unique, as `readGivenRows` and the world see to. Titles are searched as often as text. */
export function createCorpus(documents: readonly SearchDocument[], bm25?: Bm25Parameters): Corpus {
  const index = createBm25(
    documents.map(({ title, text }) => `${title}\n${text}`),
    bm25,
  );
  const ids = new Map(documents.map((document) => [document.id, document]));
  const titles = new Map(documents.map((document) => [document.title, document]));
  return {
    documents,
    byId: (id) => ids.get(id),
    byTitle: (title) => titles.get(title),
    search: (query, options) => index.search(query, options).map(({ document }) => documents[document]!),
  };
}

/** The corpus as an engine: nothing it does costs or fails. */
export function localEngine(corpus: Corpus): SearchEngine {
  return {
    name: "local-bm25",
    search: (query, { top }) => ({
      hits: corpus.search(query, { top }).map((document) => toHit(document, query)),
    }),
    open: (id) => corpus.byId(id),
  };
}

const snippetCharacters = 160;

/** A document as a hit: of its sentences the one that has most words of the query. */
export function toHit({ id, title, text }: SearchDocument, query: string): SearchHit {
  const asked = new Set(wordsOf(query));
  let snippet = "";
  let most = -1;
  for (const sentence of text.slice(0, 20_000).split(/(?<=[.!?])\s+/)) {
    const matching = new Set(wordsOf(sentence).filter((word) => asked.has(word))).size;
    if (matching > most) [snippet, most] = [sentence, matching];
  }
  if (snippet.length > snippetCharacters) snippet = `${snippet.slice(0, snippetCharacters - 1)}…`;
  return { id, title, snippet };
}
