import { styleText } from "node:util";
import type { Command } from "commander";
import { checkEnvironment, type HealthReport, type Play } from "../../environment/health.ts";
import { gym } from "../../gym/index.ts";
import { playWithPlayer } from "../../rollout/player.ts";
import type { Environment } from "../../spec/environment.ts";
import { AttuneError } from "../../spec/error.ts";
import { grade } from "../../train/grade.ts";
import { percent } from "../display/format.ts";
import { drawTable } from "../display/table.ts";
import { ExitError } from "../errors.ts";
import { resolveEnvironments } from "../load-config.ts";
import { nonNegativeInteger, positiveInteger } from "../options.ts";

const play: Play = ({ environment, task, player, seed }) =>
  playWithPlayer({
    environment,
    request: { task, step: 0, group: `check-${task.id}`, sample: 0, seed, sampling: { temperature: 0 } },
    player,
    playerName: "check",
    grade,
  });

export function addCheck(program: Command): void {
  program
    .command("check [environment...]")
    .description("is the world healthy, and does its reward mean what you think?")
    .option("--all", "every built-in environment", false)
    .option("--tasks <number>", "tasks each player plays", positiveInteger, 50)
    .option("--seed <number>", "seed of tasks and players", nonNegativeInteger, 0)
    .option("--json", "print one JSON object per environment and nothing else", false)
    .addHelpText(
      "after",
      "\nExamples:\n  attune check calculator\n  attune check my.config.ts --tasks 200\n  attune check --all --json\n",
    )
    .action(
      async (
        names: string[],
        { all, tasks, seed, json }: { all: boolean; tasks: number; seed: number; json: boolean },
      ) => {
        if (names.length === 0 && !all)
          throw new AttuneError(
            "usage",
            `check: name an environment or a config file, or use --all; built in are ${Object.keys(gym).join(", ")}`,
          );
        const environments = await resolveEnvironments(all ? Object.keys(gym) : names);
        let ok = true;
        for (const environment of environments) {
          const report = await checkEnvironment(environment, { play, tasks, seed });
          ok &&= report.ok;
          process.stdout.write(json ? `${JSON.stringify(report)}\n` : `${draw(report).join("\n")}\n\n`);
        }
        if (!ok) throw new ExitError(1);
      },
    );
}

/** Refuses to train on a sick environment. */
export async function requireHealthy(environments: readonly Environment[]): Promise<void> {
  for (const environment of environments) {
    const { ok, findings } = await checkEnvironment(environment, { play, tasks: 20 });
    if (!ok)
      throw new AttuneError(
        "environment",
        `environment "${environment.name}" is not healthy: ${findings[0]} (attune check tells more; --force trains all the same)`,
      );
  }
}

function draw({ environment, ok, findings, rewards, tools, sessions }: HealthReport): string[] {
  const verdict = ok ? styleText("green", "healthy") : styleText("red", "not healthy");
  const rewardRows = Object.entries(rewards).map(([name, reward]) => [name, reward.toFixed(3)]);
  const toolRows = Object.entries(tools).map(([name, { calls, failures, latencyMs }]) => [
    name,
    String(calls),
    percent(failures.invalid_arguments / calls),
    percent(failures.tool_error / calls),
    percent(failures.timeout / calls),
    percent(failures.infrastructure / calls),
    `${latencyMs.p50.toFixed(1)} ms`,
    `${latencyMs.p99.toFixed(1)} ms`,
  ]);
  return [
    `${styleText("bold", environment)}: ${verdict}`,
    ...findings.map((finding) => `  ${styleText("red", "✗")} ${finding}`),
    ...drawTable(["player", "mean reward"], rewardRows),
    ...(toolRows.length > 0
      ? [
          "",
          ...drawTable(
            ["tool", "calls", "bad arguments", "errors", "timeouts", "broken", "p50", "p99"],
            toolRows,
          ),
        ]
      : []),
    "",
    `${sessions.opened} sessions opened, ${sessions.closed} closed`,
  ];
}
