import { describe, expect, it } from "vitest";
import type { ChatModel, ChatRequest } from "../spec/chat-model.ts";
import type { AssistantMessage, Message } from "../spec/message.ts";
import { byteRenderer } from "../testing/byte-tokenizer.ts";
import { missingAction, parseReact, reactModel, reactRenderer, toReactText } from "./react.ts";

const call = (content: string, name: string, input: object): AssistantMessage => ({
  role: "assistant",
  content,
  toolCalls: [{ id: "call_0", name, arguments: input as Record<string, never> }],
});

describe("a ReAct turn", () => {
  it.each<[string, AssistantMessage]>([
    ["a thought and an action", call("I look it up.", "search", { query: "a {b}", nested: { "}": ['"'] } })],
    ["an action alone", call("", "open", {})],
    ["an answer", { role: "assistant", content: "Paris\nAction: not one" }],
  ])("reads back as it was written: %s", (_what, message) => {
    expect(parseReact(toReactText(message))).toEqual({ message });
    const renderer = reactRenderer(byteRenderer);
    expect(renderer.parse(renderer.turn(message))).toEqual({ message });
  });

  it("ends where the model invents what it observes", () => {
    const text = 'Thought: x\nAction: open\nAction Input: {"id": 1}\nObservation: 42\nFinal Answer: 42';
    expect(parseReact(text).message).toEqual(call("x", "open", { id: 1 }));
  });

  it.each([
    ["I do not know.", "content", missingAction],
    ["Action: open", "content", missingAction],
    ["Action: open\nAction Input: 3", "structure", "Action Input of open: expected a JSON object"],
    ['Action: open\nAction Input: {"a": 1', "structure", "Action Input of open: expected a JSON object"],
    [
      `Action: open\nAction Input: ${'{"a":'.repeat(100_000)}`,
      "structure",
      "Action Input of open: expected a JSON object",
    ],
  ])("that cannot be read says what was expected: %.40s", (text, kind, detail) => {
    expect(parseReact(text).issue).toEqual({ kind, detail });
  });
});

describe("a ReAct conversation", () => {
  const tools = [{ name: "open", description: "Opens a page.", parameters: { type: "object" } }];
  const messages: Message[] = [
    { role: "system", content: "Be brief." },
    { role: "user", content: "Where?" },
    call("Look.", "open", { id: 1 }),
    { role: "tool", callId: "call_0", name: "open", content: "Paris" },
  ];

  it("is text alone to a model that knows no tools", async () => {
    const asked: ChatRequest[] = [];
    const model: ChatModel = {
      name: "text",
      async complete(request) {
        asked.push(request);
        return {
          message: { role: "assistant", content: "Thought: done\nFinal Answer: Paris" },
          stopReason: "stop",
          usage: null,
        };
      },
    };
    const { message } = await reactModel(model).complete({ messages, tools, temperature: 0 });
    expect(message).toEqual({ role: "assistant", content: "Paris" });
    expect(asked[0]).not.toHaveProperty("tools");
    expect(asked[0]!.temperature).toBe(0);
    const [system, question, acted, observed] = asked[0]!.messages;
    expect(system!.content).toMatch(/^Be brief\.\n\nAnswer in turns\.[\s\S]*- open: Opens a page\. Input: /);
    expect(question!.content).toBe("Where?");
    expect(acted!.content).toBe('Thought: Look.\nAction: open\nAction Input: {"id":1}');
    expect(observed).toEqual({ role: "user", content: "Observation: Paris" });
  });

  it("extends in tokens without rewriting what stands before", () => {
    const renderer = reactRenderer(byteRenderer);
    const text = (tokens: Int32Array) => byteRenderer.tokenizer.decode(tokens);
    expect(text(renderer.prompt(messages.slice(0, 2), tools))).toContain("Tools:\n- open");
    expect(text(renderer.observation(messages.slice(3)))).toBe("\nuser:Observation: Paris\nassistant:");
  });
});
