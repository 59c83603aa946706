import { join } from "node:path";
import { writeFileAtomic } from "../../../kit/files.ts";
import type { BfclReport } from "../evaluate.ts";
import { floatText } from "../python/text.ts";

type Column = { name: string; value: (report: BfclReport) => string };

/**
 * `data_overall.csv` and its parts with the columns of the leaderboard's own. They hold this model alone: the
 * leaderboard's tool makes the table of all models from the score files.
 */
export function writeLeaderboardFiles(out: string, report: BfclReport): void {
  for (const [name, columns] of Object.entries(files)) {
    const all: Column[] = [{ name: "Rank", value: () => "1" }, ...columns];
    const lines = [all.map((column) => column.name), all.map(({ value }) => value(report))];
    const text = lines.map((cells) => cells.map(quoted).join(",")).join("\n");
    writeFileAtomic(join(out, "score", report.model.replaceAll("/", "_"), `data_${name}.csv`), text);
  }
}

function quoted(cell: string): string {
  return /[",\n]/.test(cell) ? `"${cell.replaceAll('"', '""')}"` : cell;
}

const percent = (share: number) => `${(100 * share).toFixed(2)}%`;
const number = (value: number | null | undefined) =>
  value === null || value === undefined ? "N/A" : floatText(Math.round(value * 100) / 100);

const model: Column = { name: "Model", value: (report) => report.model };

/** A category's accuracy. */
function own(name: string, category: string): Column {
  return {
    name,
    value: ({ categories }) => {
      const score = categories.find((each) => each.category === category);
      return score === undefined || score.total === 0 ? "N/A" : percent(score.accuracy);
    },
  };
}

/** One of the sums; not available where a category of it is missing, unless it is a total. */
function sum(name: string, key: keyof BfclReport["sums"], parts: readonly string[] = []): Column {
  return {
    name,
    value: ({ sums, missing }) =>
      parts.some((category) => category in missing) ? "N/A" : percent(sums[key]),
  };
}

const simple = ["simple_python", "simple_java", "simple_javascript"];
const nonLive = [...simple, "multiple", "parallel", "parallel_multiple"];
const live = ["live_simple", "live_multiple", "live_parallel", "live_parallel_multiple"];
const web = ["web_search_base", "web_search_no_snippet"];
const memory = ["memory_kv", "memory_vector", "memory_rec_sum"];

const multiTurn = [
  own("Base", "multi_turn_base"),
  own("Miss Func", "multi_turn_miss_func"),
  own("Miss Param", "multi_turn_miss_param"),
  own("Long Context", "multi_turn_long_context"),
];

const agentic = [
  own("Web Search Base", "web_search_base"),
  own("Web Search No Snippet", "web_search_no_snippet"),
];

const memories = [
  own("Memory KV", "memory_kv"),
  own("Memory Vector", "memory_vector"),
  own("Memory Recursive Summarization", "memory_rec_sum"),
];

const sensitivity = (name: string, key: "largestDifference" | "deviation"): Column => ({
  name,
  value: ({ categories }) => number(categories.find((each) => each.sensitivity)?.sensitivity?.[key]),
});

const prefixed = (prefix: string, columns: readonly Column[]) =>
  columns.map((column) => ({ ...column, name: `${prefix} ${column.name}` }));

const files: Readonly<Record<string, readonly Column[]>> = {
  non_live: [
    model,
    sum("Non-Live Overall Acc", "nonLive"),
    sum("AST Summary", "nonLive", nonLive),
    sum("Simple AST", "nonLiveSimple", simple),
    own("Python Simple AST", "simple_python"),
    own("Java Simple AST", "simple_java"),
    own("JavaScript Simple AST", "simple_javascript"),
    own("Multiple AST", "multiple"),
    own("Parallel AST", "parallel"),
    own("Parallel Multiple AST", "parallel_multiple"),
    own("Irrelevance Detection", "irrelevance"),
  ],
  live: [
    model,
    sum("Live Overall Acc", "live"),
    sum("AST Summary", "live", live),
    own("Python Simple AST", "live_simple"),
    own("Python Multiple AST", "live_multiple"),
    own("Python Parallel AST", "live_parallel"),
    own("Python Parallel Multiple AST", "live_parallel_multiple"),
    own("Irrelevance Detection", "live_irrelevance"),
    own("Relevance Detection", "live_relevance"),
  ],
  multi_turn: [model, sum("Multi Turn Overall Acc", "multiTurn"), ...multiTurn],
  agentic: [
    model,
    sum("Agentic Overall Acc", "agentic"),
    sum("Web Search Summary", "webSearch", web),
    ...agentic,
    sum("Memory Summary", "memory", memory),
    ...memories,
  ],
  overall: [
    sum("Overall Acc", "overall"),
    model,
    { name: "Model Link", value: () => "" },
    { name: "Total Cost ($)", value: ({ usage }) => number(usage.cost) },
    { name: "Latency Mean (s)", value: ({ usage }) => number(usage.seconds?.mean) },
    { name: "Latency Standard Deviation (s)", value: ({ usage }) => number(usage.seconds?.deviation) },
    { name: "Latency 95th Percentile (s)", value: ({ usage }) => number(usage.seconds?.p95) },
    sum("Non-Live AST Acc", "nonLive", nonLive),
    sum("Non-Live Simple AST", "nonLiveSimple", simple),
    own("Non-Live Multiple AST", "multiple"),
    own("Non-Live Parallel AST", "parallel"),
    own("Non-Live Parallel Multiple AST", "parallel_multiple"),
    sum("Live Acc", "live"),
    own("Live Simple AST", "live_simple"),
    own("Live Multiple AST", "live_multiple"),
    own("Live Parallel AST", "live_parallel"),
    own("Live Parallel Multiple AST", "live_parallel_multiple"),
    sum("Multi Turn Acc", "multiTurn"),
    ...prefixed("Multi Turn", multiTurn),
    sum("Web Search Acc", "webSearch", web),
    ...agentic,
    sum("Memory Acc", "memory", memory),
    ...memories,
    own("Relevance Detection", "live_relevance"),
    sum("Irrelevance Detection", "irrelevance", ["irrelevance", "live_irrelevance"]),
    sensitivity("Format Sensitivity Max Delta", "largestDifference"),
    sensitivity("Format Sensitivity Standard Deviation", "deviation"),
    { name: "Organization", value: () => "" },
    { name: "License", value: () => "" },
  ],
};
