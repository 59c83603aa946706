// What the quickstart learns, over seeds and demonstrations. `mixed` is the quickstart itself; `filtered` keeps only
// demonstrations that a reward filter lets through; `few` does so with a fifth as many, and practises on what still differs.
import { mkdtempSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { dapo } from "../src/algorithm/dapo.ts";
import { type QuickstartOptions, quickstart } from "../src/cli/quickstart.ts";
import { train } from "../src/train/train.ts";
import type { Bench, BenchRow } from "./report.ts";

const seeds = [0, 1, 2];
const variants: Record<string, QuickstartOptions> = {
  mixed: {},
  filtered: { demonstrations: { count: 5000, minimumReward: 1 } },
  few: {
    demonstrations: { count: 1000, minimumReward: 1 },
    rl: { algorithm: dapo({ resampleRounds: 2 }), steps: 100, emptyStepsAllowed: 20 },
  },
};

/** `only` picks a variant, or one run as `variant:seed`. */
export const run: Bench = async ({ say, only }) => {
  const root = mkdtempSync(join(tmpdir(), "attune-learning-"));
  const rows: BenchRow[] = [];
  for (const [variant, options] of Object.entries(variants)) {
    for (const seed of seeds) {
      if (only !== undefined && only !== variant && only !== `${variant}:${seed}`) continue;
      const curve: number[] = [];
      const summary = await train(quickstart({ ...options, seed }), {
        root,
        now: () => new Date(),
        version: "bench",
        onEvent(event) {
          if (event.type === "evaluation")
            say(`${variant} seed ${seed}: ${event.label} ${event.report.success.toFixed(3)}`);
          if (event.type === "step" && event.stage === "rl") curve.push(event.metrics["reward"]!);
        },
      });
      for (const label of ["sft", "rl"]) {
        const environments = Object.entries(summary.environments);
        const success =
          environments.reduce((total, [, own]) => total + own[label]!.success, 0) / environments.length;
        rows.push({
          case: `${variant}, seed ${seed}, after ${label}`,
          unit: "held-out success",
          value: success,
          ...(label === "rl" && { curve }),
        });
        for (const [name, own] of environments) {
          rows.push({
            case: `${variant}, seed ${seed}, after ${label}, ${name}`,
            unit: "held-out success",
            value: own[label]!.success,
          });
        }
      }
      rows.push({ case: `${variant}, seed ${seed}, wall time`, unit: "s", value: summary.wallSeconds });
      rows.push({
        case: `${variant}, seed ${seed}, peak memory`,
        unit: "GiB",
        value: summary.peakMemoryBytes / 2 ** 30,
      });
    }
  }
  say(`runs are in ${root}`);
  return rows;
};
