import type { Command } from "commander";
import { type Difference, replay } from "../../rollout/replay.ts";
import { grade } from "../../train/grade.ts";
import { positiveInteger } from "../options.ts";
import { findEnvironments, storedTrajectories } from "../stored.ts";

type Options = { limit?: number; json: boolean };
type Replayed = { id: string; environment: string; differences: Difference[] };

export function addReplay(program: Command): void {
  program
    .command("replay <what> [environment...]")
    .description("take the turns of stored trajectories again and say where the world answers otherwise")
    .option("--limit <number>", "how many to replay", positiveInteger)
    .option("--json", "print one JSON object and nothing else", false)
    .addHelpText(
      "after",
      "\nWHAT is a run or a file of trajectories. Environments that are not built in are given as files that export them.\nExits with 1 when a replay differs.\n\nExamples:\n  attune replay trajectories.jsonl --limit 20\n  attune replay runs/shop-1 my-shop.ts --json\n",
    )
    .action(async (what: string, names: string[], { limit = Number.POSITIVE_INFINITY, json }: Options) => {
      const environmentNamed = await findEnvironments(names);
      const different: Replayed[] = [];
      const unknown = new Map<string, number>();
      let replayed = 0;
      for await (const stored of storedTrajectories(what)) {
        if (replayed >= limit) break;
        const name = stored.task.environment;
        const environment = environmentNamed(name);
        if (!environment) {
          unknown.set(name, (unknown.get(name) ?? 0) + 1);
          continue;
        }
        const { differences } = await replay(stored, { environment, grade });
        replayed++;
        if (differences.length > 0) different.push({ id: stored.id, environment: name, differences });
      }
      if (json)
        process.stdout.write(
          `${JSON.stringify({ replayed, same: replayed - different.length, different, unknown: Object.fromEntries(unknown) })}\n`,
        );
      else draw({ replayed, different, unknown });
      if (different.length > 0) process.exitCode = 1;
    });
}

function draw(found: {
  replayed: number;
  different: Replayed[];
  unknown: ReadonlyMap<string, number>;
}): void {
  const lines = [
    `${found.replayed} replayed, ${found.replayed - found.different.length} as they were stored`,
  ];
  for (const { id, environment, differences } of found.different) {
    lines.push(`${environment}  ${id}`);
    for (const { where, stored, replayed } of differences)
      lines.push(`  ${where}: was ${short(stored)}, is ${short(replayed)}`);
  }
  for (const [name, times] of found.unknown)
    lines.push(`${times} left out: environment "${name}" was not given`);
  process.stdout.write(`${lines.join("\n")}\n`);
}

const short = (text: string) => {
  const line = JSON.stringify(text);
  return line.length > 120 ? `${line.slice(0, 117)}…"` : line;
};
