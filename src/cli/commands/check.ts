import { styleText } from "node:util";
import type { Command } from "commander";
import { type FaultRates, faults, parseFaultRates } from "../../environment/faults.ts";
import { checkEnvironment } from "../../environment/health.ts";
import type { HealthReport } from "../../environment/health-report.ts";
import { gym } from "../../gym/index.ts";
import type { Environment } from "../../spec/environment.ts";
import { AttuneError } from "../../spec/error.ts";
import { checkPlay } from "../../train/gate.ts";
import { percent } from "../display/format.ts";
import { drawTable } from "../display/table.ts";
import { ExitError } from "../errors.ts";
import { resolveEnvironments } from "../load-config.ts";
import { nonNegativeInteger, nonNegativeNumber, positiveInteger } from "../options.ts";

type Options = {
  all: boolean;
  tasks: number;
  seed: number;
  concurrency: number;
  failures: number;
  p99?: number;
  timeout: number;
  faults?: Partial<FaultRates>;
  json: boolean;
};

/** What is printed of an environment that could not even be made. */
type Unloadable = { environment: string; ok: false; findings: string[] };

export function addCheck(program: Command): void {
  program
    .command("check [environment...]")
    .description("is the world healthy, and does its reward mean what you think?")
    .option("--all", "every built-in environment", false)
    .option("--tasks <number>", "tasks each player plays", positiveInteger, 50)
    .option("--seed <number>", "seed of tasks, players and faults", nonNegativeInteger, 0)
    .option("--concurrency <number>", "sessions open at once in the load test", positiveInteger, 64)
    .option(
      "--failures <share>",
      "share of calls and episodes that the world may fail",
      nonNegativeNumber,
      0.01,
    )
    .option("--p99 <milliseconds>", "what a hundredth of a tool's calls may exceed", nonNegativeNumber)
    .option(
      "--timeout <seconds>",
      "after which an episode counts as one that never ends",
      nonNegativeNumber,
      30,
    )
    .option(
      "--faults <rates>",
      "let faults loose on it: fail=0.1,delay=0.1,hang=0.05,crash=0.05,garbage=0.05",
      parseFaultRates,
    )
    .option("--json", "print one JSON object per environment and nothing else", false)
    .addHelpText(
      "after",
      "\nExits with 1 when a threshold is passed.\n\nExamples:\n  attune check calculator\n  attune check my.config.ts --tasks 200 --concurrency 500\n  attune check calculator --faults fail=0.3\n  attune check --all --json\n",
    )
    .action(async (names: string[], options: Options) => {
      const { all, json } = options;
      if (names.length === 0 && !all)
        throw new AttuneError(
          "usage",
          `check: name an environment or a config file, or use --all; built in are ${Object.keys(gym).join(", ")}`,
        );
      let ok = true;
      const print = (report: HealthReport | Unloadable) => {
        ok &&= report.ok;
        process.stdout.write(json ? `${JSON.stringify(report)}\n` : `${draw(report).join("\n")}\n\n`);
      };
      if (!all)
        for (const environment of await resolveEnvironments(names)) print(await check(environment, options));
      else for (const name of Object.keys(gym)) print(await checkNamed(name, options));
      if (!ok) throw new ExitError(1);
    });
}

async function check(environment: Environment, options: Options): Promise<HealthReport> {
  const { tasks, seed, concurrency, failures, p99, timeout, faults: rates } = options;
  return checkEnvironment(rates ? faults(environment, { seed, rates }) : environment, {
    play: checkPlay,
    tasks,
    seed,
    concurrency,
    infrastructureFailures: failures,
    ...(p99 !== undefined && { toolP99Ms: p99 }),
    episodeTimeoutMs: Math.max(1, Math.ceil(timeout * 1000)),
    // a call that was made to hang is not worth waiting for
    ...(rates?.hang && { toolTimeoutMs: 500 }),
  });
}

/** One of many: what is wrong with it keeps nobody from looking at the next. */
async function checkNamed(name: string, options: Options): Promise<HealthReport | Unloadable> {
  try {
    const [environment] = await resolveEnvironments([name]);
    return await check(environment!, options);
  } catch (error) {
    const [line] = String((error as Error).message).split("\n", 1);
    return { environment: name, ok: false, findings: [line!] };
  }
}

function draw(report: HealthReport | Unloadable): string[] {
  const { environment, ok, findings } = report;
  const verdict = ok ? styleText("green", "healthy") : styleText("red", "not healthy");
  const lines = [
    `${styleText("bold", environment)}: ${verdict}`,
    ...findings.map((finding) => `  ${styleText("red", "✗")} ${finding}`),
  ];
  return "rewards" in report ? [...lines, ...drawDetails(report)] : lines;
}

function drawDetails({ rewards, tools, unusedTools, load, sessions, retries }: HealthReport): string[] {
  const milliseconds = (value: number) => `${value.toFixed(1)} ms`;
  const rewardRows = Object.entries(rewards).map(([name, reward]) => [name, reward.toFixed(3)]);
  const toolRows = Object.entries(tools).map(([name, row]) => [
    name,
    String(row.calls),
    percent(row.success),
    percent(row.failureRatio.invalid_arguments),
    percent(row.failureRatio.tool_error),
    percent(row.failureRatio.timeout),
    percent(row.failureRatio.infrastructure),
    ...[row.latencyMs.p50, row.latencyMs.p95, row.latencyMs.p99].map(milliseconds),
    String(row.retries),
    String(row.leakedSessions),
  ]);
  const header = ["tool", "calls", "success", "bad arguments", "errors", "timeouts", "broken"];
  return [
    ...(rewardRows.length > 0 ? drawTable(["player", "mean reward"], rewardRows) : []),
    ...(toolRows.length > 0
      ? ["", ...drawTable([...header, "p50", "p95", "p99", "retries", "leaks"], toolRows)]
      : []),
    "",
    ...(unusedTools.length > 0 ? [`never called: ${unusedTools.join(", ")}`] : []),
    ...(load
      ? [
          `${load.openAtOnce} sessions open at once: ${load.broken} of ${load.episodes} episodes broke, ${load.episodesPerSecond.toFixed(0)} episodes/s, start ${milliseconds(load.startMs.p50)} (p50), ${milliseconds(load.startMs.p99)} (p99)`,
        ]
      : []),
    `${sessions.opened} sessions opened, ${sessions.closed} closed${retries > 0 ? `; ${retries} episodes played again` : ""}`,
  ];
}
