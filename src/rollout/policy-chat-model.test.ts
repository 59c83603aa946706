import { describe, expect, it } from "vitest";
import { parseToolCalls } from "../render/tool-calls.ts";
import { byteRenderer } from "../testing/byte-tokenizer.ts";
import { scriptedPolicy } from "../testing/scripted-policy.ts";
import { policyChatModel } from "./policy-chat-model.ts";

const user = (content: string) => ({ role: "user" as const, content });
const tools = [{ name: "add", description: "Adds.", parameters: { type: "object" } }];

describe("a policy as a chat model", () => {
  it("says what it samples, counted in tokens", async () => {
    const policy = scriptedPolicy(() => "hello", { renderer: byteRenderer });
    const reply = await policyChatModel(policy, { renderer: byteRenderer }).complete({
      messages: [user("hi")],
    });
    expect(reply).toEqual({
      message: { role: "assistant", content: "hello" },
      argumentTexts: [],
      stopReason: "stop",
      usage: { inputTokens: "user:hi\nassistant:".length, outputTokens: 6 },
    });
  });

  it("gives back text that cannot be read as calls", async () => {
    const policy = scriptedPolicy(() => "→add {broken", { renderer: byteRenderer });
    const model = policyChatModel(policy, { renderer: byteRenderer });
    const reply = await model.complete({ messages: [user("hi")], tools });
    expect(reply.message).toEqual({ role: "assistant", content: "→add {broken" });
  });

  it("ends at the limit of a reply, and refuses a prompt that fills the context", async () => {
    const policy = scriptedPolicy(() => "hello", { renderer: byteRenderer, contextLength: 24 });
    const model = policyChatModel(policy, { renderer: byteRenderer });
    const short = await model.complete({ messages: [user("hi")], maxTokens: 2 });
    expect(short).toMatchObject({ message: { content: "he" }, stopReason: "length" });
    await expect(model.complete({ messages: [user("much too long")] })).rejects.toMatchObject({
      kind: "engine",
      message: "scripted: got a prompt of 29 tokens, expected fewer than its context of 24",
    });
  });

  it("keeps numbers in calls as they were written", async () => {
    const text = '<tool_call>{"name": "add", "arguments": {"x": 1.0, "y": [2, 3e1]}}</tool_call>';
    const { tokenizer } = byteRenderer;
    const renderer = {
      ...byteRenderer,
      parse: (tokens: ArrayLike<number>) => parseToolCalls(tokenizer.decode(tokens)),
    };
    const policy = scriptedPolicy(() => text, { renderer });
    const reply = await policyChatModel(policy, { renderer }).complete({ messages: [user("hi")], tools });
    expect(reply.argumentTexts).toEqual(['{"x":1.0,"y":[2,3e1]}']);
  });
});
