import { existsSync } from "node:fs";
import type { Command } from "commander";
import { takeTasks } from "../../data/tasks.ts";
import { AttuneError } from "../../spec/error.ts";
import { appendTrajectories } from "../../trajectory/store.ts";
import { resolveEnvironments } from "../load-config.ts";
import { nonNegativeInteger, nonNegativeNumber, positiveInteger } from "../options.ts";
import { playWith } from "../play.ts";

type Options = {
  policy: string;
  tasks: number;
  attempts: number;
  temperature: number;
  seed: number;
  output: string;
  json: boolean;
};

export function addCollect(program: Command): void {
  program
    .command("collect <environment...>")
    .description("play train tasks and keep the trajectories")
    .option("--policy <who>", "a run, checkpoint or model directory, or expert:NAME", "expert:careful")
    .option("--tasks <number>", "tasks per environment", positiveInteger, 100)
    .option("--attempts <number>", "attempts at each task", positiveInteger, 1)
    .option("--temperature <number>", "0 is greedy", nonNegativeNumber, 1)
    .option("--seed <number>", "seed of tasks and attempts", nonNegativeInteger, 0)
    .option("--output <file>", "a JSONL file that does not exist yet", "trajectories.jsonl")
    .option("--json", "print one JSON object and nothing else", false)
    .addHelpText(
      "after",
      "\nExamples:\n  attune collect atlas --tasks 500 --output demonstrations.jsonl\n  attune collect atlas files --policy runs/quickstart-1 --attempts 4\n",
    )
    .action(async (names: string[], { policy, output, json, seed, ...options }: Options) => {
      if (existsSync(output))
        throw new AttuneError("usage", `${output}: exists already; give another --output`);
      const environments = await resolveEnvironments(names);
      const tasks = environments.flatMap((environment) =>
        takeTasks({
          environments: [environment],
          split: "train",
          count: options.tasks,
          seed,
          whenUsedUp: "stop",
        }),
      );
      const trajectories = await playWith(policy, {
        environments,
        tasks,
        attempts: options.attempts,
        temperature: options.temperature,
        seed,
      });
      await appendTrajectories(output, trajectories);
      const rewarded = trajectories.flatMap(({ reward }) => reward ?? []);
      const meanReward = rewarded.reduce((total, reward) => total + reward, 0) / Math.max(1, rewarded.length);
      if (json)
        process.stdout.write(
          `${JSON.stringify({ trajectories: trajectories.length, meanReward, output })}\n`,
        );
      else
        process.stdout.write(
          `${trajectories.length} trajectories, mean reward ${meanReward.toFixed(2)}, in ${output}\n`,
        );
    });
}
