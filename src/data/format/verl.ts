import { AttuneError } from "../../spec/error.ts";
import type { Json } from "../../spec/json.ts";
import type { Trajectory } from "../../spec/trajectory.ts";
import { type Branch, toBranches } from "./branch.ts";
import { readChatMessages, toFunction } from "./chat.ts";
import type { ExportOptions, Format } from "./format.ts";
import { readTools, toTrajectory } from "./imported.ts";
import { messageColumns, toColumnMessage } from "./message-columns.ts";
import { boolean, double, int32, list, readParquetRows, struct, text, toParquet } from "./parquet.ts";
import { type Fields, isObject, type Spot, within, wrong } from "./spot.ts";

const columns = [
  text("data_source"),
  list("prompt", (element) => struct(element, text("role"), text("content"))),
  text("ability"),
  struct("reward_model", text("style"), text("ground_truth")),
  struct(
    "extra_info",
    text("split"),
    int32("index"),
    text("task"),
    text("trajectory"),
    text("status"),
    double("reward"),
    boolean("need_tools_kwargs"),
  ),
  text("agent_name"),
  messageColumns("messages"),
  text("tools"),
];

/**
 * verl's Parquet. RL reads the prompt and what a correct answer is; its multi-turn SFT reads `messages` and `tools`
 * of the same rows. Nested columns are lists and structs.
 */
export const verl: Format = {
  name: "verl",
  about: "verl Parquet: prompts and ground truth for RL, messages for multi-turn SFT",
  output: "file",
  write: (trajectories, options = {}) => toParquet(rows(trajectories, options), columns),
  async *read(path) {
    for await (const { row, spot } of readParquetRows(path)) yield fromRow(row, spot);
  },
};

async function* rows(trajectories: AsyncIterable<Trajectory>, options: ExportOptions) {
  let index = 0;
  for await (const branch of toBranches(trajectories, "verl", options)) yield toRow(branch, index++);
}

function toRow({ trajectory, said, tools }: Branch, index: number): Fields {
  const { task, id, status, reward } = trajectory;
  const first = said.findIndex(({ message }) => message.role === "assistant");
  const prompt = said.slice(0, first === -1 ? said.length : first);
  const stray = prompt.find(({ message }) => message.role === "tool");
  if (stray)
    throw new AttuneError(
      "input",
      `trajectory ${id}: verl's prompt holds system and user messages, got a tool's`,
    );
  return {
    data_source: task.environment,
    prompt: prompt.map(({ message }) => ({ role: message.role, content: message.content })),
    ability: task.kind,
    reward_model: { style: "rule", ground_truth: toText(task.answer) },
    extra_info: {
      split: task.split,
      index,
      task: task.id,
      trajectory: id,
      status,
      reward,
      need_tools_kwargs: false,
    },
    agent_name: tools.length > 0 ? "tool_agent" : "single_turn_agent",
    messages: said.map(toColumnMessage),
    tools: tools.length > 0 ? JSON.stringify(tools.map(toFunction)) : null,
  };
}

const toText = (answer: Json | undefined) =>
  answer === undefined ? null : typeof answer === "string" ? answer : JSON.stringify(answer);

function fromRow(row: Fields, spot: Spot): Trajectory {
  if (row.messages === undefined && row.prompt === undefined)
    throw wrong(within(spot, "prompt"), "a list of messages", undefined);
  const field = row.messages === undefined ? "prompt" : "messages";
  const messages = readChatMessages(row[field], within(spot, field));
  const info = isObject(row.extra_info) ? row.extra_info : {};
  const judged = isObject(row.reward_model) ? row.reward_model : {};
  const id = typeof info.trajectory === "string" ? info.trajectory : `${spot.file}-${spot.line}`;
  const environment = typeof row.data_source === "string" ? row.data_source : "imported";
  const first = messages.find(({ message }) => message.role === "user")?.message.content ?? "";
  return toTrajectory(messages, {
    spot,
    tools: readTools(row.tools, within(spot, "tools")),
    id,
    group: id,
    task: {
      id: typeof info.task === "string" ? info.task : id,
      environment,
      kind: typeof row.ability === "string" ? row.ability : environment,
      input: first,
      ...(typeof judged.ground_truth === "string" && { answer: judged.ground_truth }),
      split: info.split === "test" ? "test" : "train",
    },
    ...(typeof info.reward === "number" && { reward: info.reward }),
    ...(typeof info.status === "string" && { status: info.status as Trajectory["status"] }),
  });
}
