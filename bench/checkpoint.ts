// Loading and saving a model folder: seconds, and the most memory the process holds while it loads, above what it
// held before, as a share of the weights in f32. Every load runs in a process of its own, whose peak Linux keeps;
// elsewhere that figure is left out.
import { execFileSync } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { saveHuggingFace } from "../src/engine/hugging-face.ts";
import { createModel, modelPresets } from "../src/engine/model.ts";
import type { ElementType } from "../src/engine/number-formats.ts";
import type { Bench, BenchRow } from "./report.ts";

/** 129 million parameters: 515 MB in f32, of which the embedding is a sixth. */
const config = {
  ...modelPresets.L,
  vocabularySize: 40_000,
  hiddenSize: 1024,
  heads: 16,
  keyValueHeads: 8,
  headSize: 64,
  feedForwardSize: 2816,
  tiedEmbeddings: true,
};

const cases: { name: string; type: ElementType; shardBytes?: number }[] = [
  { name: "f32, one file", type: "F32" },
  { name: "bf16, one file", type: "BF16" },
  { name: "f16, shards of 100 MB", type: "F16", shardBytes: 1e8 },
];

/** What the process of a load runs. `maxRSS` will not do: a process inherits it from its parent. */
const loading = `
import { readFileSync } from "node:fs";
const { loadHuggingFace } = await import(process.argv[1]);
const before = process.memoryUsage.rss();
const startedAt = performance.now();
const { parameters } = loadHuggingFace(process.argv[2]);
const seconds = (performance.now() - startedAt) / 1000;
let weights = 0;
for (const { data } of parameters.values()) weights += data.byteLength;
let held = null;
if (process.platform === "linux") {
  const peak = /VmHWM:\\s+(\\d+) kB/.exec(readFileSync("/proc/self/status", "utf8"));
  held = Number(peak[1]) * 1024 - before;
}
process.stdout.write(JSON.stringify({ seconds, weights, held }));
`;

export const run: Bench = async ({ say, only }) => {
  const rows: BenchRow[] = [];
  const model = createModel(config, { seed: 1 });
  for (const { name, ...stored } of cases.filter((one) => !only || one.name.includes(only))) {
    const folder = mkdtempSync(join(tmpdir(), "attune-bench-checkpoint-"));
    try {
      say(name);
      const startedAt = performance.now();
      saveHuggingFace(model, folder, stored);
      const saving = (performance.now() - startedAt) / 1000;
      const engine = join(import.meta.dirname, "../src/engine/hugging-face.ts");
      const text = execFileSync(process.execPath, ["--input-type=module", "-e", loading, engine, folder], {
        encoding: "utf8",
      });
      const { seconds, weights, held } = JSON.parse(text) as {
        seconds: number;
        weights: number;
        held: number | null;
      };
      const peak = { case: `peak memory of loading, ${name}`, unit: "× the weights" };
      rows.push(
        held === null ? { ...peak, value: 0, skipped: "only on Linux" } : { ...peak, value: held / weights },
        { case: `loading, ${name}`, unit: "MB/s of f32", value: weights / 1e6 / seconds },
        { case: `saving, ${name}`, unit: "MB/s of f32", value: weights / 1e6 / saving },
      );
    } finally {
      rmSync(folder, { recursive: true, force: true });
    }
  }
  return rows;
};
