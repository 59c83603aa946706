import { expect, it } from "vitest";
import type { AssistantMessage, Message } from "../spec/message.ts";
import type { ToolSpec } from "../spec/tool.ts";
import type { Trajectory } from "../spec/trajectory.ts";
import { byteRenderer, byteTokenizer } from "../testing/byte-tokenizer.ts";
import { leavesOf, pathTo } from "./path.ts";
import { createRecorder } from "./recorder.ts";
import { retokenize } from "./retokenize.ts";

const user = (content: string): Message => ({ role: "user", content });
const says = (content: string): AssistantMessage => ({ role: "assistant", content });
const tool = (name: string): ToolSpec => ({ name, description: "", parameters: {} });

/** What an engine without token ids leaves: conversations of which only the words are known. */
function recorded(calls: readonly [Message[], AssistantMessage, ToolSpec[]?][]): Trajectory {
  const task = { id: "t", environment: "e", kind: "k", input: null, split: "train" as const };
  const recorder = createRecorder({
    id: "g/0",
    player: "p",
    step: 0,
    group: "g",
    sample: 0,
    attempt: 0,
    seed: 0,
    task,
  });
  for (const [messages, message, tools = []] of calls) {
    const unknown = { tokens: null, logprobs: null, stopReason: null, policyVersion: null, complete: true };
    recorder.record({ messages, tools, prompt: null, reply: { message, ...unknown }, latencyMs: 0 });
  }
  return recorder.seal({ status: "completed", reward: 1 });
}

/** Every path as text, with what is learned from in brackets. */
const texts = (trajectory: Trajectory) =>
  leavesOf(trajectory).map((leaf) =>
    pathTo(trajectory, leaf)
      .map(({ tokens, mask }) => (mask ? `[${byteTokenizer.decode(tokens)}]` : byteTokenizer.decode(tokens)))
      .join(""),
  );

it("writes every path anew from its messages, and learns from each turn once", () => {
  const trajectory = recorded([
    [[user("u")], says("a")],
    [[user("u"), says("a"), user("v")], says("b")],
    [[user("u"), says("a"), user("w")], says("c")],
    [[user("u"), user("x")], says("d")],
  ]);
  const { trajectory: anew, turns } = retokenize(trajectory, byteRenderer);
  expect(turns).toBe(4);
  expect(texts(anew)).toEqual([
    "user:u\nassistant:[a]\nuser:v\nassistant:[b]",
    "user:u\nassistant:a\nuser:w\nassistant:[c]",
    "user:u\nuser:x\nassistant:[d]",
  ]);
  expect(anew.nodes.every(({ gap, sampled, logprobs }) => !gap && !sampled && logprobs === null)).toBe(true);
  expect(trajectory.nodes.every(({ tokens }) => tokens.length === 0)).toBe(true);
});

it("shows every turn the tools it was offered", () => {
  const trajectory = recorded([
    [[user("u")], says("a"), [tool("f")]],
    [[user("u"), says("a"), user("v")], says("b"), [tool("g")]],
  ]);
  const renderer = {
    ...byteRenderer,
    prompt: (_messages: readonly Message[], tools: readonly ToolSpec[]) =>
      byteTokenizer.encode(`${tools.map(({ name }) => name).join()}|`),
  };
  expect(texts(retokenize(trajectory, renderer).trajectory)).toEqual(["f|[a]", "g|a\nuser:v\nassistant:[b]"]);
});

it("refuses a conversation that the agent's own words begin", () => {
  const trajectory = recorded([[[says("hello"), user("u")], says("a")]]);
  expect(() => retokenize(trajectory, byteRenderer)).toThrow("g/0: expected a message before the first turn");
});
