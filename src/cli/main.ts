#!/usr/bin/env node
import { Command } from "commander";
import { addCheck } from "./commands/check.ts";
import { addCollect } from "./commands/collect.ts";
import { addEdit } from "./commands/edit.ts";
import { addEval } from "./commands/eval.ts";
import { addExport } from "./commands/export.ts";
import { addGateway } from "./commands/gateway.ts";
import { addImport } from "./commands/import.ts";
import { addQuickstart } from "./commands/quickstart.ts";
import { addReflexion } from "./commands/reflexion.ts";
import { addReplay } from "./commands/replay.ts";
import { addRescore } from "./commands/rescore.ts";
import { addRuns } from "./commands/runs.ts";
import { addShow } from "./commands/show.ts";
import { addTrain } from "./commands/train.ts";
import { addWorker } from "./commands/worker.ts";
import { describeError, exitCodeOf } from "./errors.ts";
import { version } from "./version.ts";

const program = new Command("attune")
  .description("Tune LLM agents: environments, exact trajectories, rewards, SFT and RL, evaluation.")
  .version(version)
  .option("--verbose", "show where an error came from")
  .showHelpAfterError("(--help tells more)")
  .showSuggestionAfterError()
  .exitOverride();

for (const add of [
  addQuickstart,
  addTrain,
  addWorker,
  addCollect,
  addReflexion,
  addGateway,
  addEval,
  addShow,
  addRescore,
  addReplay,
  addExport,
  addImport,
  addEdit,
  addCheck,
  addRuns,
])
  add(program);
for (const command of program.commands)
  command.option("--verbose", "show where an error came from").exitOverride();

// a reader that has seen enough (`attune show … | head`) is no error
process.stdout.on("error", (error: NodeJS.ErrnoException) => process.exit(error.code === "EPIPE" ? 0 : 1));

try {
  await program.parseAsync();
} catch (error) {
  const line = describeError(error);
  if (line !== undefined) process.stderr.write(`${line}\n`);
  if (line !== undefined && process.argv.includes("--verbose"))
    process.stderr.write(`${(error as Error).stack}\n`);
  process.exitCode = exitCodeOf(error);
}
