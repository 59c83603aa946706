import { ToolError } from "../../spec/tool.ts";
import type { SearchEngine, SearchHit, SearchResult } from "./search-engine.ts";

/** What a session leaves behind; metrics read it. */
export type SearchOutcome = {
  committed: { answer: string; sources: string[] } | null;
  /** Searches that an engine answered. Latency where the engine tells it. */
  searches: { query: string; ids: string[]; cost: number; latencyMs: number | null; noisy: boolean }[];
  /** Documents that were opened. */
  opened: string[];
  /** The chance of noise that held in this session. */
  noise: number;
};

export type Research = {
  search(query: string, options: { top: number; signal: AbortSignal }): Promise<string>;
  open(id: string, options: { page: number; signal: AbortSignal }): Promise<string>;
  answer(answer: string, sources: readonly string[]): string;
  ended(): boolean;
  outcome(): SearchOutcome;
};

/** One episode of research: what was searched, seen and committed. */
export function createResearch(
  engine: SearchEngine,
  { seed, searches: most, pageCharacters }: { seed: number; searches: number; pageCharacters: number },
): Research {
  const noise = engine.noise?.() ?? 0;
  const searches: SearchOutcome["searches"] = [];
  const hits = new Map<string, SearchHit>();
  const opened = new Set<string>();
  let committed: SearchOutcome["committed"] = null;
  // several calls of one turn may run at once: a search counts from when it is asked for
  let asked = 0;
  const refuseLate = () => {
    if (committed) throw new ToolError("the answer is committed already");
  };

  return {
    async search(query, { top, signal }) {
      refuseLate();
      if (!/[\p{L}\p{N}]/u.test(query))
        throw new ToolError(`nothing to search for in "${query}"; write a few words`);
      if (asked >= most) throw new ToolError(`no searches left, you had ${most}; answer now`);
      asked++;
      let result: SearchResult;
      try {
        result = await engine.search(query.trim(), { top, signal, seed, chance: noise });
      } catch (error) {
        asked--;
        throw error;
      }
      const found = result.hits.slice(0, top);
      for (const hit of found) hits.set(hit.id, hit);
      searches.push({
        query: query.trim(),
        ids: found.map(({ id }) => id),
        cost: result.cost ?? 0,
        latencyMs: result.latencyMs ?? null,
        noisy: result.noisy ?? false,
      });
      if (found.length === 0) return "no documents found";
      return found.map(({ id, title, snippet }) => `[${id}] ${title}: ${snippet}`).join("\n");
    },

    async open(id, { page, signal }) {
      refuseLate();
      const hit = hits.get(id);
      const document = engine.open
        ? await engine.open(id, { signal })
        : hit && { title: hit.title, text: hit.text ?? hit.snippet };
      if (!document) throw new ToolError(`no document "${id}"; ids stand in brackets in search results`);
      const pages = Math.max(1, Math.ceil(document.text.length / pageCharacters));
      if (page > pages) throw new ToolError(`document "${id}" has ${pages} pages, got page ${page}`);
      opened.add(id);
      const text = document.text.slice((page - 1) * pageCharacters, page * pageCharacters);
      const heading = pages > 1 ? `${document.title} (page ${page} of ${pages})` : document.title;
      return `${heading}\n${text}`;
    },

    answer(answer, sources) {
      refuseLate();
      if (answer.trim() === "") throw new ToolError("the answer is empty");
      committed = { answer: answer.trim(), sources: [...new Set(sources)] };
      return "committed";
    },

    ended: () => committed !== null,
    outcome: () => ({ committed, searches, opened: [...opened], noise }),
  };
}
