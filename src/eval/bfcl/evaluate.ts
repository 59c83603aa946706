import { existsSync } from "node:fs";
import { categories } from "./categories.ts";
import { type ResultFolder, resultFolder } from "./result-files.ts";
import { formatSensitivity } from "./run/question.ts";
import { type RunOptions, type RunOutcome, runQuestions } from "./run/run.ts";
import { bootstrapSums } from "./score/interval.ts";
import { writeLeaderboardFiles } from "./score/leaderboard-files.ts";
import { type CategoryScore, scoreCategory } from "./score/score.ts";
import { type Price, toUsage, type Usage } from "./score/usage.ts";
import { type Sums, toSums } from "./score/weights.ts";

export type BfclEvaluation = Omit<RunOptions, "folder"> & {
  /** Holds `result/` and `score/` as the leaderboard's tools expect them. */
  out: string;
  /** The model's name in files and table. */
  modelName: string;
  price?: Price;
};

/** What a model came to. Shares are between 0 and 1. */
export type BfclReport = {
  model: string;
  categories: CategoryScore[];
  sums: Sums;
  /** 95 %, bootstrap over items. */
  intervals: Record<keyof Sums, [number, number]>;
  /** Scored categories without a result, which count as 0, with the reason. */
  missing: Record<string, string>;
  /** Categories of which some items have no result. */
  partial: string[];
  unanswered: RunOutcome["unanswered"];
  problems: string[];
  usage: Usage;
};

/** Asks what is not answered yet, judges all that is stored, and writes result and score files. */
export async function evaluateBfcl(options: BfclEvaluation): Promise<BfclReport> {
  const folder = resultFolder(options.out, options.modelName);
  const run = await runQuestions({ ...options, folder });
  const others = await readOthers(options, folder);
  const order = [...categories, formatSensitivity];
  const asked = [...run.asked, ...others.asked].sort(
    (left, right) => order.indexOf(left.category) - order.indexOf(right.category),
  );
  const scores = asked.map(({ category, questions, items, stored }) =>
    scoreCategory({
      category,
      questions,
      items,
      rows: stored.rows,
      mode: options.mode,
      modelName: options.modelName.replaceAll("/", "_"),
      file: folder.score(category),
    }),
  );
  const scored = new Map(scores.filter(({ total }) => total > 0).map((score) => [score.category, score]));
  const report: BfclReport = {
    model: options.modelName,
    categories: scores,
    sums: toSums((category) => scored.get(category)),
    intervals: bootstrapSums(scored),
    missing: Object.fromEntries(
      categories
        .filter((category) => !scored.has(category))
        .map((category) => [category, run.leftOut[category] ?? whyUnscored(category, options)]),
    ),
    partial: scores.filter(({ total, items }) => total > 0 && total < items).map(({ category }) => category),
    unanswered: run.unanswered,
    problems: [...run.problems, ...others.problems],
    usage: toUsage(
      asked
        .filter(({ category }) => category !== formatSensitivity)
        .flatMap(({ stored }) => [...stored.rows.values()].map(({ row }) => row)),
      options.price,
    ),
  };
  writeLeaderboardFiles(options.out, report);
  return report;
}

/** What earlier runs have stored of categories that are not asked this time: it counts as well. */
function readOthers(options: BfclEvaluation, folder: ResultFolder): Promise<RunOutcome> {
  const stored = [...categories, formatSensitivity].filter(
    (category) => !options.categories.includes(category) && existsSync(folder.result(category)),
  );
  const everything = { ...options, folder, categories: stored, model: undefined };
  delete everything.limit;
  return runQuestions(everything);
}

function whyUnscored(category: string, { categories: wanted }: BfclEvaluation): string {
  return wanted.includes(category) ? "no result is stored" : "not asked for";
}
