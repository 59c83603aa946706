import { spawnSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { readTrajectories } from "../src/trajectory/store.ts";

const root = join(import.meta.dirname, "..");
const recipe = join(root, "recipes/price-agents.config.ts");

const attune = (...given: string[]) =>
  spawnSync(process.execPath, ["--conditions=attune-source", join(root, "src/cli/main.ts"), ...given], {
    cwd: root,
    encoding: "utf8",
  });

describe("agents that exist already, of the AI SDK and of the OpenAI Agents SDK", () => {
  it("are collected, graded and exported", async () => {
    const output = join(mkdtempSync(join(tmpdir(), "attune-agents-")), "collected.jsonl");
    const collected = attune("collect", recipe, "--tasks", "3", "--output", output, "--json");
    expect(collected.stderr).toBe("");
    expect(JSON.parse(collected.stdout)).toMatchObject({ trajectories: 6, meanReward: 1 });
    const agents = new Set<string>();
    for await (const { task, calls, reward } of readTrajectories(output)) {
      agents.add(task.environment);
      expect(reward).toBe(1);
      expect(calls.map(({ name }) => name)).toEqual(["price", "multiply"]);
    }
    expect([...agents]).toEqual(["ai-sdk", "openai-agents"]);
    const exported = `${output}.openai.jsonl`;
    expect(attune("export", output, exported, "--format", "openai").stderr).not.toContain("attune:");
    const rows = readFileSync(exported, "utf8").trim().split("\n");
    expect(rows).toHaveLength(6);
    const { messages } = JSON.parse(rows[0]!) as { messages: { role: string }[] };
    expect(messages.map(({ role }) => role)).toEqual([
      "user",
      "assistant",
      "tool",
      "assistant",
      "tool",
      "assistant",
    ]);
  });

  it("are checked as any world is, many at once", () => {
    const { stdout, status } = attune("check", recipe, "--tasks", "5", "--concurrency", "32", "--json");
    expect(status).toBe(0);
    const reports = stdout
      .trim()
      .split("\n")
      .map((line) => JSON.parse(line) as { ok: boolean; load: object });
    expect(reports).toHaveLength(2);
    for (const report of reports)
      expect(report).toMatchObject({ ok: true, load: { openAtOnce: 32, broken: 0 } });
  });

  it("are trained by the embedded engine", { timeout: 240_000 }, () => {
    const short = readFileSync(recipe, "utf8")
      .replace("count: 960", "count: 40")
      .replace("steps: 120", "steps: 2")
      .replace("steps: 20,", "steps: 1, groupsPerStep: 2, groupSize: 2,")
      .replace("tasks: 100", "tasks: 2");
    // beside the recipe, so that `attune` resolves as it does there
    const file = join(root, "recipes/price-agents-short.config.ts");
    const runs = mkdtempSync(join(tmpdir(), "attune-agents-"));
    writeFileSync(file, short);
    try {
      const { status, stdout, stderr } = attune("train", file, "--root", runs, "--json");
      expect(status, stderr).toBe(0);
      const { environments } = JSON.parse(stdout) as { environments: object };
      expect(Object.keys(environments)).toEqual(["ai-sdk", "openai-agents"]);
      const lines = readFileSync(join(runs, "price-agents-1/metrics.jsonl"), "utf8").trim().split("\n");
      const [step] = lines
        .map((line) => JSON.parse(line) as Record<string, unknown>)
        .filter(({ stage }) => stage === "rl");
      expect(step!["tokensSampled"]).toBeGreaterThan(0);
      expect(typeof step!["reward/ai-sdk"]).toBe("number");
      expect(typeof step!["reward/openai-agents"]).toBe("number");
    } finally {
      rmSync(file, { force: true });
      rmSync(runs, { recursive: true, force: true });
    }
  });
});
