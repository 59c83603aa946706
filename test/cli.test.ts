import { spawnSync } from "node:child_process";
import { mkdtempSync, readFileSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, it } from "vitest";

const root = join(import.meta.dirname, "..");
const scratch = mkdtempSync(join(tmpdir(), "attune-cli-"));
const attune = (...given: string[]) =>
  spawnSync(process.execPath, ["--conditions=attune-source", join(root, "src/cli/main.ts"), ...given], {
    cwd: root,
    encoding: "utf8",
  });

function config(name: string, source: string): string {
  const path = join(scratch, name);
  writeFileSync(path, source);
  return path;
}

describe("the command line", () => {
  it("prints one JSON object and nothing else, also when npm starts it", () => {
    const { npm_config_loglevel: _, ...env } = process.env;
    const runs = mkdtempSync(join(tmpdir(), "attune-start-"));
    const given = ["start", "--", "--quick", "--json", "--root", runs];
    const { status, stdout } = spawnSync("npm", given, { cwd: root, encoding: "utf8", env });
    expect(status).toBe(0);
    const { environments, run } = JSON.parse(stdout) as { environments: object; run: string };
    expect(Object.keys(environments)).toEqual(["calculator", "atlas", "files"]);
    expect(run).toContain(runs);
  });

  it("explains itself and every command", () => {
    const help = attune("--help");
    expect(help.status).toBe(0);
    for (const command of [
      "quickstart",
      "train",
      "sft",
      "collect",
      "eval",
      "show",
      "rescore",
      "replay",
      "check",
      "runs",
    ]) {
      expect(help.stdout).toContain(command);
      const own = attune(command, "--help");
      expect(own.status, command).toBe(0);
      expect(own.stdout).toContain("--json");
    }
  });

  it.each([
    [["chekc"], 2, /Did you mean check\?/],
    [["quickstart", "--sed", "1"], 2, /unknown option '--sed'/],
    [["quickstart", "--seed", "one"], 2, /expected a whole number, got "one"/],
    [["check"], 2, /built in are calculator, atlas, files/],
    [["check", "nowhere"], 2, /no environment "nowhere"; there are calculator/],
    [["eval", "calculator"], 2, /--policy/],
    [["eval", "bfcl", "conformance", "nowhere"], 1, /nowhere: no folder conformance/],
    [["eval", "calculator", "--policy", "runs/none"], 2, /runs\/none: there is no such run/],
    [
      ["eval", "calculator", "--policy", "expert:lazy", "--tasks", "1"],
      2,
      /no expert "lazy"; it has careful, hasty/,
    ],
    [["train", "none.config.ts"], 2, /there is no such config file/],
    [["show", "nothing", "--root", scratch], 2, /not a run or a file/],
    [["quickstart", "--resume", scratch], 1, /run.json: expected a JSON file/],
  ])("answers %j with exit code %d and one line", (given, code, message) => {
    const { status, stderr, stdout } = attune(...(given as string[]));
    expect(status).toBe(code);
    expect(stderr).toMatch(message);
    expect(stderr).not.toMatch(/^ {4}at /m);
    expect(stdout).toBe("");
  });

  it.each([
    ["that is not TypeScript", "export default {", /cannot be loaded/],
    ["without a default export", "export const x = 1;", /expected a default export made with defineRun/],
    ["that throws", "throw new Error('no luck');", /cannot be loaded: no luck/],
    [
      "without stages",
      'export default { name: "x", environments: [{ name: "a" }], stages: [] };',
      /run "x": expected at least one stage/,
    ],
  ])("refuses a config %s in one line", (name, source, message) => {
    const { status, stderr } = attune("train", config(`${name.replaceAll(" ", "-")}.config.ts`, source));
    expect(status).toBe(2);
    expect(stderr).toMatch(message);
    expect(stderr.trim().split("\n")).toHaveLength(1);
  });

  it("shows where an error came from when asked", () => {
    expect(attune("check", "nowhere", "--verbose").stderr).toMatch(/^ {4}at /m);
  });

  it("prints one JSON object and nothing else with --json", () => {
    const check = attune("check", "calculator", "--tasks", "5", "--json");
    expect(JSON.parse(check.stdout)).toMatchObject({ environment: "calculator", ok: true });
    const evaluated = attune(
      "eval",
      "atlas",
      "--policy",
      "expert:careful",
      "--policy",
      "expert:hasty",
      "--tasks",
      "30",
      "--k",
      "2",
      "--json",
    );
    const { policies, comparison } = JSON.parse(evaluated.stdout) as {
      policies: Record<string, { success: number }>;
      comparison: { difference: number };
    };
    expect(policies["expert:careful"]!.success).toBe(1);
    expect(comparison.difference).toBeLessThan(0);
    expect(JSON.parse(attune("runs", "--root", scratch, "--json").stdout)).toEqual({ runs: [] });
  });

  it("keeps trajectories that can be read again, and overwrites none", () => {
    const output = join(scratch, "kept.jsonl");
    const collected = attune("collect", "files", "--tasks", "4", "--output", output, "--json");
    expect(JSON.parse(collected.stdout)).toMatchObject({ trajectories: 4, meanReward: 1 });
    const shown = attune("show", `${output}:2`);
    expect(shown.stdout).toContain("→ shell");
    expect(attune("collect", "files", "--output", output).stderr).toContain("exists already");
    writeFileSync(output, '{"format":9}\n{}\n');
    expect(attune("show", output).stderr).toMatch(/kept.jsonl:1: format/);
  });

  it("rescores and replays what was collected, and tells what has changed", () => {
    const folder = mkdtempSync(join(tmpdir(), "attune-stored-"));
    const output = join(folder, "collected.jsonl");
    attune("collect", "calculator", "--tasks", "3", "--output", output);
    expect(JSON.parse(attune("replay", output, "--json").stdout)).toEqual({
      replayed: 3,
      same: 3,
      different: [],
      unknown: {},
    });
    const lines = readFileSync(output, "utf8");
    writeFileSync(output, lines.replace('"reward":1', '"reward":0.5'));
    const rescored = join(folder, "rescored.jsonl");
    expect(JSON.parse(attune("rescore", output, "--output", rescored, "--json").stdout)).toMatchObject({
      trajectories: 3,
      changed: 1,
      meanReward: { after: 1 },
      problems: {},
    });
    expect(readFileSync(rescored, "utf8")).toBe(lines);
    writeFileSync(output, lines.replaceAll('"environment":"calculator"', '"environment":"elsewhere"'));
    expect(attune("rescore", output, "--output", join(folder, "as-is.jsonl")).stdout).toContain(
      '3 × environment "elsewhere" was not given',
    );
    expect(JSON.parse(attune("replay", output, "--json").stdout)).toMatchObject({
      replayed: 0,
      unknown: { elsewhere: 3 },
    });
    expect(attune("replay", folder).stderr).toContain("expected a run's directory or a file of trajectories");
  });

  it("fails the check of a world whose expert is wrong or whose reward is blind, and will not train on it", () => {
    const source = (grade: string) => `
      import { defineEnvironment, defineRun, embedded, scripted, taskStream } from "${join(root, "src/index.ts")}";
      const world = defineEnvironment({ name: "blind", description: "", start: () => ({ messages: [{ role: "user", content: "?" }], tools: [] }),
        tasks: ({ split, seed }) => taskStream({ environment: "blind", salt: "b", split, seed, kinds: { k: (random) => { const n = random.integer(1e6); return { input: n, answer: String(n), key: String(n) }; } } }),
        rewards: { correct: { weight: 1, grade: ${grade} } }, experts: { careful: ({ answer }) => scripted(() => ({ answer: String(answer) })) } });
      export default defineRun({ name: "blind", environments: [world], trainer: embedded({ model: "nano" }), stages: [{ name: "sft", sft: { demonstrations: { count: 10 } } }] });`;
    const blind = config("blind.config.ts", source("() => 1"));
    const check = attune("check", blind, "--tasks", "10");
    expect(check.status).toBe(1);
    expect(check.stdout).toMatch(/not healthy/);
    const trained = attune("train", blind);
    expect(trained.status).toBe(1);
    expect(trained.stderr).toMatch(/environment "blind" is not healthy: .*--force/);
    const broken = config("nan.config.ts", source("() => Number.NaN"));
    expect(attune("check", broken, "--tasks", "5").stdout).toMatch(/expected a finite number, got NaN/);
  });
});
