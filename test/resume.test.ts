import { spawn, spawnSync } from "node:child_process";
import { createHash } from "node:crypto";
import { existsSync, mkdtempSync, readdirSync, readFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, it } from "vitest";

const main = join(import.meta.dirname, "../src/cli/main.ts");
const run = (...given: string[]) => spawnSync(process.execPath, [main, ...given], { encoding: "utf8" });
const scratch = () => mkdtempSync(join(tmpdir(), "attune-resume-"));

/** Starts the quickstart's short form and kills it, without warning, when it has written so many metrics. */
async function killAfter(
  metrics: number,
  signal: NodeJS.Signals,
): Promise<{ run: string; stderr: string; code: number | null }> {
  const root = scratch();
  const child = spawn(process.execPath, [main, "quickstart", "--quick", "--root", root, "--json"]);
  let stderr = "";
  child.stderr.on("data", (data: Buffer) => {
    stderr += data.toString();
  });
  const path = join(root, "quickstart-1", "metrics.jsonl");
  const timer = setInterval(() => {
    if (existsSync(path) && readFileSync(path, "utf8").split("\n").length > metrics) {
      clearInterval(timer);
      child.kill(signal);
    }
  }, 5);
  const code = await new Promise<number | null>((resolve) =>
    child.on("exit", (exitCode) => resolve(exitCode)),
  );
  clearInterval(timer);
  return { run: join(root, "quickstart-1"), stderr, code };
}

/** Checksums of the last checkpoint's weights and optimizer, and what the run remembers beside them. */
function endOf(directory: string) {
  const checkpoint = join(directory, "checkpoints", "rl");
  const hash = (path: string) => createHash("sha256").update(readFileSync(path)).digest("hex");
  const lines = readFileSync(join(directory, "metrics.jsonl"), "utf8")
    .trim()
    .split("\n")
    .map((line) => JSON.parse(line) as { stage: string; step: number; loss?: number });
  return {
    weights: hash(join(checkpoint, "model.safetensors")),
    optimizer: hash(join(checkpoint, "optimizer.safetensors")),
    steps: lines.map(({ stage, step }) => `${stage} ${step}`),
    losses: lines.map(({ loss }) => loss),
    checkpoints: readdirSync(join(directory, "checkpoints")).sort(),
    trajectories: readFileSync(join(directory, "trajectories", "rl.jsonl"), "utf8").split("\n").length,
  };
}

it("ends with the same weights, bit for bit, when it is killed in any stage and resumed", {
  timeout: 300_000,
}, async () => {
  const root = scratch();
  const whole = run("quickstart", "--quick", "--root", root, "--json");
  expect(whole.status, whole.stderr).toBe(0);
  const expected = endOf(join(root, "quickstart-1"));
  for (const metrics of [6, 24, 42]) {
    const killed = await killAfter(metrics, "SIGKILL");
    expect(killed.code).toBeNull();
    const resumed = run("quickstart", "--quick", "--resume", killed.run, "--json");
    expect(resumed.status, resumed.stderr).toBe(0);
    expect(endOf(killed.run)).toEqual(expected);
    const [before, after] = [whole.stdout, resumed.stdout].map(
      (text) => (JSON.parse(text) as { environments: unknown }).environments,
    );
    expect(after).toEqual(before);
  }
});

it("stops cleanly when asked to, says how to go on, and goes on", { timeout: 120_000 }, async () => {
  const { run: directory, stderr, code } = await killAfter(12, "SIGINT");
  expect(code).toBe(130);
  expect(stderr).toContain(`quickstart --quick --resume ${directory}`);
  const checkpoints = readdirSync(join(directory, "checkpoints"));
  expect(checkpoints.length).toBeGreaterThan(0);
  expect(run("quickstart", "--quick", "--resume", directory, "--json").status).toBe(0);
});

it("refuses to go on with another config, with no run, or with a broken checkpoint", {
  timeout: 120_000,
}, async () => {
  const { run: directory } = await killAfter(12, "SIGKILL");
  const other = run("quickstart", "--resume", directory);
  expect(other.status).toBe(2);
  expect(other.stderr).toMatch(
    /config.json: the config has changed since the run was started: config\.\S+ was .* and is/,
  );
  const nowhere = run("quickstart", "--resume", join(directory, "nothing"));
  expect(nowhere.stderr.trim().split("\n")).toHaveLength(1);
  expect(nowhere.status).toBe(1);
});
