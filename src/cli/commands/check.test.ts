import { spawnSync } from "node:child_process";
import { mkdtempSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import type { HealthReport } from "../../environment/health-report.ts";
import { gym } from "../../gym/index.ts";

const root = join(import.meta.dirname, "../../..");
const attune = (...given: string[]) =>
  spawnSync(process.execPath, ["--conditions=attune-source", join(root, "src/cli/main.ts"), ...given], {
    cwd: root,
    encoding: "utf8",
  });
const reports = (stdout: string) =>
  stdout
    .trim()
    .split("\n")
    .map((line) => JSON.parse(line) as HealthReport);

describe("attune check", { timeout: 120_000 }, () => {
  it("prints one object per environment, with the table, the thresholds and the verdict", () => {
    const { status, stdout } = attune("check", "--all", "--json", "--tasks", "4", "--concurrency", "6");
    const all = reports(stdout);
    expect(all.map(({ environment }) => environment)).toEqual(Object.keys(gym));
    expect(status).toBe(all.every(({ ok }) => ok) ? 0 : 1);
    const calculator = all.find(({ environment }) => environment === "calculator")!;
    expect(calculator).toMatchObject({
      ok: true,
      findings: [],
      thresholds: { fullReward: 1, baselineShare: 0.2, infrastructureFailures: 0.01 },
      load: { concurrency: 6, openAtOnce: 6, broken: 0 },
      sessions: { leaked: 0 },
      tools: { calc: { retries: 0, leakedSessions: 0, failureRatio: { infrastructure: 0, timeout: 0 } } },
    });
    expect(Object.keys(calculator.tools["calc"]!.latencyMs)).toEqual(["p50", "p95", "p99"]);
  });

  it("fails where a threshold is passed, and shows by whose doing", () => {
    const given = ["check", "calculator", "--tasks", "20", "--faults", "fail=0.3"];
    const { status, stdout } = attune(...given, "--json");
    const [report] = reports(stdout);
    expect([status, report!.ok]).toEqual([1, false]);
    expect(report!.findings).toContainEqual(expect.stringMatching(/^tool "calc" broke in \d+ of \d+ calls$/));
    expect(report!.tools["calc"]!.failureRatio.infrastructure).toBeGreaterThan(0.2);
    const shown = attune(...given);
    expect(shown.stdout).toMatch(/calculator: not healthy/);
    expect(shown.stdout).toMatch(/tool +calls +success +bad arguments +errors +timeouts +broken +p50/);
    expect(attune(...given.slice(0, 4), "--p99", "0").stdout).toMatch(/expected at most 0 ms/);
  });

  it("waits half a second, not ten, for a call that was made to hang", () => {
    const { stdout } = attune("check", "calculator", "--tasks", "4", "--faults", "hang=0.2", "--json");
    const { failures, latencyMs } = reports(stdout)[0]!.tools["calc"]!;
    expect(failures.timeout).toBeGreaterThan(0);
    expect(latencyMs.p99).toBeGreaterThan(400);
    expect(latencyMs.p99).toBeLessThan(5000);
  });

  it.each([
    [["--faults", "rain=0.1"], /faults: no fault "rain"; there are fail, delay, hang, crash, garbage/],
    [["--faults", "fail=2"], /faults: expected fail between 0 and 1, got 2/],
    [["--concurrency", "0"], /expected a whole number above 0, got "0"/],
  ])("refuses %j in one line", (given, message) => {
    const { status, stderr, stdout } = attune("check", "calculator", ...given);
    expect([status, stdout]).toEqual([2, ""]);
    expect(stderr).toMatch(message);
  });

  it("names what is wrong with a world of one's own in one line", () => {
    const scratch = mkdtempSync(join(tmpdir(), "attune-check-"));
    const source = (changes: string) => `
      import { correct, defineEnvironment, defineRun, embedded, scripted, taskStream, tool } from "${join(root, "src/index.ts")}";
      const bell = (name, input = { type: "object" }) => tool({ name, description: "", input, execute: () => "ring" });
      const world = { name: "own", description: "",
        start: () => ({ messages: [{ role: "user", content: "?" }], tools: [] }),
        tasks: ({ split, seed }) => taskStream({ environment: "own", salt: "b", split, seed, kinds: { k: (random) => { const n = random.integer(1e6); return { input: n, answer: String(n), key: String(n) }; } } }),
        rewards: { correct: correct() }, experts: { careful: ({ answer }) => scripted(() => ({ answer: String(answer) })) }, ${changes} };
      export default defineRun({ name: "own", environments: [defineEnvironment(world)], trainer: embedded({ model: "nano" }), stages: [{ name: "sft", sft: { demonstrations: { count: 10 } } }] });`;
    const messages = 'messages: [{ role: "user", content: "?" }]';
    const sick: [string, RegExp][] = [
      [`start: () => ({ ${messages}, tools: [bell("reset")] })`, /^tool "reset" has a reserved name$/],
      [`start: () => ({ ${messages}, tools: [bell("a"), bell("a")] })`, /^tool "a" is there twice$/],
      [
        `start: () => ({ ${messages}, tools: [bell("a", { type: "ring" })] })`,
        /^tool "a": its input is not a JSON Schema/,
      ],
      ["rewards: { r: { weight: 1, grade: () => NaN } }", /reward "r" on task \w+: expected a finite number/],
      [
        'tasks: ({ seed }) => taskStream({ environment: "own", salt: "b", split: "train", seed, kinds: { k: () => ({ input: 1, answer: "1", key: "abc" }) } })',
        /^task \w+ is in both splits$/,
      ],
      [
        `start: () => ({ ${messages}, tools: [], respond: () => [{ role: "user", content: "?" }] })`,
        /^a session never ends/,
      ],
    ];
    for (const [index, [changes, finding]] of sick.entries()) {
      const path = join(scratch, `own-${index}.config.ts`);
      writeFileSync(path, source(changes));
      const { status, stdout, stderr } = attune(
        "check",
        path,
        "--tasks",
        "3",
        "--concurrency",
        "3",
        "--json",
      );
      expect([status, stderr], changes).toEqual([1, ""]);
      const [report] = reports(stdout);
      expect(report!.environment).toBe("own");
      expect(report!.findings, changes).toContainEqual(expect.stringMatching(finding));
    }
  });
});
