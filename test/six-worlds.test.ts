import { spawnSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, it } from "vitest";

const root = join(import.meta.dirname, "..");

it("trains on six worlds in one run, each with a reward and a place in the evaluation of its own", {
  timeout: 240_000,
}, () => {
  const short = readFileSync(join(root, "recipes/six-worlds.config.ts"), "utf8")
    .replace("count: 14400", "count: 48")
    .replace("steps: 4800", "steps: 2")
    .replace("steps: 20", "steps: 1")
    .replace("tasks: 60", "tasks: 1");
  // beside the recipe, so that `attune` resolves as it does there
  const file = join(root, "recipes/six-worlds-short.config.ts");
  const runs = mkdtempSync(join(tmpdir(), "attune-six-"));
  writeFileSync(file, short);
  try {
    const { status, stdout, stderr } = spawnSync(
      process.execPath,
      ["--conditions=attune-source", join(root, "src/cli/main.ts"), "train", file, "--root", runs, "--json"],
      { cwd: root, encoding: "utf8" },
    );
    expect(status, stderr).toBe(0);
    const worlds = ["math", "database", "os", "knowledge-graph", "search", "text2api"];
    expect(Object.keys((JSON.parse(stdout) as { environments: object }).environments)).toEqual(worlds);
    const lines = readFileSync(join(runs, "six-worlds-1/metrics.jsonl"), "utf8").trim().split("\n");
    const [step] = lines
      .map((line) => JSON.parse(line) as Record<string, unknown>)
      .filter(({ stage }) => stage === "rl");
    expect(worlds.map((world) => typeof step![`reward/${world}`])).toEqual(worlds.map(() => "number"));
  } finally {
    rmSync(file, { force: true });
    rmSync(runs, { recursive: true, force: true });
  }
});
