import { createRandom, deriveSeed } from "../../kit/random.ts";
import { AttuneError } from "../../spec/error.ts";
import { wordsOf } from "./bm25.ts";
import { type Corpus, localEngine, toHit } from "./corpus.ts";
import type { SearchEngine } from "./search-engine.ts";

/** How far training has come, in 0 to 1, or as steps done of all; a function is asked when a session starts. */
export type Progress = number | { step: number; steps: number };

export type NoiseCurriculum = {
  /** The chance of a noisy answer when training starts (0), and when it has ended (0.5). */
  start?: number;
  end?: number;
  /** How late the rise comes: 1 is a straight line, 4 (the default) rises late. */
  base?: number;
  progress: Progress | (() => Progress);
};

/**
 * The chance of noise at a share i/m of training: p_s + (b^(i/m) − 1)/(b − 1) · (p_e − p_s), in the limit a straight
 * line for b = 1 (ZeroSearch, arXiv 2505.04588; its b is 4). Progress outside of 0 to 1 counts as its nearer end.
 */
export function noiseAt(
  progress: number,
  { start, end, base }: { start: number; end: number; base: number },
): number {
  const share = Math.min(1, Math.max(0, progress));
  const risen = base === 1 ? share : (base ** share - 1) / (base - 1);
  return start + risen * (end - start);
}

/**
 * An engine that simulates a bad one, after ZeroSearch: with the chance that the curriculum says, an answer holds
 * documents that have nothing to do with the query, in place of all that have. Where ZeroSearch lets a language model
 * write them, here they are true articles about other things, so that nothing false is ever read. A session's seed
 * and the words of a query decide; the same query in a session has the same answer, another wording draws anew.
 */
export function simulatedEngine(
  corpus: Corpus,
  { start = 0, end = 0.5, base = 4, progress }: NoiseCurriculum,
): SearchEngine {
  for (const [name, value] of Object.entries({ start, end }))
    if (!(value >= 0 && value <= 1))
      throw new AttuneError("usage", `search: expected noise.${name} from 0 to 1, got ${value}`);
  if (!(base > 0 && Number.isFinite(base)))
    throw new AttuneError("usage", `search: expected noise.base above 0, got ${base}`);
  const now = () => toShare(typeof progress === "function" ? progress() : progress);
  if (typeof progress !== "function") now();
  const local = localEngine(corpus);
  return {
    ...local,
    name: "simulated",
    noise: () => noiseAt(now(), { start, end, base }),
    search(query, options) {
      const { top, seed = 0, chance = noiseAt(now(), { start, end, base }) } = options;
      const random = createRandom(deriveSeed(seed, "search noise", wordsOf(query).join(" ")));
      if (random.next() >= chance) return local.search(query, options);
      const useful = new Set(corpus.search(query, { top: 4 * top }));
      const noise = new Set<(typeof corpus.documents)[number]>();
      for (let draws = 0; noise.size < top && draws < 20 * top; draws++) {
        const document = random.pick(corpus.documents);
        if (!useful.has(document)) noise.add(document);
      }
      return { hits: [...noise].map((document) => toHit(document, query)), noisy: true };
    },
  };
}

function toShare(progress: Progress): number {
  const share = typeof progress === "number" ? progress : progress.step / progress.steps;
  if (Number.isFinite(share)) return share;
  throw new AttuneError(
    "usage",
    `search: expected noise.progress as a number or { step, steps }, got ${JSON.stringify(progress)}`,
  );
}
