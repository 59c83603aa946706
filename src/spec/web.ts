export type WebHit = { title: string; link: string; snippet?: string | undefined };

/** What a search came to: hits, best first, or what the engine said instead. */
export type WebAnswer = { hits: WebHit[] } | { error: string };

/** A page as it was read, or why it could not be read. */
export type WebPage = { html: string } | { error: string };

/**
 * The web, as an agent's tools see it. What a page or a query brings upon itself (an address that does not answer, a
 * search without results) is in the answer. What is wrong with the service (a refused key, a used-up budget) is
 * thrown as an `AttuneError` and never held against the agent.
 */
export interface WebEngine {
  name: string;
  /** `region` as DuckDuckGo writes it: `us-en`; `wt-wt` is none. */
  search(query: { keywords: string; region: string }, options: { signal?: AbortSignal }): Promise<WebAnswer>;
  open(url: string, options: { signal?: AbortSignal }): Promise<WebPage>;
}
