// npm run bench -- NAME [--json] [--only CASE]: runs one bench and prints what it measured.
import { parseArgs } from "node:util";
import { drawTable } from "../src/cli/display/table.ts";
import type { Bench, BenchReport } from "./report.ts";
import { machine } from "./report.ts";

const benches: Record<string, () => Promise<{ run: Bench }>> = {
  bfcl: () => import("./bfcl.ts"),
  checkpoint: () => import("./checkpoint.ts"),
  "engine-train": () => import("./engine-train.ts"),
  "engine-sample": () => import("./engine-sample.ts"),
  environment: () => import("./environment.ts"),
  gateway: () => import("./gateway.ts"),
  export: () => import("./export.ts"),
  iteration: () => import("./iteration.ts"),
  learning: () => import("./learning.ts"),
  rollout: () => import("./rollout.ts"),
  store: () => import("./store.ts"),
  workers: () => import("./workers.ts"),
};

const { positionals, values } = parseArgs({
  allowPositionals: true,
  options: { json: { type: "boolean", default: false }, only: { type: "string" } },
});
const name = positionals[0] ?? "";
const load = benches[name];
if (!load) {
  process.stderr.write(`bench: expected one of ${Object.keys(benches).join(", ")}, got "${name}"\n`);
  process.exit(2);
}
const { run } = await load();
const rows = await run({
  say: (line) => process.stderr.write(`${line}\n`),
  ...(values.only && { only: values.only }),
});
const report: BenchReport = { bench: name, machine: machine(), rows };
if (values.json) process.stdout.write(`${JSON.stringify(report)}\n`);
else {
  const show = (value: number | undefined) =>
    value === undefined ? "" : value >= 100 ? value.toFixed(0) : value.toPrecision(3);
  const table = rows.map((row) => [
    row.case,
    row.skipped ?? show(row.value),
    row.unit,
    row.peer ?? "",
    show(row.peerValue),
    show(row.ratio),
  ]);
  process.stdout.write(
    `${drawTable(["case", "value", "unit", "peer", "value", "ratio"], table).join("\n")}\n`,
  );
}
