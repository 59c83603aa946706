import { existsSync, readdirSync, statSync } from "node:fs";
import { join } from "node:path";
import type { Split } from "../../spec/environment.ts";
import { AttuneError } from "../../spec/error.ts";
import type { Trajectory } from "../../spec/trajectory.ts";
import { type Branch, toBranches } from "./branch.ts";
import { readChatMessages, toFunction } from "./chat.ts";
import type { Format, Part } from "./format.ts";
import { readTools, toTrajectory } from "./imported.ts";
import { readRows } from "./json-lines.ts";
import { messageColumns, toColumnMessage } from "./message-columns.ts";
import {
  createParquetEncoder,
  double,
  float,
  int32,
  list,
  type RowWriter,
  readParquetRows,
  text,
} from "./parquet.ts";
import { type Fields, isObject, type Spot, within } from "./spot.ts";

const columns = [
  text("id"),
  text("environment"),
  text("kind"),
  text("task"),
  text("input"),
  text("answer"),
  text("status"),
  double("reward"),
  text("rewards"),
  text("tools"),
  messageColumns("messages"),
  list("token_ids", int32),
  list("loss_mask", int32),
  list("logprobs", float),
];

/**
 * A folder as the Hugging Face Hub holds data sets: Parquet shards by split under `data/`, and a card whose front
 * matter names them. `token_ids`, `loss_mask` and `logprobs` stand side by side; null where tokens are not known.
 */
export const huggingFace: Format = {
  name: "hugging-face",
  about: "Hugging Face data set folder: card and Parquet shards",
  output: "folder",
  async *write(trajectories, options = {}) {
    const { shardRows = 50_000 } = options;
    const shards = new Map<Split, { number: number; rows: number; encoder: RowWriter }>();
    const counts = new Map<Split, number>();
    const nameOf = (split: Split, number: number) =>
      `data/${split}-${String(number).padStart(5, "0")}.parquet`;
    for await (const branch of toBranches(trajectories, "hugging-face", options)) {
      const { split } = branch.trajectory.task;
      const shard = shards.get(split) ?? { number: 0, rows: 0, encoder: createParquetEncoder(columns) };
      shards.set(split, shard);
      const file = nameOf(split, shard.number);
      for (const bytes of shard.encoder.add(toRow(branch))) yield { file, bytes };
      counts.set(split, (counts.get(split) ?? 0) + 1);
      if (++shard.rows < shardRows) continue;
      for (const bytes of shard.encoder.end()) yield { file, bytes };
      shards.set(split, { number: shard.number + 1, rows: 0, encoder: createParquetEncoder(columns) });
    }
    for (const [split, { number, rows, encoder }] of shards) {
      if (rows === 0) continue;
      for (const bytes of encoder.end()) yield { file: nameOf(split, number), bytes } satisfies Part;
    }
    yield { file: "README.md", bytes: Buffer.from(cardOf(counts)) };
  },
  async *read(path) {
    for (const file of dataFiles(path)) {
      const rows = file.endsWith(".parquet") ? readParquetRows(file) : readRows(file);
      for await (const { row, spot } of rows) yield fromRow(row, spot);
    }
  },
};

function toRow({ trajectory, number, of, path, said, tools }: Branch): Fields {
  const { id, task, status, reward, rewards } = trajectory;
  const learned = new Set(said.filter(({ learn }) => learn).map(({ node }) => node));
  const known =
    path.every(({ gap }) => !gap?.includes("tokens")) && path.some(({ tokens }) => tokens.length > 0);
  return {
    id: of > 1 ? `${id}#${number}` : id,
    environment: task.environment,
    kind: task.kind,
    task: task.id,
    input: JSON.stringify(task.input),
    answer: task.answer === undefined ? null : JSON.stringify(task.answer),
    status,
    reward,
    rewards: JSON.stringify(rewards),
    tools: tools.length > 0 ? JSON.stringify(tools.map(toFunction)) : null,
    messages: said.map(toColumnMessage),
    ...(known && {
      token_ids: path.flatMap(({ tokens }) => [...tokens]),
      loss_mask: path.flatMap((node) => Array.from(node.tokens, () => (learned.has(node) ? 1 : 0))),
      logprobs: path.flatMap(({ tokens, logprobs }) => Array.from(tokens, (_, at) => logprobs?.[at] ?? null)),
    }),
  };
}

function cardOf(counts: ReadonlyMap<Split, number>): string {
  const splits = [...counts].sort(([left], [right]) => (left < right ? 1 : -1));
  const files = splits.map(([split]) => `      - split: ${split}\n        path: data/${split}-*.parquet\n`);
  const configs =
    files.length > 0 ? `configs:\n  - config_name: default\n    data_files:\n${files.join("")}` : "";
  const sizes = splits.map(([split, rows]) => `| ${split} | ${rows} |\n`).join("");
  return `---\ntags:\n  - agent-traces\n  - tool-use\n${configs}---\n\n# Agent trajectories\n\nWritten by Attune. Each row is one path of an episode: \`messages\` in the form of OpenAI's chat (\`learn\` says of each turn whether a loss may look at it), \`tools\`, \`rewards\`, \`task\`, \`input\` and \`answer\` as JSON, and \`token_ids\` with \`loss_mask\` and \`logprobs\` of the same length where the tokens are known.\n\n| split | rows |\n| --- | --- |\n${sizes}`;
}

/** Data files of a folder in the order of their names, those of `data/` first; a file stands for itself. */
function dataFiles(path: string): string[] {
  if (!existsSync(path)) throw new AttuneError("input", `${path}: there is no such folder`);
  if (!statSync(path).isDirectory()) return [path];
  const found = ["data", "."].flatMap((folder) => {
    const inside = join(path, folder);
    if (!existsSync(inside)) return [];
    return readdirSync(inside)
      .filter((name) => /\.(parquet|jsonl)$/.test(name))
      .sort()
      .map((name) => join(inside, name));
  });
  if (found.length > 0) return found;
  throw new AttuneError(
    "input",
    `${path}: expected .parquet or .jsonl files in it or in its data folder, got none`,
  );
}

function fromRow(row: Fields, spot: Spot): Trajectory {
  const read = readChatMessages(row.messages, within(spot, "messages"));
  const raw = row.messages as Fields[];
  const messages = read.map((each, index) => ({ ...each, learn: each.learn && raw[index]?.learn !== false }));
  const known = (key: string) => (typeof row[key] === "string" ? row[key] : undefined);
  const id = known("id");
  const rewards = parsed(known("rewards"));
  return toTrajectory(messages, {
    spot,
    tools: readTools(row.tools, within(spot, "tools")),
    ...(id !== undefined && { id, group: id }),
    ...(known("task") !== undefined && {
      task: {
        id: known("task")!,
        environment: known("environment") ?? "imported",
        kind: known("kind") ?? "imported",
        input: (parsed(known("input")) ?? null) as Trajectory["task"]["input"],
        ...(known("answer") !== undefined && { answer: parsed(known("answer")) as string }),
        split: /(^|\/)test-/.test(spot.file) ? "test" : "train",
      },
    }),
    ...(known("status") !== undefined && { status: known("status") as Trajectory["status"] }),
    ...(typeof row.reward === "number" && { reward: row.reward }),
    ...(isObject(rewards) && { rewards: rewards as Trajectory["rewards"] }),
  });
}

/** A column of JSON; a text that is none stands for itself. */
function parsed(value: string | undefined): unknown {
  try {
    return value === undefined ? undefined : JSON.parse(value);
  } catch {
    return value;
  }
}
