import type { Command } from "commander";
import { queue } from "../../queue/queue.ts";
import { describeRedis } from "../../queue/redis.ts";
import { readManifest } from "../../run/run.ts";
import { AttuneError } from "../../spec/error.ts";
import type { RunConfig } from "../../train/define-run.ts";
import { loadConfig } from "../load-config.ts";
import { nonNegativeInteger } from "../options.ts";
import { invocation } from "../version.ts";
import { trainWatched } from "../watch.ts";

type Options = {
  seed?: number;
  root: string;
  resume?: string;
  workers?: string;
  policyHost?: string;
  policyPort?: number;
  force: boolean;
  json: boolean;
};

export function addTrain(program: Command): void {
  const add = (name: string, description: string, change: (config: RunConfig) => RunConfig) =>
    program
      .command(`${name} <config>`)
      .description(description)
      .option("--seed <number>", "another seed than the config's", nonNegativeInteger)
      .option("--root <directory>", "where run directories are made", "runs")
      .option("--resume <directory>", "go on with a run that was stopped")
      .option("--workers <url>", "have episodes played by `attune worker` processes, through this Redis")
      .option("--policy-host <address>", "this machine's address for workers on other machines")
      .option("--policy-port <number>", "the port there, a free one when absent", nonNegativeInteger)
      .option("--force", "train even if an environment fails its health check", false)
      .option("--json", "print the summary as one JSON object and nothing else", false)
      .addHelpText(
        "after",
        `\nExamples:\n  attune ${name} atlas.config.ts\n  attune ${name} atlas.config.ts --resume runs/atlas-1\n  attune ${name} atlas.config.ts --workers redis://127.0.0.1:6379\n`,
      )
      .action(async (path: string, options: Options) => {
        const { root, resume, json, force } = options;
        const config = playedBy(options, change(await loadConfig(path)));
        const seed = resume === undefined ? options.seed : readManifest(resume).seed;
        const summary = await trainWatched(seed === undefined ? config : { ...config, seed }, {
          root,
          ...(resume !== undefined && { resume }),
          json,
          force,
          invocation,
          resumeCommand: (directory) =>
            `${invocation} ${name} ${path} --resume ${directory}${workersAgain(options)}`,
        });
        if (!json)
          process.stdout.write(
            `\nThe run is in ${summary.run}. Look at it: ${invocation} show ${summary.run} --worst\n`,
          );
      });

  add("train", "run every stage of a config", (config) => config);
  add("sft", "run the supervised stages of a config", (config) => {
    const stages = config.stages.filter((stage) => "sft" in stage);
    if (stages.length === 0) throw new AttuneError("usage", `run "${config.name}" has no supervised stage`);
    return { ...config, stages };
  });
}

function playedBy({ workers, policyHost, policyPort }: Options, config: RunConfig): RunConfig {
  if (workers === undefined) {
    if (policyHost !== undefined || policyPort !== undefined)
      throw new AttuneError("usage", "--policy-host and --policy-port are of --workers, which is not there");
    return config;
  }
  const rollouts = queue({
    redis: workers,
    ...(policyHost !== undefined && { host: policyHost }),
    ...(policyPort !== undefined && { port: policyPort }),
  });
  return { ...config, rollouts };
}

/** The same workers for a run that goes on; a password is not repeated. */
function workersAgain({ workers, policyHost, policyPort }: Options): string {
  if (workers === undefined) return "";
  const host = policyHost === undefined ? "" : ` --policy-host ${policyHost}`;
  const port = policyPort === undefined ? "" : ` --policy-port ${policyPort}`;
  return ` --workers ${describeRedis(workers)}${host}${port}`;
}
