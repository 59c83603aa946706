import { existsSync, statSync } from "node:fs";
import { join } from "node:path";
import { styleText } from "node:util";
import type { Command } from "commander";
import { loadRenderer } from "../../render/renderer.ts";
import { runLayout } from "../../run/layout.ts";
import { listRuns } from "../../run/run.ts";
import { AttuneError } from "../../spec/error.ts";
import type { Tokenizer } from "../../spec/tokenizer.ts";
import type { Trajectory } from "../../spec/trajectory.ts";
import { openStore } from "../../trajectory/directory-store.ts";
import { mainPath } from "../../trajectory/path.ts";
import { isStore, listSegments } from "../../trajectory/segment.ts";
import type { StoredHeading } from "../../trajectory/segment-index.ts";
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
      "read what an agent did: a run, a store or file of trajectories (FILE or FILE:LINE), or a trajectory's id",
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
      const found = locate(what, options.root);
      const chosen = await choose(found, options);
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
        process.stdout.write(
          `${draw(trajectory, options.tokens ? found.tokenizer : undefined).join("\n")}\n\n`,
        );
    });
}

/** Where to look: a file, or stores, the newest first. */
type Found = { file?: string; line?: number; stores: string[]; id?: string; tokenizer?: Tokenizer };

function locate(what: string, root: string): Found {
  const [, path, line] = /^(.*?)(?::(\d+))?$/.exec(what)!;
  if (existsSync(runLayout(what).manifest)) return ofRun(what);
  if (existsSync(path!) && statSync(path!).isFile())
    return { file: path!, stores: [], ...(line && { line: Number(line) }) };
  if (isStore(what)) return { stores: [what] };
  const runs = listRuns(root).map((name) => join(root, name));
  if (runs.length === 0)
    throw new AttuneError("usage", `${what}: not a run or a file, and there are no runs in ${root}`);
  return { ...ofRun(runs[0]!), stores: runs.flatMap((run) => ofRun(run).stores), id: what };
}

function ofRun(run: string): Found {
  const { tokenizer, trajectories } = runLayout(run);
  return {
    stores: [trajectories],
    ...(existsSync(tokenizer) && { tokenizer: loadRenderer(tokenizer).tokenizer }),
  };
}

async function choose({ file, line, stores, id }: Found, options: Options): Promise<Trajectory[]> {
  if (file !== undefined) return chooseFromFile(file, { ...options, line });
  const found: Trajectory[] = [];
  for (const folder of stores) {
    found.push(...(await chooseFromStore(folder, id, options)));
    if (found.length > 0 && (id === undefined || found.length >= options.limit)) break;
  }
  return best(found, options);
}

/** The last evaluation of a run first: that is what it can do now. */
async function chooseFromStore(
  folder: string,
  id: string | undefined,
  options: Options,
): Promise<Trajectory[]> {
  const store = openStore(folder);
  const { environment, limit } = options;
  for (const series of newestSeries(folder)) {
    let headings: StoredHeading[] = [];
    for await (const heading of store.scan({ series, ...(environment !== undefined && { environment }) })) {
      if (id !== undefined && heading.id !== id && heading.group !== id) continue;
      headings.push(heading);
      if (headings.length === limit && !options.worst && !options.best) break;
      if (headings.length > 1000 + limit) headings = best(headings, options);
    }
    if (headings.length > 0)
      return Promise.all(best(headings, options).map((heading) => store.read(heading)));
  }
  return [];
}

function newestSeries(folder: string): string[] {
  const segments = listSegments(folder).map(({ series, lines }) => ({ series, at: statSync(lines).mtimeMs }));
  segments.sort((a, b) => b.at - a.at);
  return [...new Set(segments.map(({ series }) => series))];
}

async function chooseFromFile(
  file: string,
  options: Options & { line?: number | undefined },
): Promise<Trajectory[]> {
  const found: Trajectory[] = [];
  let line = 0;
  for await (const trajectory of readTrajectories(file)) {
    line++;
    if (options.line !== undefined && line !== options.line) continue;
    if (options.environment !== undefined && trajectory.task.environment !== options.environment) continue;
    found.push(trajectory);
    if (found.length === options.limit && !options.worst && !options.best) break;
  }
  return best(found, options);
}

/** The first so many, ranked by reward where that is asked for. */
function best<Rewarded extends { reward: number | null }>(
  found: readonly Rewarded[],
  { worst, best: highest, limit }: Options,
): Rewarded[] {
  const reward = (each: Rewarded) => each.reward ?? Number.NEGATIVE_INFINITY;
  const ranked = [...found];
  if (worst || highest) ranked.sort((a, b) => (worst ? reward(a) - reward(b) : reward(b) - reward(a)));
  return ranked.slice(0, limit);
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
