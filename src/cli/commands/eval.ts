import type { Command } from "commander";
import { takeTasks } from "../../data/tasks.ts";
import { compareTrajectories } from "../../eval/compare.ts";
import { toPasses } from "../../eval/pass-at-k.ts";
import { type EvaluationReport, toReport } from "../../eval/report.ts";
import { AttuneError } from "../../spec/error.ts";
import type { Trajectory } from "../../spec/trajectory.ts";
import { drawReports } from "../display/report.ts";
import { resolveEnvironments } from "../load-config.ts";
import { collect, nonNegativeInteger, nonNegativeNumber, positiveInteger } from "../options.ts";
import { playWith } from "../play.ts";
import { addBfcl } from "./bfcl.ts";

type Options = {
  policy?: string[];
  tasks: number;
  k: number;
  temperature: number;
  seed: number;
  json: boolean;
};

export function addEval(program: Command): void {
  const evaluate = program.command("eval [environment...]");
  addBfcl(evaluate);
  evaluate

    .description("measure policies on held-out tasks")
    .option(
      "--policy <who>",
      "a run, checkpoint or model directory, or expert:NAME; give several to compare",
      collect,
    )
    .option("--tasks <number>", "held-out tasks per environment", positiveInteger, 200)
    .option("--k <number>", "attempts at each task, for pass@k and pass^k", positiveInteger, 1)
    .option("--temperature <number>", "0 is greedy", nonNegativeNumber, 1)
    .option("--seed <number>", "seed of the attempts", nonNegativeInteger, 0)
    .option("--json", "print one JSON object and nothing else", false)
    .addHelpText(
      "after",
      "\nExamples:\n  attune eval calculator atlas --policy runs/quickstart-1\n  attune eval my.config.ts --policy runs/a-1 --policy runs/a-2 --k 4\n  attune eval files --policy expert:careful --tasks 20\n",
    )
    .action(async (names: string[], { policy: policies = [], ...options }: Options) => {
      if (names.length === 0) throw new AttuneError("usage", "eval: name an environment or a config file");
      if (policies.length === 0)
        throw new AttuneError("usage", "eval: say whom to measure: --policy DIRECTORY or expert:NAME");
      const environments = await resolveEnvironments(names);
      const tasks = environments.flatMap((environment) =>
        takeTasks({
          environments: [environment],
          split: "test",
          count: options.tasks,
          seed: 0,
          whenUsedUp: "stop",
        }),
      );
      const played = new Map<string, Trajectory[]>();
      for (const policy of policies) {
        played.set(
          policy,
          await playWith(policy, {
            environments,
            tasks,
            attempts: options.k,
            temperature: options.temperature,
            seed: options.seed,
          }),
        );
      }
      const reports = new Map([...played].map(([policy, trajectories]) => [policy, toReport(trajectories)]));
      const passes = Object.fromEntries(
        [...played].map(([policy, trajectories]) => [policy, toPasses(trajectories, options.k)]),
      );
      const comparison = policies.length === 2 ? compareFirstTwo([...played.values()]) : undefined;
      if (options.json) {
        process.stdout.write(
          `${JSON.stringify({ policies: Object.fromEntries(reports), passes, ...(comparison && { comparison }) })}\n`,
        );
        return;
      }
      process.stdout.write(`${drawReports(reports as ReadonlyMap<string, EvaluationReport>).join("\n")}\n`);
      if (options.k > 1) {
        for (const [policy, { passAtK, passHatK }] of Object.entries(passes)) {
          process.stdout.write(
            `${policy}: pass@${options.k} ${passAtK.toFixed(3)}, pass^${options.k} ${passHatK.toFixed(3)}\n`,
          );
        }
      }
      if (comparison) {
        const { difference, low, high, p } = comparison;
        process.stdout.write(
          `second minus first, on the same tasks: ${difference.toFixed(3)} (95 %: ${low.toFixed(3)} to ${high.toFixed(3)}), McNemar p = ${p.toPrecision(2)}\n`,
        );
      }
    });
}

function compareFirstTwo([first, second]: Trajectory[][]) {
  if (!first || !second) throw new AttuneError("usage", "a comparison needs two policies");
  return compareTrajectories(first, second);
}
