import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { AttuneError } from "../spec/error.ts";
import type { Message } from "../spec/message.ts";
import { readConversations } from "./conversations.ts";

let directory: string;
beforeAll(() => {
  directory = mkdtempSync(join(tmpdir(), "attune-conversations-"));
});
afterAll(() => rmSync(directory, { recursive: true }));

async function all(path: string): Promise<Message[][]> {
  const conversations: Message[][] = [];
  for await (const messages of readConversations(path)) conversations.push(messages);
  return conversations;
}

async function read(...lines: readonly unknown[]) {
  const path = join(directory, "chat.jsonl");
  writeFileSync(
    path,
    lines.map((line) => `${typeof line === "string" ? line : JSON.stringify(line)}\n`).join(""),
  );
  return all(path);
}

const user = (content: unknown) => ({ role: "user", content });
const call = (fields: object) => ({
  messages: [user("2+2?"), { role: "assistant", content: null, tool_calls: [fields] }],
});

describe("conversations", () => {
  it("come from chat rows in OpenAI's form, one a line", async () => {
    const rows = await read(
      {
        messages: [
          { role: "system", content: "be kind" },
          user("hello"),
          { role: "assistant", content: "hi" },
        ],
      },
      "",
      { messages: [user("bye")], source: "kept apart" },
    );
    expect(rows).toEqual([
      [
        { role: "system", content: "be kind" },
        { role: "user", content: "hello" },
        { role: "assistant", content: "hi" },
      ],
      [{ role: "user", content: "bye" }],
    ]);
  });

  it("keep tool calls, whose arguments are JSON text or an object, and their results", async () => {
    const result = { role: "tool", tool_call_id: "x1", name: "calc", content: "4" };
    const [text, object] = await read(
      {
        messages: [
          ...call({ id: "x1", type: "function", function: { name: "calc", arguments: '{"e":"2+2"}' } })
            .messages,
          result,
        ],
      },
      call({ function: { name: "calc", arguments: { e: "2+2" } } }),
    );
    expect(text!.slice(1)).toEqual([
      { role: "assistant", content: "", toolCalls: [{ id: "x1", name: "calc", arguments: { e: "2+2" } }] },
      { role: "tool", callId: "x1", name: "calc", content: "4" },
    ]);
    expect(object![1]).toMatchObject({ toolCalls: [{ id: "call_0", arguments: { e: "2+2" } }] });
  });

  it("may write their text in parts", async () => {
    const parts = [
      { type: "text", text: "a" },
      { type: "text", text: "b" },
    ];
    expect(await read({ messages: [user(parts)] })).toEqual([[user("ab")]]);
  });

  it.each([
    [
      "a role that is none",
      { messages: [{ role: "narrator", content: "x" }] },
      /chat\.jsonl:2: messages\.0\.role/,
    ],
    ["content that is no text", { messages: [user(3)] }, /chat\.jsonl:2: messages\.0\.content/],
    [
      "a part that is an image",
      { messages: [user([{ type: "image_url", image_url: {} }])] },
      /chat\.jsonl:2: messages\.0\.content/,
    ],
    ["no messages", { messages: [] }, /chat\.jsonl:2: messages/],
    ["a row that is no object", "7", /chat\.jsonl:2: row/],
    [
      "arguments that are not JSON",
      call({ function: { name: "f", arguments: "{" } }),
      /chat\.jsonl:2: the arguments/,
    ],
    ["arguments that are a list", call({ function: { name: "f", arguments: "[1]" } }), /not an object/],
    ["a line that is not JSON", "{", /chat\.jsonl:2: not JSON/],
  ])("name file and line of %s", async (_what, row, message) => {
    const good = { messages: [user("fine")] };
    const reading = read(good, row, good);
    await expect(reading).rejects.toThrow(message);
    await expect(reading).rejects.toBeInstanceOf(AttuneError);
  });

  it("say that there is no such file", async () => {
    const path = join(directory, "none.jsonl");
    await expect(all(path)).rejects.toThrow("none.jsonl: there is no such file");
  });
});
