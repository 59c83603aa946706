import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import type { Command } from "commander";
import { runLayout } from "../../run/layout.ts";
import { listRuns, readManifest, readProgress } from "../../run/run.ts";
import type { RunSummary } from "../../train/event.ts";
import { duration, percent } from "../display/format.ts";
import { drawTable } from "../display/table.ts";

export function addRuns(program: Command): void {
  program
    .command("runs")
    .description("list runs, newest first")
    .option("--root <directory>", "where run directories are", "runs")
    .option("--json", "print one JSON object and nothing else", false)
    .action(({ root, json }: { root: string; json: boolean }) => {
      const runs = listRuns(root).map((name) => {
        const directory = join(root, name);
        const { wallSeconds, checkpoint } = readProgress(directory);
        const { createdAt, seed } = readManifest(directory);
        return { run: directory, createdAt, seed, wallSeconds, checkpoint, success: successOf(directory) };
      });
      if (json) process.stdout.write(`${JSON.stringify({ runs })}\n`);
      else if (runs.length === 0) process.stdout.write(`no runs in ${root}\n`);
      else {
        const rows = runs.map(({ run, createdAt, checkpoint, wallSeconds, success }) => [
          run,
          createdAt.slice(0, 16).replace("T", " "),
          checkpoint ?? "–",
          duration(wallSeconds),
          success === null ? "not finished" : percent(success),
        ]);
        process.stdout.write(
          `${drawTable(["run", "started", "checkpoint", "time", "success"], rows).join("\n")}\n`,
        );
      }
    });
}

/** Held-out success at the end, mean over environments; null while a run is not finished. */
function successOf(directory: string): number | null {
  const path = runLayout(directory).summary;
  if (!existsSync(path)) return null;
  const { environments } = JSON.parse(readFileSync(path, "utf8")) as RunSummary;
  const last = Object.values(environments).map((labels) => Object.values(labels).at(-1)!.success);
  return last.reduce((total, success) => total + success, 0) / last.length;
}
