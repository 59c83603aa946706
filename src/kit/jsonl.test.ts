import { mkdtempSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { writeFileAtomic } from "./files.ts";
import { readJsonLines } from "./jsonl.ts";

const directory = () => mkdtempSync(join(tmpdir(), "attune-kit-"));
const readAll = async (path: string) => {
  const values: unknown[] = [];
  for await (const { value } of readJsonLines(path)) values.push(value);
  return values;
};

describe("readJsonLines", () => {
  it("skips a torn last line and yields the rest", async () => {
    const path = join(directory(), "a.jsonl");
    writeFileSync(path, '{"a":1}\n{"a":2}\n{"a":');
    expect(await readAll(path)).toEqual([{ a: 1 }, { a: 2 }]);
  });

  it("refuses a broken line in the middle and names it", async () => {
    const path = join(directory(), "a.jsonl");
    writeFileSync(path, '{"a":1}\nnonsense\n{"a":3}\n');
    await expect(readAll(path)).rejects.toThrow("a.jsonl:2: not JSON");
  });

  it("finds nothing in a file that is not there", async () => {
    expect(await readAll(join(directory(), "none.jsonl"))).toEqual([]);
  });
});

describe("writeFileAtomic", () => {
  it("leaves the old file and no other behind when writing fails", () => {
    const root = directory();
    const path = join(root, "state.json");
    writeFileAtomic(path, "old");
    const failing = (function* () {
      yield Buffer.from("new");
      throw new Error("disk full");
    })();
    expect(() => writeFileAtomic(path, failing)).toThrow("disk full");
    expect(readFileSync(path, "utf8")).toBe("old");
    expect(readdirSync(root)).toEqual(["state.json"]);
  });
});
