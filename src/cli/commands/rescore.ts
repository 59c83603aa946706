import { existsSync } from "node:fs";
import type { Command } from "commander";
import { mean } from "../../kit/statistics.ts";
import type { Environment } from "../../spec/environment.ts";
import { AttuneError } from "../../spec/error.ts";
import type { Trajectory } from "../../spec/trajectory.ts";
import { type Rescored, rescore } from "../../train/rescore.ts";
import { appendTrajectories } from "../../trajectory/store.ts";
import { findEnvironments, storedTrajectories } from "../stored.ts";

type Options = { output: string; json: boolean };

export function addRescore(program: Command): void {
  program
    .command("rescore <what> [environment...]")
    .description("give stored trajectories the rewards their environments would give them today")
    .option("--output <file>", "a JSONL file that does not exist yet", "rescored.jsonl")
    .option("--json", "print one JSON object and nothing else", false)
    .addHelpText(
      "after",
      "\nWHAT is a run or a file of trajectories. Environments that are not built in are given as files that export them.\nNo session is opened: rewards look at what is stored.\n\nExamples:\n  attune rescore trajectories.jsonl\n  attune rescore runs/shop-1 my-shop.ts --output rescored.jsonl\n",
    )
    .action(async (what: string, names: string[], { output, json }: Options) => {
      if (existsSync(output))
        throw new AttuneError("usage", `${output}: exists already; give another --output`);
      const environmentNamed = await findEnvironments(names);
      const before: number[] = [];
      const after: number[] = [];
      let trajectories = 0;
      let changed = 0;
      const problems = new Map<string, number>();
      for await (const stored of storedTrajectories(what)) {
        const rescored = await rescoreWith(environmentNamed(stored.task.environment), stored);
        trajectories++;
        if (rescored.before !== null) before.push(rescored.before);
        if (rescored.trajectory.reward !== null) after.push(rescored.trajectory.reward);
        if (rescored.trajectory.reward !== rescored.before) changed++;
        for (const problem of rescored.problems) problems.set(problem, (problems.get(problem) ?? 0) + 1);
        await appendTrajectories(output, [rescored.trajectory]);
      }
      if (trajectories === 0) throw new AttuneError("input", `${what}: there is no trajectory in it`);
      const summary = {
        trajectories,
        changed,
        meanReward: { before: mean(before), after: mean(after) },
        problems: Object.fromEntries(problems),
        output,
      };
      if (json) {
        process.stdout.write(`${JSON.stringify(summary)}\n`);
        return;
      }
      process.stdout.write(
        `${trajectories} trajectories, ${changed} with another reward; mean ${mean(before).toFixed(3)} → ${mean(after).toFixed(3)}, in ${output}\n`,
      );
      for (const [problem, times] of problems) process.stdout.write(`${times} × ${problem}\n`);
    });
}

/** Without its environment a trajectory is kept as it is. */
async function rescoreWith(environment: Environment | undefined, stored: Trajectory): Promise<Rescored> {
  if (environment) return rescore(stored, environment);
  const problem = `environment "${stored.task.environment}" was not given; the reward is left as it was`;
  return { trajectory: stored, before: stored.reward, problems: [problem] };
}
