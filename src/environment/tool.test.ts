import { expect, it } from "vitest";
import { z } from "zod";
import type { JsonObject } from "../spec/json.ts";
import { type ToolDefinition, tool } from "./tool.ts";

const define = (input: ToolDefinition<unknown>["input"], more: Partial<ToolDefinition<unknown>> = {}) =>
  tool<unknown>({ name: "book", description: "Books a seat.", input, execute: () => "booked", ...more });

const zodSeat = z.object({ row: z.number().int().min(1), window: z.boolean().default(false) });
const jsonSeat = {
  type: "object",
  properties: { row: { type: "integer", minimum: 1 } },
  required: ["row"],
  additionalProperties: false,
};

it("shows the model the JSON Schema of a zod schema, as a caller writes it", () => {
  expect(define(zodSeat).parameters).toMatchObject({
    type: "object",
    properties: { row: { type: "integer", minimum: 1 }, window: { type: "boolean" } },
    required: ["row"],
  });
});

it("runs on the checked value: defaults filled in, transforms applied", async () => {
  const checked = await define(zodSeat).check({ row: 3 });
  expect(checked).toEqual({ ok: true, value: { row: 3, window: false } });
});

it("types what a tool is run with by its schema", async () => {
  const seat = tool({
    name: "seat",
    description: "Names a seat.",
    input: zodSeat,
    execute: ({ row, window }) => `${row.toFixed(0)}${window ? "A" : "C"}`,
  });
  const checked = await seat.check({ row: 12, window: true });
  expect(checked.ok && (await seat.execute(checked.value, { signal: new AbortController().signal }))).toBe(
    "12A",
  );
});

it.each<[string, ToolDefinition<unknown>["input"], JsonObject, RegExp]>([
  ["zod", zodSeat, { row: "3" }, /^row: /],
  ["zod", zodSeat, {}, /^row: /],
  ["JSON Schema", jsonSeat, { row: 0 }, /^arguments\/row must be >= 1$/],
  ["JSON Schema", jsonSeat, { row: 1, colour: "red" }, /must NOT have additional properties/],
])("says in one line what is wrong with arguments (%s, %#)", async (_kind, input, given, issues) => {
  expect(await define(input).check(given)).toEqual({ ok: false, issues: expect.stringMatching(issues) });
});

it("reads both the newest JSON Schema and the one most tools are still written in", async () => {
  const pair = { type: "array", prefixItems: [{ type: "string" }, { type: "number" }] };
  const newest = define({ type: "object", properties: { pair } });
  expect(await newest.check({ pair: ["a", 1] })).toMatchObject({ ok: true });
  expect(await newest.check({ pair: [1, 1] })).toMatchObject({ ok: false });
  const older = define({
    $schema: "http://json-schema.org/draft-07/schema#",
    type: "object",
    properties: { pair: { type: "array", items: [{ type: "string" }] } },
  });
  expect(await older.check({ pair: ["a"] })).toMatchObject({ ok: true });
  expect(await older.check({ pair: [1] })).toMatchObject({ ok: false });
});

it("takes a schema of any library that keeps the Standard Schema contract, with its JSON Schema beside it", async () => {
  const foreign = {
    "~standard": {
      version: 1 as const,
      vendor: "mine",
      validate: (value: unknown) =>
        (value as JsonObject)["row"] === 1
          ? { value }
          : { issues: [{ message: "no such row", path: ["row"] }] },
    },
  };
  expect(() => define(foreign)).toThrow(/give its JSON Schema in `parameters`; this schema of mine has none/);
  const seat = define(foreign, { parameters: jsonSeat });
  expect(seat.parameters).toBe(jsonSeat);
  expect(await seat.check({ row: 2 })).toEqual({ ok: false, issues: "row: no such row" });
});

it.each<[Partial<ToolDefinition<unknown>>, RegExp]>([
  [{ name: "book a seat" }, /tool "book a seat": expected a name of up to 64 letters/],
  [{ timeoutMs: 0 }, /tool "book": expected timeoutMs above 0, got 0/],
  [{ input: { type: "sofa" } }, /tool "book": its input is not a JSON Schema/],
  [{ input: z.object({ day: z.date() }) }, /tool "book": its input has no JSON Schema/],
])("refuses a definition that cannot work (%#)", (more, message) => {
  expect(() => define(zodSeat, more)).toThrow(
    expect.objectContaining({ kind: "usage", message: expect.stringMatching(message) }),
  );
});
