import type { Command } from "commander";
import { describeRedis } from "../../queue/redis.ts";
import { startWorker, type WorkerEvent } from "../../queue/worker.ts";
import { AttuneError } from "../../spec/error.ts";
import { resolveRun } from "../../train/define-run.ts";
import { environmentsOf } from "../../train/gate.ts";
import { grade } from "../../train/grade.ts";
import { loadConfig } from "../load-config.ts";
import { positiveInteger } from "../options.ts";

type Options = { redis: string; queue?: string; concurrency: number; lease: number; quiet: boolean };

export function addWorker(program: Command): void {
  program
    .command("worker <config>")
    .description("play episodes for a run that trains elsewhere with --workers")
    .requiredOption("--redis <url>", "the Redis that the run was given")
    .option("--queue <name>", "the run's queue, when it is not named after its config")
    .option("--concurrency <number>", "episodes played at the same time", positiveInteger, 8)
    .option(
      "--lease <seconds>",
      "how long a silent worker keeps its episodes before others get them",
      positiveInteger,
      15,
    )
    .option("--quiet", "say nothing of single episodes", false)
    .addHelpText(
      "after",
      "\nStart as many as you like, on any host that reaches Redis and the trainer; kill them whenever you like. Ctrl-C\nfinishes the episodes under way, a second one hands them to the other workers.\n\nExamples:\n  attune worker atlas.config.ts --redis redis://127.0.0.1:6379\n  attune train atlas.config.ts --workers redis://127.0.0.1:6379\n",
    )
    .action(async (path: string, options: Options) => {
      const config = resolveRun(await loadConfig(path));
      const { renderer } = config.trainer;
      if (!renderer)
        throw new AttuneError(
          "usage",
          `${path}: trainer "${config.trainer.name}" has no \`renderer\` for other processes, which workers need`,
        );
      const name = options.queue ?? config.name;
      const say = (line: string) => process.stderr.write(`${line}\n`);
      const worker = await startWorker({
        redis: options.redis,
        queue: name,
        environments: environmentsOf(config),
        grade,
        renderer,
        slots: options.concurrency,
        leaseMs: options.lease * 1000,
        onEvent(event) {
          if (event.type !== "played" || !options.quiet) say(describe(event));
        },
      });
      say(
        `worker ${worker.id} plays for "${name}" at ${describeRedis(options.redis)}, ${options.concurrency} episodes at a time; Ctrl-C stops`,
      );
      let signals = 0;
      await new Promise<void>((resolve, reject) => {
        const onSignal = () => {
          signals++;
          if (signals === 1) say("finishing the episodes under way… (again to hand them to other workers)");
          if (signals <= 2) worker.close({ now: signals === 2 }).then(resolve, reject);
        };
        process.on("SIGINT", onSignal);
        process.on("SIGTERM", onSignal);
      });
      // an episode that was handed back may not have heard of it
      process.exit(0);
    });
}

function describe(event: WorkerEvent): string {
  if (event.type !== "played") return `${event.type}: ${event.reason}`;
  const { id, status, reward, seconds } = event;
  return `${id}: ${status}, reward ${reward === null ? "none" : reward.toFixed(2)}, ${seconds.toFixed(1)} s`;
}
