import { existsSync, renameSync, rmSync } from "node:fs";
import { basename, dirname, join } from "node:path";
import type { Command } from "commander";
import { formatNamed, formats } from "../../data/format/formats.ts";
import { AttuneError } from "../../spec/error.ts";
import type { Trajectory } from "../../spec/trajectory.ts";
import { appendTrajectories } from "../../trajectory/store.ts";

export function addImport(program: Command): void {
  program
    .command("import <file> <output>")
    .description("read trajectories that others wrote into a JSONL file of trajectories")
    .requiredOption("--format <name>", Object.keys(formats).join(", "))
    .option("--json", "print one JSON object and nothing else", false)
    .addHelpText(
      "after",
      "\nFILE is a folder where the format has several files. What is wrong is named by file, line and field, and nothing\nis written then.\n\nExamples:\n  attune import chats.jsonl chats.trajectories.jsonl --format openai\n  attune import traces/ traces.jsonl --format atif\n",
    )
    .action(async (file: string, output: string, { format, json }: { format: string; json: boolean }) => {
      if (existsSync(output)) throw new AttuneError("usage", `${output}: exists already; give another place`);
      const warnings: string[] = [];
      const read = formatNamed(format).read(file, { warn: (message) => warnings.push(message) });
      const trajectories = await store(read, output);
      if (json) process.stdout.write(`${JSON.stringify({ trajectories, output, warnings })}\n`);
      else process.stdout.write(`${trajectories} trajectories of ${file} in ${output}\n`);
      for (const warning of warnings) process.stderr.write(`${warning}\n`);
    });
}

/** All of them or none: beside their place first, then renamed. */
async function store(read: AsyncIterable<Trajectory>, output: string): Promise<number> {
  const together = 64;
  const temporary = join(dirname(output), `.${basename(output)}.${process.pid}.part`);
  let batch: Trajectory[] = [];
  let count = 0;
  try {
    for await (const trajectory of read) {
      count++;
      batch.push(trajectory);
      if (batch.length < together) continue;
      await appendTrajectories(temporary, batch);
      batch = [];
    }
    await appendTrajectories(temporary, batch);
    if (count === 0) throw new AttuneError("input", "expected trajectories to import, got none");
    renameSync(temporary, output);
    return count;
  } catch (error) {
    rmSync(temporary, { force: true });
    throw error;
  }
}
