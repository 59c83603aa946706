// Draws the reward curves of learning reports: node bench/learning-chart.ts REPORT.json … > docs/learning.svg
import { readFileSync } from "node:fs";
import { mean } from "../src/kit/statistics.ts";
import type { BenchReport } from "./report.ts";

const size = { width: 720, height: 240, left: 44, right: 130, top: 16, bottom: 34 };
const colors: Record<string, string> = { mixed: "#2563eb", filtered: "#059669", few: "#d97706" };
/** Steps averaged into one point. */
const window = 5;

const curves = process.argv
  .slice(2)
  .flatMap((path) => (JSON.parse(readFileSync(path, "utf8")) as BenchReport).rows)
  .flatMap(({ case: name, curve }) =>
    curve ? [{ variant: name.split(",")[0]!, points: smoothed(curve) }] : [],
  );
const steps = Math.max(...curves.map(({ points }) => points.length));
const inner = {
  width: size.width - size.left - size.right,
  height: size.height - size.top - size.bottom,
};
const x = (step: number) => (size.left + (inner.width * step) / (steps - 1)).toFixed(1);
const y = (reward: number) => (size.top + inner.height * (1 - reward)).toFixed(1);

const grid = [0, 0.25, 0.5, 0.75, 1].flatMap((reward) => [
  `<line x1="${size.left}" x2="${size.left + inner.width}" y1="${y(reward)}" y2="${y(reward)}" stroke="#cbd5e1"/>`,
  `<text x="${size.left - 8}" y="${Number(y(reward)) + 4}" text-anchor="end">${reward}</text>`,
]);
const ticks = Array.from({ length: Math.floor((steps - 1) / 20) + 1 }, (_, index) => 20 * index).map(
  (step) => `<text x="${x(step)}" y="${size.height - 14}" text-anchor="middle">${step}</text>`,
);
const lines = curves.map(({ variant, points }) => {
  const path = points.map((reward, step) => `${x(step)},${y(reward)}`).join(" ");
  return `<polyline points="${path}" fill="none" stroke="${colors[variant] ?? "#64748b"}" stroke-width="1.5"/>`;
});
const legend = [...new Set(curves.map(({ variant }) => variant))].map(
  (variant, index) =>
    `<text x="${size.width - size.right + 12}" y="${size.top + 16 * (index + 1)}" fill="${colors[variant] ?? "#64748b"}">${variant}</text>`,
);
process.stdout.write(
  [
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${size.width} ${size.height}" font-family="sans-serif" font-size="12" fill="#475569">`,
    "<title>Mean training reward by RL step</title>",
    `<rect width="${size.width}" height="${size.height}" fill="#ffffff"/>`,
    ...grid,
    ...ticks,
    `<text x="${size.left + inner.width / 2}" y="${size.height - 2}" text-anchor="middle">RL step</text>`,
    ...lines,
    ...legend,
    "</svg>\n",
  ].join("\n"),
);

function smoothed(values: readonly number[]): number[] {
  return values.map((_, index) => mean(values.slice(Math.max(0, index - window + 1), index + 1)));
}
