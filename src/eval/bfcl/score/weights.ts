import { categoryGroups } from "../categories.ts";

/** What a category came to; an accuracy of 0 where it was not asked. */
export type Share = { accuracy: number; total: number };

/** Items of the whole benchmark, which weigh the live categories where their questions are not at hand. */
const wholeSizes: Readonly<Record<string, number>> = {
  live_simple: 258,
  live_multiple: 1053,
  live_parallel: 16,
  live_parallel_multiple: 24,
};

/** The leaderboard's sums, each a share between 0 and 1. */
export type Sums = {
  overall: number;
  nonLive: number;
  nonLiveSimple: number;
  live: number;
  irrelevance: number;
  relevance: number;
  multiTurn: number;
  agentic: number;
  webSearch: number;
  memory: number;
};

/**
 * The leaderboard's version 4: 10 % non-live, 10 % live, 10 % irrelevance, 30 % multi-turn, 40 % agentic. Live
 * categories weigh by their items, all others equally; what was not asked counts as 0.
 */
export function toSums(shareOf: (category: string) => Share | undefined): Sums {
  const accuracy = (category: string) => shareOf(category)?.accuracy ?? 0;
  const nonLiveSimple = mean(["simple_python", "simple_java", "simple_javascript"].map(accuracy));
  const nonLive = mean([nonLiveSimple, ...["multiple", "parallel", "parallel_multiple"].map(accuracy)]);
  const liveCategories = ["live_simple", "live_multiple", "live_parallel", "live_parallel_multiple"];
  const weights = liveCategories.map((category) => shareOf(category)?.total ?? wholeSizes[category] ?? 0);
  const live =
    sum(liveCategories.map((category, index) => accuracy(category) * (weights[index] as number))) /
    sum(weights);
  const irrelevance = mean(["irrelevance", "live_irrelevance"].map(accuracy));
  const multiTurn = mean(categoryGroups.multi_turn.map(accuracy));
  const webSearch = mean(categoryGroups.web_search.map(accuracy));
  const memory = mean(categoryGroups.memory.map(accuracy));
  const agentic = mean([webSearch, memory]);
  const overall = 0.1 * nonLive + 0.1 * live + 0.1 * irrelevance + 0.3 * multiTurn + 0.4 * agentic;
  const relevance = accuracy("live_relevance");
  return {
    overall,
    nonLive,
    nonLiveSimple,
    live,
    irrelevance,
    relevance,
    multiTurn,
    agentic,
    webSearch,
    memory,
  };
}

const sum = (values: readonly number[]) => values.reduce((total, value) => total + value, 0);
const mean = (values: readonly number[]) => sum(values) / values.length;
