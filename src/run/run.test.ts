import { appendFileSync, existsSync, mkdirSync, mkdtempSync, readFileSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { initialProgress } from "./progress.ts";
import { createRun, listRuns, openRun, readProgress } from "./run.ts";

const root = () => mkdtempSync(join(tmpdir(), "attune-run-"));
const create = (directory: string, seconds = 0) =>
  createRun({
    root: directory,
    name: "demo",
    seed: 7,
    config: { steps: 3 },
    version: "0",
    now: new Date(seconds * 1000),
  });

describe("a run directory", () => {
  it("is numbered, and listed newest first", async () => {
    const directory = root();
    await create(directory, 1).close();
    await create(directory, 2).close();
    expect(listRuns(directory)).toEqual(["demo-2", "demo-1"]);
    expect(listRuns(join(directory, "nowhere"))).toEqual([]);
  });

  it("is locked while a live process has it open, and free again after", async () => {
    const run = create(root());
    expect(() => openRun(run.directory)).toThrow(`process ${process.pid} has this run open`);
    await run.close();
    await openRun(run.directory).close();
  });

  it("is taken over from a process that is gone", async () => {
    const run = create(root());
    await run.close();
    writeFileSync(run.layout.lock, "999999999");
    await openRun(run.directory).close();
  });

  it("rewinds metrics to the last committed step, a torn line included", async () => {
    const run = create(root());
    for (const step of [0, 1, 2])
      run.appendMetrics({ stage: "sft", stageIndex: 0, step, loss: 1 / (step + 1) });
    appendFileSync(run.layout.metrics, '{"stage":"sf');
    await run.commit({ ...initialProgress, stepsDone: 2 }, { keep: () => true });
    await run.rewind(["sft"]);
    const lines = readFileSync(run.layout.metrics, "utf8").trim().split("\n");
    expect(lines.map((line) => JSON.parse(line).step)).toEqual([0, 1]);
    await run.close();
  });

  it("keeps the checkpoint that progress points at and those asked for, and removes the rest", async () => {
    const run = create(root());
    for (const name of ["a", "b", "c"]) mkdirSync(run.layout.checkpoint(name), { recursive: true });
    await run.commit({ ...initialProgress, checkpoint: "c" }, { keep: (name) => name === "a" });
    expect(["a", "b", "c"].map((name) => existsSync(run.layout.checkpoint(name)))).toEqual([
      true,
      false,
      true,
    ]);
    await run.close();
  });

  it("says in one line what is wrong with a broken manifest or progress", async () => {
    const run = create(root());
    await run.close();
    writeFileSync(run.layout.progress, '{"format":1}');
    expect(() => readProgress(run.directory)).toThrow(
      /progress.json: expected a run's progress, but stageIndex/,
    );
    writeFileSync(run.layout.manifest, "not json");
    expect(() => openRun(run.directory)).toThrow(/run.json: expected a JSON file, got/);
  });
});
