import { type ChildProcess, spawn, spawnSync } from "node:child_process";
import { existsSync, mkdtempSync, readFileSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { readTrajectories } from "../src/trajectory/store.ts";
import { type RedisServer, startRedis, whyNoRedis } from "./redis-server.ts";

const main = join(import.meta.dirname, "../src/cli/main.ts");
const bells = join(import.meta.dirname, "fixtures/workers.config.ts");
const reason = whyNoRedis();
if (reason) process.stderr.write(`attune worker is not tested: ${reason}\n`);

describe.skipIf(reason !== undefined)("a run with workers", () => {
  let redis: RedisServer;
  const workers: ChildProcess[] = [];
  beforeAll(async () => {
    redis = await startRedis();
  });
  afterAll(async () => {
    for (const worker of workers) worker.kill("SIGKILL");
    await redis.stop();
  });

  const attune = async (...given: string[]) => {
    const child = spawn(process.execPath, [main, ...given], { stdio: ["ignore", "pipe", "pipe"] });
    let stdout = "";
    let stderr = "";
    child.stdout.on("data", (data: Buffer) => {
      stdout += data.toString();
    });
    child.stderr.on("data", (data: Buffer) => {
      stderr += data.toString();
    });
    const code = await new Promise((resolve) => child.on("exit", resolve));
    return { code, stdout, stderr };
  };
  const startWorker = (config: string) => {
    const given = [main, "worker", config, "--redis", redis.url, "--lease", "2", "--concurrency", "8"];
    const worker = {
      said: "",
      child: spawn(process.execPath, given, { stdio: ["ignore", "ignore", "pipe"] }),
    };
    worker.child.stderr.on("data", (data: Buffer) => {
      worker.said += data.toString();
    });
    workers.push(worker.child);
    return worker;
  };
  const played = async (run: string, series: string) => {
    const all = [];
    for await (const each of readTrajectories(join(run, "trajectories", `${series}.jsonl`))) all.push(each);
    return all.map(({ id, seed, status, reward, nodes }) => ({
      id,
      seed,
      status,
      reward,
      tokens: nodes.map(({ tokens }) => [...tokens]),
    }));
  };

  it("trains on what it would have played itself, evaluations too, and shows who plays", async () => {
    const root = mkdtempSync(join(tmpdir(), "attune-workers-"));
    const alone = await attune("train", bells, "--root", root, "--force", "--json");
    expect(alone.code, alone.stderr).toBe(0);
    const [first] = [startWorker(bells), startWorker(bells)];
    const both = await attune("train", bells, "--root", root, "--force", "--json", "--workers", redis.url);
    expect(both.code, both.stderr).toBe(0);
    expect(both.stderr).toMatch(
      /1 worker alive, 8 episodes at a time|2 workers alive, 16 episodes at a time/,
    );
    const runs = [alone, both].map(({ stdout }) => (JSON.parse(stdout) as { run: string }).run);
    for (const series of ["rl", "eval-untrained"]) {
      const [here, elsewhere] = await Promise.all(runs.map((run) => played(run, series)));
      expect(elsewhere!.length).toBeGreaterThan(5);
      expect(elsewhere).toEqual(here);
    }
    const metrics = readFileSync(join(runs[1]!, "metrics.jsonl"), "utf8").trim().split("\n");
    const lines = metrics.map((line) => JSON.parse(line) as Record<string, number>);
    expect(lines.map((line) => line["workers/duplicates"])).toEqual([0, 0, 0]);
    expect(lines.every((line) => line["sessions/opened"]! >= 16 && line["sessions/leaked"] === 0)).toBe(true);
    // the same run may go on without them: where an episode is played is not part of what it is
    const config = readFileSync(join(runs[1]!, "config.json"), "utf8");
    expect(config).toBe(readFileSync(join(runs[0]!, "config.json"), "utf8"));

    first!.child.kill("SIGINT");
    expect(await new Promise((resolve) => first!.child.on("exit", resolve))).toBe(0);
    expect(first!.said).toMatch(
      /worker \S+ plays for "bells" at redis:\/\/127.0.0.1:\d+, 8 episodes at a time/,
    );
    expect(first!.said).toMatch(/-\w+\/\d: completed, reward \d\.\d\d, \d\.\d s/);
  });

  it("samples from the embedded engine over HTTP: the same tokens, and log-probabilities to rounding", async () => {
    const folder = mkdtempSync(join(tmpdir(), "attune-workers-"));
    const path = join(folder, "nano.config.ts");
    const index = JSON.stringify(join(import.meta.dirname, "../src/index.ts"));
    writeFileSync(
      path,
      `import { atlas, defineRun, embedded, grpo } from ${index};
      export default defineRun({
        name: "nano-workers",
        environments: [atlas()],
        trainer: embedded({ model: "nano" }),
        evaluation: { tasks: 4, untrained: false },
        stages: [
          { name: "sft", sft: { demonstrations: { count: 60 }, steps: 15 } },
          { name: "rl", rl: { algorithm: grpo(), steps: 1, groupSize: 4, groupsPerStep: 4, emptyStepsAllowed: 9 } },
        ],
      });\n`,
    );
    const runOf = async (...more: string[]) => {
      const { code, stdout, stderr } = await attune("train", path, "--root", folder, "--json", ...more);
      expect(code, stderr).toBe(0);
      const all = [];
      const { run } = JSON.parse(stdout) as { run: string };
      for await (const each of readTrajectories(join(run, "trajectories", "rl.jsonl"))) all.push(each);
      return all;
    };
    startWorker(path);
    const elsewhere = await runOf("--workers", redis.url);
    const here = await runOf();
    expect(elsewhere).toHaveLength(16);
    for (const [position, { nodes }] of here.entries())
      for (const [place, { tokens, logprobs }] of nodes.entries()) {
        const other = elsewhere[position]!.nodes[place]!;
        expect(other.tokens).toEqual(tokens);
        for (const [index_, logprob] of (logprobs ?? []).entries())
          expect(other.logprobs![index_]).toBeCloseTo(logprob, 4);
      }
  });

  it("says in one line what is wrong with the options", () => {
    const run = (...given: string[]) => spawnSync(process.execPath, [main, ...given], { encoding: "utf8" });
    const nowhere = run("worker", bells, "--redis", "redis://127.0.0.1:1");
    expect([nowhere.status, nowhere.stderr]).toEqual([
      1,
      expect.stringMatching(/^attune: redis redis:\/\/127.0.0.1:1: cannot be reached: .*\n$/),
    ]);
    const address = run("train", bells, "--workers", "127.0.0.1");
    expect([address.status, address.stderr]).toEqual([
      2,
      expect.stringContaining("expected an address like"),
    ]);
    const host = run("train", bells, "--policy-host", "10.0.0.1");
    expect([host.status, host.stderr]).toEqual([2, expect.stringContaining("are of --workers")]);
    expect(existsSync("runs/bells-1")).toBe(false);
  });
});
