import type { Json, JsonObject } from "../../spec/json.ts";
import type { Trajectory, TrajectoryNode } from "../../spec/trajectory.ts";
import { readChatMessages, toChatMessage, toFunction } from "./chat.ts";
import type { Format } from "./format.ts";
import { checked, readTools, toTrajectory } from "./imported.ts";
import { readRows, toJsonLines } from "./json-lines.ts";
import { type Fields, isObject, listAt, objectAt, type Spot, within, wrong } from "./spot.ts";

/**
 * Traces in the manner of verifiers: the whole graph of messages, each with its parent, whether it was sampled, the
 * tokens it adds, their mask and log-probabilities; rewards by name, null where one never ran. `info.attune` keeps
 * what has no field there, so that nothing is lost. Rows of verifiers' first generation (`prompt`, `completion`) are
 * read as well.
 */
export const verifiers: Format = {
  name: "verifiers",
  about: "verifiers-style traces, the whole graph",
  output: "file",
  write: (trajectories) => toJsonLines(rows(trajectories)),
  async *read(path) {
    for await (const { row, spot } of readRows(path)) yield fromRow(row, spot);
  },
};

async function* rows(trajectories: AsyncIterable<Trajectory>): AsyncGenerator<JsonObject> {
  for await (const trajectory of trajectories) {
    const {
      format: _format,
      id,
      task,
      tools,
      nodes,
      rewards,
      reward,
      status,
      error,
      timing,
      ...rest
    } = trajectory;
    yield {
      schema_version: "1",
      software: "attune",
      id,
      task: { ...task } as JsonObject,
      tools: tools.map(toFunction) as Json[],
      nodes: nodes.map(toNode),
      rewards: Object.fromEntries(
        Object.entries(rewards).map(([name, score]) => [name, { score, weight: null }]),
      ),
      reward,
      stop_condition: status,
      errors: error === undefined ? [] : [error],
      timing,
      info: { attune: rest as unknown as JsonObject },
    };
  }
}

function toNode(node: TrajectoryNode): JsonObject {
  const { message, tokens, logprobs, mask, sampled, parent, ...rest } = node;
  return {
    parent,
    message: message && toChatMessage(message, "text"),
    sampled,
    token_ids: [...tokens],
    mask: Array.from(tokens, () => mask),
    logprobs: logprobs && [...logprobs],
    attune: {
      ...rest,
      mask,
      ...(message?.role === "tool" && message.failure && { failure: message.failure }),
    } as JsonObject,
  };
}

function fromRow(row: Fields, spot: Spot): Trajectory {
  if (row.nodes === undefined && (row.prompt !== undefined || row.completion !== undefined))
    return fromRollout(row, spot);
  const own = isObject(row.info) && isObject(row.info.attune) ? row.info.attune : undefined;
  const tools = readTools(row.tools, within(spot, "tools"));
  const given = listAt(row.nodes, within(spot, "nodes"));
  const turns: number[] = [];
  const nodes = given.map((each, index) => {
    const at = within(within(spot, "nodes"), index);
    const node = fromNode(objectAt(each, at), at, turns);
    const parent = node.parent === null ? undefined : given[node.parent];
    const spoke = isObject(parent) && isObject(parent.message) && parent.message.role === "assistant";
    turns.push(node.parent === null ? 0 : (turns[node.parent] ?? 0) + (spoke ? 1 : 0));
    return { turn: turns.at(-1), ...node };
  });
  const id = typeof row.id === "string" ? row.id : `${spot.file}-${spot.line}`;
  const task = isObject(row.task) ? row.task : {};
  const errors = Array.isArray(row.errors) ? row.errors : [];
  return checked(
    {
      format: 1,
      player: "imported",
      step: 0,
      group: id,
      sample: 0,
      attempt: 0,
      seed: 0,
      calls: [],
      ...own,
      id,
      task: { id, environment: "imported", kind: "imported", input: null, split: "train", ...task },
      tools,
      nodes,
      status: own ? row.stop_condition : "completed",
      ...(typeof errors[0] === "string" && { error: errors[0] }),
      rewards: scoresOf(row.rewards),
      reward: typeof row.reward === "number" ? row.reward : null,
      timing: own ? row.timing : { samplingMs: 0, toolMs: 0, gradingMs: 0, wallMs: 0 },
    },
    spot,
  );
}

function fromNode(
  given: Fields,
  at: Spot,
  turns: readonly number[],
): Partial<TrajectoryNode> & { parent: number | null } {
  const own = isObject(given.attune) ? given.attune : {};
  const parent = given.parent ?? null;
  if (parent !== null && (typeof parent !== "number" || !(parent in turns)))
    throw wrong(within(at, "parent"), "a node that comes before it, or null", parent);
  const field = within(at, "message");
  const message = given.message == null ? null : readOne(given.message, field, own);
  const ids = given.token_ids === undefined ? undefined : listAt(given.token_ids, within(at, "token_ids"));
  const logprobs = given.logprobs == null ? null : listAt(given.logprobs, within(at, "logprobs"));
  const mask = Array.isArray(given.mask) ? given.mask.some(Boolean) : given.mask !== false;
  return {
    sampled: given.sampled === true,
    mask: message?.role === "assistant" && mask,
    policyVersion: null,
    ...(ids === undefined && { gap: ["tokens"] }),
    ...own,
    parent,
    message,
    tokens: Int32Array.from((ids ?? []) as number[]),
    logprobs: logprobs && Float32Array.from(logprobs as number[]),
  } as Partial<TrajectoryNode> & { parent: number | null };
}

function readOne(value: unknown, spot: Spot, own: Fields) {
  // a message alone: which call a result answers is said by its id, and nothing stands before it to check against
  const [read] = readChatMessages([value], spot);
  const { message } = read!;
  return message.role === "tool" && typeof own.failure === "string"
    ? { ...message, failure: own.failure }
    : message;
}

function scoresOf(value: unknown): Record<string, number | null> {
  if (!isObject(value)) return {};
  return Object.fromEntries(
    Object.entries(value).map(([name, entry]) => {
      const score = isObject(entry) ? entry.score : entry;
      return [name, typeof score === "number" ? score : null];
    }),
  );
}

/** A rollout of the first generation: what was asked, what came, and what it earned. */
function fromRollout(row: Fields, spot: Spot): Trajectory {
  const asked = typeof row.prompt === "string" ? [{ role: "user", content: row.prompt }] : row.prompt;
  const said =
    typeof row.completion === "string" ? [{ role: "assistant", content: row.completion }] : row.completion;
  const prompt = readChatMessages(asked, within(spot, "prompt")).map((each) => ({ ...each, learn: false }));
  const completion = readChatMessages(said, within(spot, "completion"));
  const metrics = isObject(row.metrics) ? scoresOf(row.metrics) : {};
  const messages = [...prompt, ...completion];
  const trajectory = toTrajectory(messages, {
    spot,
    tools: readTools(isObject(row.info) ? row.info.oai_tools : undefined, within(spot, "info.oai_tools")),
    rewards: metrics,
    reward: typeof row.reward === "number" ? row.reward : null,
  });
  const { task } = trajectory;
  const kind = typeof row.task === "string" ? row.task : task.kind;
  return {
    ...trajectory,
    task: { ...task, kind, ...(row.answer !== undefined && { answer: row.answer as Json }) },
  };
}
