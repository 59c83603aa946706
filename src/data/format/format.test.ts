import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { DuckDBInstance } from "@duckdb/node-api";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { Message } from "../../spec/message.ts";
import type { Trajectory, TrajectoryNode } from "../../spec/trajectory.ts";
import { applyEdit, editTrajectory } from "../../trajectory/edit.ts";
import { carries, features } from "./carries.ts";
import type { ExportOptions, Format } from "./format.ts";
import { formats } from "./formats.ts";
import { toPreference } from "./preference.ts";
import { writeParts } from "./write-parts.ts";

let folder: string;
let files = 0;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), "attune-format-"));
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));
const fresh = (ending = "") => join(folder, `${files++}${ending}`);

const call = { id: "c1", name: "read", arguments: { file: "a.txt" } };
const tool = {
  name: "read",
  description: "Reads a file.",
  parameters: { type: "object", properties: { file: { type: "string" } } },
};
const system: Message = { role: "system", content: "Be brief." };
const user: Message = { role: "user", content: "What does a.txt say?" };
const asks: Message = { role: "assistant", content: "", toolCalls: [call] };
const result: Message = { role: "tool", callId: "c1", name: "read", content: "42" };
const answers: Message = { role: "assistant", content: "It says 42." };

const seen = (
  message: Message | null,
  tokens: number[],
  parent: number | null,
  turn: number,
): TrajectoryNode => ({
  parent,
  turn,
  message,
  tokens: Int32Array.from(tokens),
  logprobs: null,
  sampled: false,
  mask: false,
  policyVersion: null,
});
const said = (message: Message, tokens: number[], parent: number, turn: number): TrajectoryNode => ({
  ...seen(message, tokens, parent, turn),
  logprobs: Float32Array.from(tokens, () => -0.5),
  sampled: true,
  mask: true,
  policyVersion: 3,
  stopReason: "stop",
});

const episode = (nodes?: TrajectoryNode[]): Trajectory => ({
  format: 1,
  id: "episode-1",
  player: "policy",
  step: 2,
  group: "g",
  sample: 1,
  attempt: 0,
  seed: 7,
  task: {
    id: "t",
    environment: "files",
    kind: "read",
    input: { file: "a.txt" },
    answer: "42",
    split: "train",
  },
  tools: [tool],
  nodes: nodes ?? [
    seen(system, [], null, 0),
    seen(user, [1, 2, 3], 0, 0),
    said(asks, [4, 5], 1, 0),
    seen(result, [6], 2, 1),
    said(answers, [7, 8], 3, 1),
  ],
  calls: [{ turn: 0, ...call, observation: "42", failure: null, latencyMs: 0 }],
  status: "completed",
  rewards: { correct: 1 },
  reward: 1,
  timing: { samplingMs: 1, toolMs: 2, gradingMs: 3, wallMs: 6 },
});

/** A second answer to the same question beside the first. */
const forked = () => {
  const { nodes } = episode();
  return episode([...nodes, said({ role: "assistant", content: "42." }, [9], 3, 1)]);
};
/** The same without the first turn in the loss. */
const masked = () => episode(episode().nodes.map((node, at) => (at === 2 ? { ...node, mask: false } : node)));

async function* each<Item>(...items: Item[]) {
  yield* items;
}
async function all<Item>(items: AsyncIterable<Item>): Promise<Item[]> {
  const found: Item[] = [];
  for await (const item of items) found.push(item);
  return found;
}
async function textOf(format: Format, trajectories: Trajectory[], options?: ExportOptions) {
  const parts = await all(format.write(each(...trajectories), options));
  return Buffer.concat(parts.map(({ bytes }) => bytes)).toString();
}
const rowOf = async (format: Format, trajectory: Trajectory, options?: ExportOptions) =>
  JSON.parse(await textOf(format, [trajectory], options));
function readText(format: Format, text: string, ending = ".jsonl", warn?: (message: string) => void) {
  const path = fresh(ending);
  writeFileSync(path, text);
  return all(format.read(path, warn && { warn }));
}
const messagesOf = ({ nodes }: Trajectory) => nodes.flatMap(({ message }) => (message ? [message] : []));
const nameless = (messages: Message[]) =>
  messages.map((message) =>
    message.role === "assistant"
      ? { ...message, toolCalls: message.toolCalls?.map(({ name, arguments: given }) => ({ name, given })) }
      : message.role === "tool"
        ? { role: message.role, content: message.content, name: message.name }
        : message,
  );

const functions = [{ type: "function", function: tool }];
const asked = [
  { role: "system", content: "Be brief." },
  { role: "user", content: "What does a.txt say?" },
];
const callOf = (given: unknown) => ({
  role: "assistant",
  content: "",
  tool_calls: [{ id: "c1", type: "function", function: { name: "read", arguments: given } }],
});
const toolResult = { role: "tool", tool_call_id: "c1", name: "read", content: "42" };

describe("golden rows", () => {
  test("OpenAI: arguments are a text, and a turn outside of the loss has weight 0", async () => {
    expect(await rowOf(formats.openai, masked())).toEqual({
      messages: [
        ...asked,
        { ...callOf('{"file":"a.txt"}'), weight: 0 },
        toolResult,
        { role: "assistant", content: "It says 42." },
      ],
      tools: functions,
      parallel_tool_calls: true,
    });
  });
  test("TRL: arguments are an object, and one learned turn at the end is a completion", async () => {
    const messages = [
      ...asked,
      callOf({ file: "a.txt" }),
      toolResult,
      { role: "assistant", content: "It says 42." },
    ];
    expect(await rowOf(formats.trl, episode())).toEqual({ messages, tools: functions });
    expect(await rowOf(formats.trl, masked())).toEqual({
      prompt: messages.slice(0, 4),
      completion: messages.slice(4),
      tools: functions,
    });
  });
  test("ms-swift: tools and calls are JSON in a text", async () => {
    expect(await rowOf(formats["ms-swift"], masked())).toEqual({
      tools: JSON.stringify(functions),
      messages: [
        ...asked,
        { role: "tool_call", content: '{"name":"read","arguments":{"file":"a.txt"}}', loss: false },
        { role: "tool_response", content: "42" },
        { role: "assistant", content: "It says 42." },
      ],
    });
  });
  test("ShareGPT: calls and observations have speakers of their own", async () => {
    expect(await rowOf(formats.sharegpt, episode())).toEqual({
      conversations: [
        { from: "system", value: "Be brief." },
        { from: "human", value: "What does a.txt say?" },
        { from: "function_call", value: '{"name":"read","arguments":{"file":"a.txt"}}' },
        { from: "observation", value: "42" },
        { from: "gpt", value: "It says 42." },
      ],
      tools: JSON.stringify([tool]),
    });
  });
  test("AgentInstruct: calls as text when asked, the loss on turns only", async () => {
    const row = await rowOf(formats["agent-instruct"], masked(), { callsAsText: true });
    expect(row).toEqual({
      id: "episode-1",
      conversations: [
        {
          from: "human",
          loss: false,
          value: `Tools: ${JSON.stringify(functions)}\n\nBe brief.\n\nWhat does a.txt say?`,
        },
        { from: "gpt", loss: false, value: 'Action: read {"file":"a.txt"}' },
        { from: "human", loss: false, value: "Observation: 42" },
        { from: "gpt", loss: true, value: "It says 42." },
      ],
    });
  });
  test("ATIF 1.7: results stand in the step of their call, tokens in its metrics", async () => {
    const document = await rowOf(formats.atif, masked());
    expect(document.schema_version).toBe("ATIF-v1.7");
    expect(document.agent).toEqual({ name: "policy", version: "3", tool_definitions: functions });
    expect(document.steps.map(({ extra: _extra, ...step }: { extra: unknown }) => step)).toEqual([
      { step_id: 1, source: "system", message: "Be brief." },
      { step_id: 2, source: "user", message: "What does a.txt say?" },
      {
        step_id: 3,
        source: "agent",
        message: "",
        tool_calls: [{ tool_call_id: "c1", function_name: "read", arguments: { file: "a.txt" } }],
        observation: { results: [{ source_call_id: "c1", content: "42", extra: {} }] },
        is_copied_context: true,
        metrics: {
          prompt_tokens: 3,
          prompt_token_ids: [1, 2, 3],
          completion_tokens: 2,
          completion_token_ids: [4, 5],
          logprobs: [-0.5, -0.5],
        },
      },
      {
        step_id: 4,
        source: "agent",
        message: "It says 42.",
        metrics: {
          prompt_tokens: 6,
          prompt_token_ids: [1, 2, 3, 4, 5, 6],
          completion_tokens: 2,
          completion_token_ids: [7, 8],
          logprobs: [-0.5, -0.5],
        },
      },
    ]);
  });
  test("verifiers: each node with its parent, its tokens and their mask", async () => {
    const row = await rowOf(formats.verifiers, forked());
    expect(row.nodes.map(({ parent, sampled, token_ids: ids }: never) => [parent, sampled, ids])).toEqual([
      [null, false, []],
      [0, false, [1, 2, 3]],
      [1, true, [4, 5]],
      [2, false, [6]],
      [3, true, [7, 8]],
      [3, true, [9]],
    ]);
    expect(row.rewards).toEqual({ correct: { score: 1, weight: null } });
  });
});

describe("round trips", () => {
  test("verifiers gives back the whole graph, and ATIF a path of it, to the last token", async () => {
    const [graph] = await readText(formats.verifiers, await textOf(formats.verifiers, [forked()]));
    expect(graph).toEqual(forked());
    const [path] = await readText(formats.atif, await textOf(formats.atif, [masked()]), ".json");
    expect(path).toEqual(masked());
  });
  test.each(["openai", "trl", "ms-swift", "sharegpt", "verl", "hugging-face"] as const)(
    "%s gives back messages, tools and what a loss may look at",
    async (name) => {
      const path = fresh();
      const format = formats[name];
      await writeParts(format.write(each(episode())), { path, output: format.output });
      const [read] = await all(format.read(path));
      expect(nameless(messagesOf(read!))).toEqual(nameless(messagesOf(episode())));
      expect(read!.tools).toEqual([tool]);
      expect(read!.nodes.map(({ mask }) => mask)).toEqual([false, false, true, false, true]);
      expect(read!.calls[0]).toMatchObject({ name: "read", arguments: { file: "a.txt" }, observation: "42" });
    },
  );
  test.each(["openai", "trl", "ms-swift", "hugging-face"] as const)(
    "%s gives back which turn is outside of the loss",
    async (name) => {
      const path = fresh();
      const format = formats[name];
      await writeParts(format.write(each(masked())), { path, output: format.output });
      const [read] = await all(format.read(path));
      expect(read!.nodes.map(({ mask }) => mask)).toEqual([false, false, false, false, true]);
    },
  );
  test("AgentInstruct gives back its loss flags, and AgentTraj's item_id is an id", async () => {
    const turns =
      '[{"from":"human","loss":null,"value":"hi"},{"from":"gpt","loss":false,"value":"OK."},{"from":"gpt","loss":true,"value":"yes"}]';
    const [read] = await readText(formats["agent-instruct"], `{"item_id":"os_1","conversations":${turns}}\n`);
    expect(read!.id).toBe("os_1");
    expect(read!.nodes.map(({ mask }) => mask)).toEqual([false, false, true]);
  });
});

describe("what a format cannot carry", () => {
  test("is in the table for every format and every feature", () => {
    expect(Object.keys(carries).sort()).toEqual(Object.keys(formats).sort());
    for (const row of Object.values(carries))
      expect(Object.keys(row).sort()).toEqual(Object.keys(features).sort());
  });
  test("branches are refused, split or narrowed to the main path, as asked", async () => {
    await expect(textOf(formats.openai, [forked()])).rejects.toThrow(
      "trajectory episode-1 (2 leaves): openai cannot carry several leaves: a retry, a sub-agent, a rewritten history; give `branches` as split or main",
    );
    const split = (await textOf(formats.openai, [forked()], { branches: "split" })).trim().split("\n");
    expect(split.map((line) => JSON.parse(line).messages[2].weight)).toEqual([undefined, 0]);
    const main = await textOf(formats.openai, [forked()], { branches: "main" });
    expect(JSON.parse(main).messages.at(-1).content).toBe("42.");
  });
  test("a turn outside of the loss is refused where a format has no flag, unless it may be left out", async () => {
    await expect(textOf(formats.sharegpt, [masked()])).rejects.toThrow(
      "episode-1, node 2 (turn 0): sharegpt cannot carry turns that no loss may look at",
    );
    const told: string[] = [];
    await textOf(formats.sharegpt, [masked()], {
      without: ["history"],
      tell: (feature) => told.push(feature),
    });
    expect(told).toContain("history");
    expect(told).toContain("tokens");
  });
  test("tools are refused by AgentInstruct, images by all that hold text only", async () => {
    await expect(textOf(formats["agent-instruct"], [episode()])).rejects.toThrow("`callsAsText`");
    const [, picture] = episode().nodes;
    const nodes = episode().nodes.map((node) =>
      node.message === picture!.message ? { ...node, extra: { image: "…" } } : node,
    );
    await expect(textOf(formats.trl, [episode(nodes)])).rejects.toThrow("images");
  });
  test("what followed the last learned turn, be it a result or a turn outside of the loss, is left out and told", async () => {
    const told: string[] = [];
    const nodes = episode().nodes.slice(0, 4);
    const row = await rowOf(formats.openai, episode(nodes), { tell: (feature) => told.push(feature) });
    expect(row.messages.at(-1).role).toBe("assistant");
    expect(told).toContain("ending");
    const unlearned = episode().nodes.map((node) => ({ ...node, mask: false }));
    const nothing: string[] = [];
    const tell = (feature: string) => nothing.push(feature);
    expect(await textOf(formats.openai, [episode(unlearned)], { tell })).toBe("");
    expect(nothing).toContain("ending");
  });
});

describe("foreign files", () => {
  const line = (row: unknown) => `{"messages":[]}\n${JSON.stringify(row)}\n`;
  test("an unknown role is named by line and field", async () => {
    await expect(
      readText(formats.openai, line({ messages: [{ role: "robot", content: "" }] })),
    ).rejects.toThrow(
      /:2: messages\.0\.role: expected system, developer, user, assistant or tool, got "robot"$/,
    );
  });
  test("a result without a call is named, in every format that has results", async () => {
    await expect(
      readText(formats.openai, line({ messages: [callOf("{}"), { ...toolResult, tool_call_id: "c9" }] })),
    ).rejects.toThrow(
      /:2: messages\.1\.tool_call_id: expected the result of a call that the turn before it made \("c1"\), got "c9"/,
    );
    const response = { role: "tool_response", content: "42" };
    await expect(readText(formats["ms-swift"], line({ messages: [response] }))).rejects.toThrow(
      /:2: messages\.0: expected the result/,
    );
    const observation = { from: "observation", value: "42" };
    await expect(
      readText(formats.sharegpt, `${JSON.stringify({ conversations: [observation] })}\n`),
    ).rejects.toThrow(/:1: conversations\.0: expected the result/);
  });
  test("a line that is not JSON is named, a torn last one too", async () => {
    const whole = JSON.stringify({ messages: [callOf("{}")] });
    for (const rest of ["nonsense\n", whole.slice(0, 30)])
      await expect(readText(formats.trl, `${whole.replace('"{}"', "{}")}\n${rest}`)).rejects.toThrow(
        /:2: row: expected JSON, got "/,
      );
  });
  test("a missing field and broken arguments are named", async () => {
    await expect(readText(formats.openai, "{}\n")).rejects.toThrow(
      /:1: messages: expected a list, got nothing/,
    );
    await expect(readText(formats.openai, line({ messages: [callOf("{")] }))).rejects.toThrow(
      /messages\.0\.tool_calls\.0\.function\.arguments: expected arguments as JSON/,
    );
    await expect(readText(formats.sharegpt, "{}\n")).rejects.toThrow(/:1: conversations: expected a list/);
    await expect(readText(formats.verifiers, "{}\n")).rejects.toThrow(/:1: nodes: expected a list/);
    await expect(readText(formats["agent-instruct"], "{}\n")).rejects.toThrow(/:1: id: expected a text/);
    await expect(readText(formats.verl, "PAR0", ".parquet")).rejects.toThrow("not a Parquet file");
  });
  test("ATIF of 1.0 is read, a newer minor with a warning, a newer major and a wrong step not at all", async () => {
    const document = (version: string, steps: unknown[]) =>
      JSON.stringify({ schema_version: version, session_id: "s", agent: { name: "a", version: "1" }, steps });
    const hello = { step_id: 1, source: "user", message: "hello" };
    const warnings: string[] = [];
    const [old] = await readText(formats.atif, document("ATIF-v1.0", [hello]), ".json");
    expect(messagesOf(old!)).toEqual([{ role: "user", content: "hello" }]);
    await readText(formats.atif, document("ATIF-v1.9", [hello]), ".json", (message) =>
      warnings.push(message),
    );
    expect(warnings[0]).toContain("newer than ATIF-v1.7");
    await expect(readText(formats.atif, document("ATIF-v2.0", [hello]), ".json")).rejects.toThrow(
      "schema_version: expected ATIF-v1.0 to ATIF-v1.7",
    );
    await expect(
      readText(formats.atif, document("ATIF-v1.4", [{ ...hello, step_id: 2 }]), ".json"),
    ).rejects.toThrow("steps.0.step_id: expected 1, got 2");
    const stray = {
      step_id: 1,
      source: "agent",
      message: "",
      tool_calls: [{ tool_call_id: "c", function_name: "f", arguments: {} }],
      observation: { results: [{ source_call_id: "x", content: "" }] },
    };
    await expect(readText(formats.atif, document("ATIF-v1.4", [stray]), ".json")).rejects.toThrow(
      "steps.0.observation.results.0.source_call_id",
    );
  });
  test("a failed export leaves nothing behind", async () => {
    const inside = mkdtempSync(join(folder, "atomic-"));
    const path = join(inside, "out.jsonl");
    await expect(
      writeParts(formats.openai.write(each(episode(), forked())), { path, output: "file" }),
    ).rejects.toThrow("branches");
    expect(readdirSync(inside)).toEqual([]);
  });
});

describe("Parquet as DuckDB reads it", () => {
  const query = async (sql: string) => {
    const instance = await DuckDBInstance.create(":memory:");
    const connection = await instance.connect();
    try {
      return (await connection.runAndReadAll(sql)).getRowObjectsJson();
    } finally {
      connection.closeSync();
      instance.closeSync();
    }
  };
  test("verl's columns are lists of structs and structs", async () => {
    const path = fresh(".parquet");
    await writeParts(formats.verl.write(each(episode(), episode())), { path, output: "file" });
    const types = await query(`DESCRIBE SELECT * FROM '${path}'`);
    const typeOf = (name: string) => types.find((row) => row.column_name === name)?.column_type;
    expect(typeOf("prompt")).toBe('STRUCT("role" VARCHAR, "content" VARCHAR)[]');
    expect(typeOf("reward_model")).toBe("STRUCT(style VARCHAR, ground_truth VARCHAR)");
    const [row] = await query(
      `SELECT data_source, prompt[2].content AS asked, reward_model.ground_truth AS answer, messages[3].tool_calls[1]."function".arguments AS arguments, extra_info."index" AS place FROM '${path}' ORDER BY place DESC`,
    );
    expect(row).toEqual({
      data_source: "files",
      asked: "What does a.txt say?",
      answer: "42",
      arguments: '{"file":"a.txt"}',
      place: 1,
    });
  });
  test("a Hugging Face folder has shards by split, with tokens, mask and log-probabilities side by side", async () => {
    const path = fresh();
    const test: Trajectory = { ...episode(), id: "held-out", task: { ...episode().task, split: "test" } };
    const source = Array.from({ length: 5 }, episode);
    await writeParts(formats["hugging-face"].write(each(...source, test), { shardRows: 2 }), {
      path,
      output: "folder",
    });
    expect(readdirSync(join(path, "data")).sort()).toEqual([
      "test-00000.parquet",
      "train-00000.parquet",
      "train-00001.parquet",
      "train-00002.parquet",
    ]);
    const card = readFileSync(join(path, "README.md"), "utf8");
    expect(card).toContain("- split: train\n        path: data/train-*.parquet");
    const [row] = await query(
      `SELECT count(*)::INT AS rows, any_value(token_ids) AS ids, any_value(loss_mask) AS mask, any_value(logprobs) AS logprobs FROM '${path}/data/train-*.parquet'`,
    );
    expect(row).toEqual({
      rows: 5,
      ids: [1, 2, 3, 4, 5, 6, 7, 8],
      mask: [0, 0, 0, 1, 1, 0, 1, 1],
      logprobs: [null, null, null, -0.5, -0.5, null, -0.5, -0.5],
    });
    expect((await all(formats["hugging-face"].read(path))).map(({ task }) => task.split)).toEqual([
      "test",
      "train",
      "train",
      "train",
      "train",
      "train",
    ]);
  });
  test("JSONL reads as rows too", async () => {
    const path = fresh(".jsonl");
    await writeParts(formats.openai.write(each(episode())), { path, output: "file" });
    const [row] = await query(
      `SELECT messages[3].tool_calls[1]."function".name AS name FROM read_json_auto('${path}')`,
    );
    expect(row).toEqual({ name: "read" });
  });
});

describe("edits", () => {
  const edit = () => editTrajectory(episode(), { node: 2, content: "I read it first." });
  test("export as an SFT row whose loss looks at the edited turn only, and what followed is dropped", async () => {
    const row = await rowOf(formats.openai, applyEdit(episode(), edit()));
    expect(row.messages).toEqual([...asked, { ...callOf('{"file":"a.txt"}'), content: "I read it first." }]);
  });
  test("export as a preference of the edited over the original, with tools", () => {
    expect(toPreference(episode(), edit())).toEqual({
      prompt: asked,
      chosen: [{ ...callOf({ file: "a.txt" }), content: "I read it first." }],
      rejected: [callOf({ file: "a.txt" })],
      tools: functions,
    });
    const asking = editTrajectory(episode(), { node: 1, content: "Hm?" });
    expect(() => toPreference(episode(), asking)).toThrow(
      "a preference is between two turns, got a user message",
    );
  });
});
