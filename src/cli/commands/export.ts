import type { Command } from "commander";
import { carries, type Feature, features } from "../../data/format/carries.ts";
import type { ExportOptions } from "../../data/format/format.ts";
import { formatNamed, formats } from "../../data/format/formats.ts";
import { toJsonLines } from "../../data/format/json-lines.ts";
import { toPreference } from "../../data/format/preference.ts";
import { writeParts } from "../../data/format/write-parts.ts";
import { AttuneError } from "../../spec/error.ts";
import type { JsonObject } from "../../spec/json.ts";
import type { Trajectory } from "../../spec/trajectory.ts";
import { applyEdit, type Edit, readEdits } from "../../trajectory/edit.ts";
import { collect, positiveInteger } from "../options.ts";
import { storedTrajectories } from "../stored.ts";

type Options = {
  format: string;
  branches: string;
  without?: string[];
  callsAsText: boolean;
  shardRows?: number;
  edits?: string;
  minReward?: string;
  json: boolean;
};

/** Pairs come from edits alone, so they are no format of trajectories. */
const preference = "trl-preference";

export function addExport(program: Command): void {
  program
    .command("export <what> <output>")
    .description("write stored trajectories in a format that other trainers and tools read")
    .requiredOption("--format <name>", [...Object.keys(formats), preference].join(", "))
    .option("--branches <how>", "of a trajectory with several leaves: refuse, split or main", "refuse")
    .option("--without <feature>", "leave out what the format would refuse; may be repeated", collect)
    .option("--calls-as-text", "write tool calls as text, for formats without tools", false)
    .option("--shard-rows <count>", "rows of a shard, for hugging-face", positiveInteger)
    .option("--min-reward <reward>", "only trajectories that earned this much")
    .option("--edits <file>", "write the edits of this file instead of the trajectories")
    .option("--json", "print one JSON object and nothing else", false)
    .addHelpText(
      "after",
      "\nWHAT is a run, a store or a file of trajectories. Nothing is left out in silence: what a format cannot carry is\nrefused or counted (docs/formats.md has the table).\n\nExamples:\n  attune export runs/shop-1 shop.jsonl --format openai --min-reward 1\n  attune export runs/shop-1 shop --format hugging-face --branches split\n  attune export trajectories.jsonl pairs.jsonl --format trl-preference --edits trajectories.edits.jsonl\n",
    )
    .action(async (what: string, output: string, given: Options) => {
      const { json, format: name } = given;
      const told = new Map<Feature, number>();
      let trajectories = 0;
      const source = async function* () {
        for await (const trajectory of chosen(what, given)) {
          trajectories++;
          yield trajectory;
        }
      };
      const options: ExportOptions = {
        ...toExportOptions(given),
        tell: (feature) => told.set(feature, (told.get(feature) ?? 0) + 1),
      };
      let bytes: number;
      if (name === preference) {
        const counted = async function* () {
          for await (const pair of pairs(what, given.edits)) {
            trajectories++;
            yield pair;
          }
        };
        ({ bytes } = await writeParts(toJsonLines(counted()), { path: output, output: "file" }));
      } else {
        const format = formatNamed(name);
        ({ bytes } = await writeParts(format.write(source(), options), {
          path: output,
          output: format.output,
        }));
      }
      const summary = { trajectories, format: name, output, bytes, left: Object.fromEntries(told) };
      if (json) {
        process.stdout.write(`${JSON.stringify(summary)}\n`);
        return;
      }
      process.stdout.write(`${trajectories} trajectories as ${name} in ${output}, ${bytes} bytes\n`);
      for (const [feature, times] of told)
        process.stdout.write(`left out of ${times}: ${features[feature]}\n`);
    });
}

function toExportOptions({ branches, without = [], callsAsText, shardRows }: Options): ExportOptions {
  if (branches !== "refuse" && branches !== "split" && branches !== "main")
    throw new AttuneError("usage", `--branches: expected refuse, split or main, got "${branches}"`);
  const unknown = without.find((feature) => !Object.hasOwn(features, feature));
  if (unknown !== undefined)
    throw new AttuneError(
      "usage",
      `--without: expected one of ${Object.keys(carries.openai).join(", ")}, got "${unknown}"`,
    );
  return { branches, without: without as Feature[], callsAsText, ...(shardRows && { shardRows }) };
}

/** What is to be written: the trajectories, or what their edits make of them. */
async function* chosen(what: string, { edits, minReward }: Options): AsyncGenerator<Trajectory> {
  const least = minReward === undefined ? undefined : Number(minReward);
  if (least !== undefined && Number.isNaN(least))
    throw new AttuneError("usage", `--min-reward: expected a number, got "${minReward}"`);
  if (edits !== undefined) {
    for await (const { trajectory, edit } of edited(what, edits)) yield applyEdit(trajectory, edit);
    return;
  }
  for await (const trajectory of storedTrajectories(what))
    if (least === undefined || (trajectory.reward !== null && trajectory.reward >= least)) yield trajectory;
}

async function* pairs(what: string, edits: string | undefined): AsyncGenerator<JsonObject> {
  if (edits === undefined)
    throw new AttuneError("usage", `--format ${preference}: expected --edits, got none`);
  for await (const { trajectory, edit } of edited(what, edits)) yield toPreference(trajectory, edit);
}

/** Edits with their trajectories; of several edits of one message the last counts. */
async function* edited(what: string, path: string): AsyncGenerator<{ trajectory: Trajectory; edit: Edit }> {
  const open = new Map<string, Map<number, Edit>>();
  for await (const edit of readEdits(path)) {
    const own = open.get(edit.trajectory) ?? new Map<number, Edit>();
    open.set(edit.trajectory, own.set(edit.node, edit));
  }
  for await (const trajectory of storedTrajectories(what)) {
    for (const edit of open.get(trajectory.id)?.values() ?? []) yield { trajectory, edit };
    open.delete(trajectory.id);
  }
  const [missing] = open.keys();
  if (missing !== undefined)
    throw new AttuneError("input", `${path}: an edit of trajectory ${missing}, which is not in ${what}`);
}
