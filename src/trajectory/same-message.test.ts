import { expect, it } from "vitest";
import type { Json } from "../spec/json.ts";
import type { Message } from "../spec/message.ts";
import { sameJson, sameMessage, sameTools } from "./same-message.ts";

const said = (message: Message, extra?: Json) => ({ message, extra });
const asks = (args: string, id = "c") =>
  said({
    role: "assistant",
    content: "",
    toolCalls: [{ id, name: "f", arguments: JSON.parse(args) as Record<string, Json> }],
  });

it("compares JSON by what it says, not by how it is spelled", () => {
  expect(
    sameJson(JSON.parse('{"a":1.0,"b":[1e2,{"c":null}]}'), JSON.parse('{"b":[100,{"c":null}],"a":1}')),
  ).toBe(true);
  expect(sameJson({ a: 1, b: undefined }, { a: 1 })).toBe(true);
  expect(sameJson({ a: 1 }, { a: 1, b: 2 })).toBe(false);
  expect(sameJson({ a: 1, b: 2 }, { a: 1 })).toBe(false);
  expect(sameJson([1, 2], [2, 1])).toBe(false);
  expect(sameJson([], {})).toBe(false);
  expect(sameJson(null, {})).toBe(false);
  expect(sameJson("1", 1)).toBe(false);
  expect(sameJson(JSON.parse('{"__proto__":{}}'), {})).toBe(false);
  expect(sameJson({}, JSON.parse('{"toString":1}'))).toBe(false);
});

it("takes messages for the same whatever a client changed that the model does not mean", () => {
  expect(sameMessage(asks('{"a":1,"b":2}'), asks('{"b":2,"a":1.0}', "other"))).toBe(true);
  expect(sameMessage(asks('{"a":1}'), asks('{"a":"1"}'))).toBe(false);
  expect(
    sameMessage(
      said({ role: "assistant", content: "x" }, { reasoning: "r" }),
      said({ role: "assistant", content: "x", toolCalls: [] }),
    ),
  ).toBe(true);
  const result = { role: "tool", callId: "c", content: "r" } as const;
  expect(
    sameMessage(said({ ...result, name: "f", failure: "tool_error" }), said({ ...result, name: "" })),
  ).toBe(true);
  expect(sameMessage(said({ role: "user", content: "x" }), said({ role: "system", content: "x" }))).toBe(
    false,
  );
  expect(
    sameMessage(said({ role: "user", content: "x" }, { image: 1 }), said({ role: "user", content: "x" })),
  ).toBe(false);
});

it("takes tools for the same by what a model is shown of them, in their order", () => {
  const tool = (name: string, type = "object") => ({
    name,
    description: "d",
    parameters: { type, required: ["a"] },
  });
  expect(sameTools([tool("a"), tool("b")], [tool("a"), tool("b")])).toBe(true);
  expect(sameTools([tool("a"), tool("b")], [tool("b"), tool("a")])).toBe(false);
  expect(sameTools([tool("a")], [tool("a", "string")])).toBe(false);
  expect(sameTools([tool("a")], [])).toBe(false);
});
