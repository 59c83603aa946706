import type { RunConfig } from "../train/define-run.ts";
import type { RunSummary } from "../train/event.ts";
import { train } from "../train/train.ts";
import { createProgressDisplay } from "./display/progress.ts";
import { drawReports } from "./display/report.ts";
import { ExitError } from "./errors.ts";
import { version } from "./version.ts";

export type WatchOptions = {
  root: string;
  resume?: string;
  json: boolean;
  /** Train even if an environment fails its health check. */
  force?: boolean;
  invocation: string;
  resumeCommand(directory: string): string;
};

/**
 * Trains a config while showing how it goes. The first Ctrl-C stops between steps, leaves a checkpoint and says how
 * to go on; the second ends the process.
 */
export async function trainWatched(config: RunConfig, options: WatchOptions): Promise<RunSummary> {
  const { json, root, resume, force = false } = options;
  const stream = json ? process.stderr : process.stdout;
  const live = !json && process.stdout.isTTY === true && !process.env["CI"];
  const display = createProgressDisplay({ stream: live ? process.stdout : process.stderr, live });
  const controller = new AbortController();
  let directory = resume;
  const onSignal = () => {
    if (controller.signal.aborted) process.exit(130);
    stream.write("\nStopping after this step… (again to stop at once)\n");
    controller.abort();
  };
  process.on("SIGINT", onSignal);
  process.on("SIGTERM", onSignal);
  try {
    const summary = await train(config, {
      root,
      ...(resume !== undefined && { resume }),
      force,
      signal: controller.signal,
      now: () => new Date(),
      version,
      onEvent(event) {
        if (event.type === "run-start") directory = event.directory;
        display.onEvent(event);
      },
    });
    display.stop();
    if (json) process.stdout.write(`${JSON.stringify(summary)}\n`);
    else process.stdout.write(`\n${drawReports(display.reports()).join("\n")}\n`);
    return summary;
  } catch (error) {
    display.stop();
    if (!controller.signal.aborted) throw error;
    const next =
      directory === undefined ? "Nothing was begun." : `Resume with: ${options.resumeCommand(directory)}`;
    process.stderr.write(`Stopped. ${next}\n`);
    throw new ExitError(130);
  } finally {
    process.off("SIGINT", onSignal);
    process.off("SIGTERM", onSignal);
  }
}
