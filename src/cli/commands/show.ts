import { existsSync, readdirSync, statSync } from "node:fs";
import { join } from "node:path";
import { styleText } from "node:util";
import type { Command } from "commander";
import { loadRenderer } from "../../render/renderer.ts";
import { runLayout } from "../../run/layout.ts";
import { listRuns } from "../../run/run.ts";
import { AttuneError } from "../../spec/error.ts";
import type { Tokenizer } from "../../spec/tokenizer.ts";
import type { Trajectory } from "../../spec/trajectory.ts";
import { mainPath } from "../../trajectory/path.ts";
import { readTrajectories } from "../../trajectory/store.ts";
import { toTranscript } from "../../trajectory/view.ts";
import { positiveInteger } from "../options.ts";

type Options = {
  root: string;
  worst: boolean;
  best: boolean;
  environment?: string;
  limit: number;
  tokens: boolean;
  json: boolean;
};

export function addShow(program: Command): void {
  program
    .command("show <what>")
    .description(
      "read what an agent did: a run, a file of trajectories (FILE or FILE:LINE), or a trajectory's id",
    )
    .option("--root <directory>", "where runs are looked for", "runs")
    .option("--worst", "lowest reward first", false)
    .option("--best", "highest reward first", false)
    .option("--environment <name>", "only of this environment")
    .option("--limit <number>", "how many to show", positiveInteger, 1)
    .option("--tokens", "every token with its log-probability", false)
    .option("--json", "print one JSON object and nothing else", false)
    .addHelpText(
      "after",
      "\nExamples:\n  attune show runs/quickstart-1 --worst --environment atlas\n  attune show trajectories.jsonl:3 --tokens\n",
    )
    .action(async (what: string, options: Options) => {
      const { files, line, id, tokenizer } = locate(what, options.root);
      const chosen = await choose(files, { ...options, line, id });
      if (chosen.length === 0)
        throw new AttuneError(
          "usage",
          `${what}: no trajectory${options.environment ? ` of environment "${options.environment}"` : ""} found`,
        );
      if (options.json) {
        process.stdout.write(
          `${JSON.stringify({ trajectories: chosen.map((trajectory) => ({ ...trajectory, nodes: undefined, transcript: toTranscript(trajectory) })) })}\n`,
        );
        return;
      }
      for (const trajectory of chosen)
        process.stdout.write(`${draw(trajectory, options.tokens ? tokenizer : undefined).join("\n")}\n\n`);
    });
}

type Found = { files: string[]; line?: number; id?: string; tokenizer?: Tokenizer };

function locate(what: string, root: string): Found {
  const [, path, line] = /^(.*?)(?::(\d+))?$/.exec(what)!;
  if (existsSync(runLayout(what).manifest)) return ofRun(what);
  if (existsSync(path!) && statSync(path!).isFile())
    return { files: [path!], ...(line && { line: Number(line) }) };
  const runs = listRuns(root).map((name) => join(root, name));
  if (runs.length === 0)
    throw new AttuneError("usage", `${what}: not a run or a file, and there are no runs in ${root}`);
  return { ...ofRun(runs[0]!), files: runs.flatMap((run) => ofRun(run).files), id: what };
}

/** The last evaluation of a run first: that is what it can do now. */
function ofRun(run: string): Found {
  const { tokenizer } = runLayout(run);
  const folder = join(run, "trajectories");
  const files = existsSync(folder) ? readdirSync(folder).map((name) => join(folder, name)) : [];
  files.sort((a, b) => statSync(b).mtimeMs - statSync(a).mtimeMs);
  return { files, ...(existsSync(tokenizer) && { tokenizer: loadRenderer(tokenizer).tokenizer }) };
}

async function choose(
  files: readonly string[],
  options: Options & { line?: number | undefined; id?: string | undefined },
): Promise<Trajectory[]> {
  const found: Trajectory[] = [];
  const ranked = options.worst || options.best;
  for (const file of files) {
    let line = 0;
    for await (const trajectory of readTrajectories(file)) {
      line++;
      if (options.line !== undefined && line !== options.line) continue;
      if (options.id !== undefined && trajectory.id !== options.id && trajectory.group !== options.id)
        continue;
      if (options.environment !== undefined && trajectory.task.environment !== options.environment) continue;
      found.push(trajectory);
      if (!ranked && found.length === options.limit) return found;
    }
    // a run's newest file is the one that is meant
    if (found.length > 0 && options.id === undefined) break;
  }
  const reward = (trajectory: Trajectory) => trajectory.reward ?? Number.NEGATIVE_INFINITY;
  if (ranked) found.sort((a, b) => (options.worst ? reward(a) - reward(b) : reward(b) - reward(a)));
  return found.slice(0, options.limit);
}

function draw(trajectory: Trajectory, tokenizer: Tokenizer | undefined): string[] {
  const { id, task, status, reward, rewards, error } = trajectory;
  const components = Object.entries(rewards).map(([name, value]) => `${name} ${value?.toFixed(2) ?? "–"}`);
  const lines = [
    styleText("bold", `${task.environment}/${task.kind}  ${id}`),
    `${status}${error ? ` (${error})` : ""} · reward ${reward?.toFixed(2) ?? "none"} · ${components.join(" · ")}`,
    ...(task.answer === undefined ? [] : [styleText("gray", `expected: ${JSON.stringify(task.answer)}`)]),
    "",
  ];
  for (const { speaker, text, note } of toTranscript(trajectory)) {
    const name = styleText(speaker === "assistant" ? "cyan" : "gray", speaker.padEnd(10));
    lines.push(
      ...`${text}`.split("\n").map((part, index) => `${index === 0 ? name : " ".repeat(10)} ${part}`),
    );
    if (note) lines.push(`${" ".repeat(11)}${styleText("yellow", note)}`);
  }
  if (tokenizer) {
    lines.push("", styleText("gray", "token · log-probability · in the loss"));
    for (const node of mainPath(trajectory)) {
      for (const [index, token] of node.tokens.entries()) {
        const logprob = node.logprobs?.[index];
        lines.push(
          `${JSON.stringify(tokenizer.decode([token])).padEnd(18)} ${logprob === undefined ? "        " : logprob.toFixed(4).padStart(8)} ${node.mask ? "●" : ""}`,
        );
      }
    }
  }
  return lines;
}
