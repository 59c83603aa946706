import type { BfclReport } from "../../eval/bfcl/evaluate.ts";
import { count } from "./format.ts";
import { drawTable } from "./table.ts";

const points = (share: number) => (100 * share).toFixed(2);
const range = (low: number, high: number) => `${points(low)} – ${points(high)}`;

/** The leaderboard's table of one model, and what it leaves open. */
export function drawBfcl(report: BfclReport): string[] {
  const { sums, intervals, categories, usage } = report;
  const sumRow = (name: string, weight: string, key: keyof typeof sums) => [
    name,
    points(sums[key]),
    range(...intervals[key]),
    "",
    weight,
  ];
  const rows = [
    ...categories.map(({ category, accuracy, low, high, correct, total, items }) =>
      total === 0
        ? [category, "–", "", `0/${items}`, ""]
        : [
            category,
            points(accuracy),
            range(low, high),
            `${correct}/${total}`,
            total < items ? `of ${items}` : "",
          ],
    ),
    ["", "", "", "", ""],
    sumRow("non-live", "10 %", "nonLive"),
    sumRow("live", "10 %", "live"),
    sumRow("irrelevance", "10 %", "irrelevance"),
    sumRow("multi-turn", "30 %", "multiTurn"),
    sumRow("agentic", "40 %", "agentic"),
    sumRow("overall", "", "overall"),
  ];
  return [
    report.model,
    "",
    ...drawTable(["category", "accuracy", "95 % interval", "right", ""], rows),
    "",
    ...drawMissing(report),
    ...drawSensitivity(report),
    `${count(usage.inputTokens)} tokens in, ${count(usage.outputTokens)} out${usage.cost === null ? "" : `, $${usage.cost.toFixed(2)}`}${drawSeconds(report)}`,
  ];
}

function drawSeconds({ usage: { seconds } }: BfclReport): string {
  if (seconds === null) return "";
  const { mean, deviation, p95 } = seconds;
  return `; seconds a reply: mean ${mean.toFixed(2)}, deviation ${deviation.toFixed(2)}, 95th percentile ${p95.toFixed(2)}`;
}

function drawMissing({ missing, partial, unanswered, problems }: BfclReport): string[] {
  const reasons = Map.groupBy(Object.entries(missing), ([, reason]) => reason);
  return [
    ...[...reasons].map(
      ([reason, names]) => `counted as 0, ${reason}: ${names.map(([name]) => name).join(", ")}`,
    ),
    ...(partial.length > 0 ? [`over a part of their items: ${partial.join(", ")}`] : []),
    ...(unanswered.length > 0
      ? [
          `${unanswered.length} questions got no answer; the same command asks them again (${unanswered[0]?.error})`,
        ]
      : []),
    ...problems.slice(0, 5).map((problem) => `not counted: ${problem}`),
    ...(problems.length > 5 ? [`not counted: ${problems.length - 5} more lines`] : []),
  ];
}

function drawSensitivity({ categories }: BfclReport): string[] {
  const found = categories.find((each) => each.sensitivity)?.sensitivity;
  if (found === undefined) return [];
  return [
    `format sensitivity (not scored): largest difference ${found.largestDifference.toFixed(2)} points, standard deviation ${found.deviation.toFixed(2)}`,
  ];
}
