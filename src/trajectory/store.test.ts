import { appendFileSync, mkdtempSync, readFileSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { AttuneError } from "../spec/error.ts";
import type { Trajectory } from "../spec/trajectory.ts";
import { leavesOf, mainPath, pathTo, sampledTokens } from "./path.ts";
import { appendTrajectories, readTrajectories } from "./store.ts";
import { toTranscript } from "./view.ts";

const node = (parent: number | null, tokens: number[], sampled = false) => ({
  parent,
  turn: 0,
  message: { role: sampled ? ("assistant" as const) : ("user" as const), content: tokens.join() },
  tokens: Int32Array.from(tokens),
  logprobs: sampled ? Float32Array.from(tokens, (token) => -token / 3) : null,
  sampled,
  mask: sampled,
  policyVersion: sampled ? 2 : null,
});

const trajectory = (id: string): Trajectory => ({
  format: 1,
  id,
  player: "p",
  step: 1,
  group: "g",
  sample: 0,
  attempt: 0,
  seed: 9,
  task: { id: "t", environment: "e", kind: "k", input: { a: 1 }, split: "train" },
  tools: [],
  nodes: [node(null, [1, 2, 3]), node(0, [4, 70000], true), node(1, [6]), node(1, [7, 8], true)],
  calls: [
    { turn: 0, id: "c", name: "f", arguments: { x: 1 }, observation: "o", failure: null, latencyMs: 1.5 },
  ],
  status: "completed",
  rewards: { a: 1, b: null },
  reward: 1,
  timing: { samplingMs: 1, toolMs: 2, gradingMs: 3, wallMs: 4 },
});

const readAll = async (path: string) => {
  const all: Trajectory[] = [];
  for await (const each of readTrajectories(path)) all.push(each);
  return all;
};

describe("stored trajectories", () => {
  const path = () => join(mkdtempSync(join(tmpdir(), "attune-store-")), "deep", "t.jsonl");

  it("come back exactly, typed arrays included, and a torn last line is skipped", async () => {
    const file = path();
    await appendTrajectories(file, [trajectory("a")]);
    await appendTrajectories(file, [trajectory("b")]);
    appendFileSync(file, readFileSync(file, "utf8").slice(0, 50));
    expect(await readAll(file)).toEqual([trajectory("a"), trajectory("b")]);
  });

  it.each([
    ['"format":1', '"format":2', "t.jsonl:1: format: expected 1, got 2"],
    ['"sampled":true', '"gap":["tokens"],"sampled":true', "t.jsonl:1: nodes.1.gap: expected no tokens"],
    ['"reward":1', '"reward":"much"', "t.jsonl:1: reward"],
    ['"tokens":"AQ', '"tokens":"??', "t.jsonl:1: nodes.0.tokens"],
    ['"tokens":"AQAAAAIAAAADAAAA"', '"tokens":"AQAAAAI="', "t.jsonl:1: nodes.0.tokens: not a whole number"],
    [
      /"logprobs":"[^"]+"/,
      '"logprobs":"AACAPw=="',
      "t.jsonl:1: nodes.1.logprobs: expected one for each token",
    ],
    ['"parent":0', '"parent":3', "t.jsonl:1: nodes.1.parent: expected a node that comes before it"],
    ['"status":"completed"', '"status":"fine"', "t.jsonl:1: status"],
    ['"role":"user"', '"role":"narrator"', "t.jsonl:1: nodes.0.message.role"],
  ])("with %s turned into %s are refused by line and field", async (from, to, message) => {
    const file = path();
    await appendTrajectories(file, [trajectory("a")]);
    writeFileSync(file, readFileSync(file, "utf8").replace(from, to));
    await expect(readAll(file)).rejects.toThrow(message);
    await expect(readAll(file)).rejects.toThrow(AttuneError);
  });

  it("lose what a crash left of a line before the next one is written", async () => {
    const file = path();
    await appendTrajectories(file, [trajectory("a")]);
    for (const torn of ['{"format":1,', "x".repeat(200_000)]) {
      appendFileSync(file, torn);
      await appendTrajectories(file, [trajectory("b")]);
    }
    expect((await readAll(file)).map(({ id }) => id)).toEqual(["a", "b", "b"]);
    writeFileSync(file, "torn from the start");
    await appendTrajectories(file, [trajectory("c")]);
    expect(await readAll(file)).toEqual([trajectory("c")]);
  });

  it("with a line in the middle that is not JSON are refused by its number", async () => {
    const file = path();
    await appendTrajectories(file, [trajectory("a")]);
    const line = readFileSync(file, "utf8");
    writeFileSync(file, `${line}nonsense\n${line}`);
    await expect(readAll(file)).rejects.toThrow("t.jsonl:2: not JSON");
    await expect(readAll(file)).rejects.toThrow(AttuneError);
  });
});

describe("paths", () => {
  it("run from a root to each leaf, and the last leaf is the main one", () => {
    const tree = trajectory("a");
    expect(leavesOf(tree)).toEqual([2, 3]);
    expect(pathTo(tree, 2).map(({ tokens }) => [...tokens])).toEqual([[1, 2, 3], [4, 70000], [6]]);
    expect(mainPath(tree).at(-1)!.tokens).toEqual(Int32Array.of(7, 8));
    expect(sampledTokens(tree)).toBe(4);
    expect(toTranscript(tree).map(({ speaker, tokens }) => [speaker, tokens])).toEqual([
      ["user", 3],
      ["assistant", 2],
      ["assistant", 2],
    ]);
  });
});
