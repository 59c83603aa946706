import { globSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, it } from "vitest";

/** The floor plan: what each room may import. ARCHITECTURE.md says what the rooms are for. */
const plan: Record<string, readonly string[]> = {
  spec: [],
  kit: [],
  trajectory: ["spec", "kit"],
  render: ["spec", "kit"],
  reward: ["spec", "kit", "trajectory"],
  monitor: ["spec", "kit", "trajectory"],
  environment: ["spec", "kit", "reward", "monitor"],
  sandbox: ["spec", "kit"],
  connect: ["spec", "kit", "environment"],
  gym: ["spec", "kit", "environment", "reward", "sandbox", "connect", "eval"],
  rollout: ["spec", "kit", "trajectory", "render"],
  gateway: ["spec", "kit", "trajectory", "connect"],
  agent: ["spec", "kit", "trajectory", "environment", "gateway"],
  queue: ["spec", "kit", "trajectory", "rollout", "environment", "connect"],
  algorithm: ["spec", "kit"],
  batch: ["spec", "kit", "trajectory"],
  data: ["spec", "kit", "trajectory"],
  engine: ["spec", "kit"],
  eval: ["spec", "kit", "data", "trajectory", "rollout"],
  run: ["spec", "kit", "trajectory"],
  train: [
    "spec",
    "kit",
    "data",
    "trajectory",
    "rollout",
    "batch",
    "eval",
    "run",
    "reward",
    "environment",
    "monitor",
  ],
  testing: ["spec", "kit"],
  cli: ["*"],
  "index.ts": ["*"],
  "embedded.ts": ["*"],
};

const root = join(import.meta.dirname, "../src");
const files = globSync("**/*.ts", { cwd: root }).filter((file) => !file.endsWith(".test.ts"));

const importedRooms = (file: string) =>
  [...readFileSync(join(root, file), "utf8").matchAll(/(?:from|import\()\s*"(\.[^"]+)"/g)]
    .map((match) => join(file, "..", match[1]!).split("/")[0]!)
    .filter((room) => room !== file.split("/")[0]);

it("lets every room import only what the plan lists for it", () => {
  const broken = files.flatMap((file) => {
    const allowed = plan[file.split("/")[0]!];
    if (!allowed) return [`${file}: its room is not on the plan`];
    return importedRooms(file)
      .filter((room) => !allowed.includes("*") && !allowed.includes(room))
      .map((room) => `${file} imports ${room}/`);
  });
  expect(broken).toEqual([]);
});

it("keeps printing, exiting and reading of argv and env in the cli", () => {
  const loud = files
    .filter((file) => !file.startsWith("cli/"))
    .filter((file) =>
      /console\.|process\.(exit|argv|env|stdout|stderr)/.test(readFileSync(join(root, file), "utf8")),
    );
  expect(loud).toEqual([]);
});

it("has no file named after nothing", () => {
  const vague = files.filter((file) => /(^|\/)(utils?|helpers?|common|misc|manager)\.ts$/.test(file));
  expect(vague).toEqual([]);
});
