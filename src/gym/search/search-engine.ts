/** What an engine says about one document. */
export type SearchHit = {
  /** What `open` is given: a document's id, or an address. */
  id: string;
  title: string;
  snippet: string;
  /** The whole text, where the engine gives it with the result; it is shown when the hit is opened. */
  text?: string;
};

export type SearchResult = {
  hits: SearchHit[];
  /** What this search cost, in the unit that the engine's price is declared in; 0 when absent. */
  cost?: number;
  /** Milliseconds it took, where that is worth knowing. */
  latencyMs?: number;
  /** The documents are noise, put there on purpose. */
  noisy?: boolean;
};

export type SearchOptions = {
  signal: AbortSignal;
  /** Hits that are wanted at most. */
  top: number;
  /** The session's seed, for engines that draw. */
  seed?: number;
  /** What `noise` said when the session started, so that one episode has one chance of it. */
  chance?: number;
};

/**
 * Whatever answers queries: the local index, a simulation, a live service, its record. What it throws is the world's
 * failure and never the policy's, so that an engine that is down is retried or dropped and never graded.
 */
export interface SearchEngine {
  /** What is recorded with its answers; give it a version where the engine has one. */
  name: string;
  search(query: string, options: SearchOptions): SearchResult | Promise<SearchResult>;
  /** A document by id, undefined where there is none. Without it hits are opened from what the search gave. */
  open?(id: string, options: { signal: AbortSignal }): Opened | undefined | Promise<Opened | undefined>;
  /** The chance of noise that holds now, where there is any. Read once by a session, and kept on its outcome. */
  noise?(): number;
}

export type Opened = { title: string; text: string };
