import { join } from "node:path";
import type { Command } from "commander";
import { readManifest } from "../../run/run.ts";
import { AttuneError } from "../../spec/error.ts";
import { duration } from "../display/format.ts";
import { nonNegativeInteger } from "../options.ts";
import { quickstart } from "../quickstart.ts";
import { invocation } from "../version.ts";
import { trainWatched } from "../watch.ts";

export function addQuickstart(program: Command): void {
  program
    .command("quickstart")
    .description("train a small agent from random weights in three environments and see that it got better")
    .option("--seed <number>", "seed of everything that is drawn", nonNegativeInteger, 0)
    .option("--root <directory>", "where run directories are made", "runs")
    .option("--resume <directory>", "go on with a run that was stopped")
    .option("--quick", "a few seconds of the same thing, too short to learn", false)
    .option("--json", "print one JSON object on standard output and nothing else", false)
    .addHelpText(
      "after",
      "\nExamples:\n  attune quickstart\n  attune quickstart --seed 1 --json > summary.json\n  attune quickstart --resume runs/quickstart-1\n",
    )
    .action(
      async (options: { seed: number; root: string; resume?: string; quick: boolean; json: boolean }) => {
        const { resume, quick, json, root } = options;
        const seed = resume === undefined ? options.seed : seedOf(resume);
        if (!json) {
          process.stdout.write(
            "A model of 0.7 million random weights learns to use a calculator, an atlas and a shell, by itself, on this CPU:\n" +
              "first it copies, then it imitates demonstrations (half of them hasty), then it practises. About four minutes.\n\n",
          );
        }
        const flags = quick ? " --quick" : "";
        const summary = await trainWatched(quickstart({ seed, quick }), {
          root,
          ...(resume !== undefined && { resume }),
          json,
          invocation,
          resumeCommand: (directory) => `${invocation} quickstart${flags} --resume ${directory}`,
        });
        if (json) return;
        const { run } = summary;
        const next = [
          [`${invocation} show ${run} --worst`, "read an episode that went wrong"],
          [`${invocation} show ${run} --best --tokens`, "… token by token"],
          [`${invocation} eval atlas --policy ${run}`, "measure it again"],
          [`${invocation} quickstart --seed ${seed + 1}`, "from other random weights"],
          ["src/cli/quickstart.ts", "change the reward, the stages"],
        ] as const;
        const width = Math.max(...next.map(([command]) => command.length));
        process.stdout.write(
          [
            "",
            `${duration(summary.wallSeconds)}, ${(summary.peakMemoryBytes / 2 ** 30).toFixed(1)} GiB. The run is in ${run}`,
            "",
            "Go on:",
            ...next.map(([command, what]) => `  ${command.padEnd(width)}  ${what}`),
            "",
          ].join("\n"),
        );
      },
    );
}

function seedOf(directory: string): number {
  const { seed, name } = readManifest(directory);
  if (name !== "quickstart")
    throw new AttuneError(
      "usage",
      `${join(directory, "run.json")}: a run of "${name}", not of the quickstart; use: attune train CONFIG.ts --resume`,
    );
  return seed;
}
