import { spawnSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import type { HealthReport } from "../src/environment/health-report.ts";

const root = join(import.meta.dirname, "..");
const read = (path: string) => readFileSync(join(root, path), "utf8");
const attune = (...given: string[]) =>
  spawnSync(process.execPath, ["--conditions=attune-source", join(root, "src/cli/main.ts"), ...given], {
    cwd: root,
    encoding: "utf8",
  });

function check(config: string, ...given: string[]) {
  const { status, stdout, stderr } = attune("check", config, "--json", ...given);
  expect(stderr).toBe("");
  const reports = stdout.trim().split("\n");
  return { status, reports: reports.map((line) => JSON.parse(line) as HealthReport) };
}

describe("the environment that the documentation writes", () => {
  const source = read("recipes/booking.ts");

  it("has fewer than 60 lines, and stands in the page as it is in its file", () => {
    expect(source.trimEnd().split("\n").length).toBeLessThan(60);
    const page = read("docs/environments/writing-your-own.md");
    const blocks = [...page.matchAll(/```ts\n([\s\S]*?)```/g)].map(([, code]) => code);
    expect(blocks).toContain(source);
    expect(blocks).toContain(read("recipes/booking.config.ts"));
  });

  it("is healthy, and held to what players without a purpose may earn", () => {
    const { status, reports } = check("recipes/booking.config.ts");
    expect(reports).toMatchObject([
      { environment: "booking", ok: true, findings: [], rewards: { careful: 1, null: 0, everything: 0 } },
    ]);
    expect(reports[0]!.rewards["random"]).toBeLessThan(0.2);
    expect(Object.keys(reports[0]!.tools).sort()).toEqual(["book", "look"]);
    expect(status).toBe(0);
  });

  it("is solved by its expert on tasks that were held out", () => {
    const given = ["recipes/booking.config.ts", "--policy", "expert:careful", "--tasks", "100", "--json"];
    const { status, stdout, stderr } = attune("eval", ...given);
    expect([status, stderr]).toEqual([0, ""]);
    expect(stdout).toContain('"success":1');
  });

  it("can be trained on", () => {
    // inside of the repository, so that `attune` resolves as it does for a reader
    const file = join(root, "booking-example.config.ts");
    const runs = mkdtempSync(join(tmpdir(), "attune-booking-"));
    const short = read("recipes/booking.config.ts")
      .replace("./booking.ts", "./recipes/booking.ts")
      .replace('name: "booking",', 'name: "booking",\n  evaluation: { tasks: 1 },')
      .replace("count: 500", "count: 20")
      .replace(/steps: \d+/g, "steps: 1");
    writeFileSync(file, short);
    try {
      const { status, stderr, stdout } = attune("train", file, "--root", runs, "--json");
      expect(status, stderr).toBe(0);
      expect(JSON.parse(stdout)).toMatchObject({ environments: { booking: {} } });
    } finally {
      rmSync(file, { force: true });
    }
  });
});

it("refuses what only looks like an environment in one line", () => {
  const folder = mkdtempSync(join(tmpdir(), "attune-own-"));
  const file = join(folder, "hollow.ts");
  writeFileSync(file, "export default { tasks() {}, start() {} };");
  try {
    const { status, stderr } = attune("check", file);
    expect(status).toBe(2);
    expect(stderr).toMatch(/^attune: .*hollow\.ts: expected an environment made with defineEnvironment.*\n$/);
  } finally {
    rmSync(folder, { recursive: true });
  }
});

describe("environments that are broken on purpose", () => {
  const { status, reports } = check("test/fixtures/broken.config.ts", "--tasks", "40", "--concurrency", "20");
  const findings = (name: string) =>
    reports
      .find(({ environment }) => environment === name)!
      .findings.map((line) => line.replaceAll(/\d+/g, "9"));
  const why: Record<string, RegExp> = {
    "non-deterministic": /^task \S+ went another way when the same actions were taken again$/,
    unsolvable:
      /^careful: 9 of 9 episodes did not earn 9 of "drawn"; the first on task \S+ \(draw\): completed$/,
    generous: /^null: earns 9\.9 on average, expected at most 9\.9$/,
    flaky: /^tool "draw" broke in 9 of 9 calls$/,
    leaking: /^9 of 9 sessions were never closed$/,
  };

  it("make the check fail, while the same world without a fault is healthy", () => {
    expect(status).toBe(1);
    const healthy = reports.filter(({ ok }) => ok).map(({ environment }) => environment);
    expect(healthy).toEqual(["sound"]);
  });

  it.each(Object.entries(why))("says in one line why a %s one is", (name, line) => {
    expect(findings(name)).toContainEqual(expect.stringMatching(line));
    for (const finding of findings(name)) expect(finding).not.toContain("\n");
    // and blames it for nothing that only others do
    for (const [other, elsewhere] of Object.entries(why))
      if (other !== name) expect(findings(name).filter((finding) => elsewhere.test(finding))).toEqual([]);
  });

  it("says all of it about one that has every fault", () => {
    for (const line of Object.values(why))
      expect(findings("hopeless")).toContainEqual(expect.stringMatching(line));
  });

  it("measures how often a tool breaks, and calls it the world's doing", () => {
    const { failureRatio } = reports.find(({ environment }) => environment === "flaky")!.tools["draw"]!;
    expect(failureRatio.infrastructure).toBeCloseTo(0.2, 1);
    expect(failureRatio.tool_error).toBeLessThan(0.5);
  });

  it("are not trained on", () => {
    const { status, stderr } = attune("train", "test/fixtures/broken.config.ts", "--root", tmpdir());
    expect(status).not.toBe(0);
    expect(stderr).toMatch(/environment "non-deterministic" is not healthy: task \S+ went another way/);
  });
});
