import { spawn } from "node:child_process";
import { mkdtempSync, readFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, it } from "vitest";

const root = join(import.meta.dirname, "..");

/** Runs the command, and gives what it printed. */
async function attune(...words: string[]): Promise<{ code: number | null; output: string; errors: string }> {
  const child = spawn(
    process.execPath,
    ["--disable-warning=ExperimentalWarning", "--conditions=attune-source", "src/cli/main.ts", ...words],
    { cwd: root },
  );
  let [output, errors] = ["", ""];
  child.stdout.on("data", (part: Buffer) => {
    output += part.toString();
  });
  child.stderr.on("data", (part: Buffer) => {
    errors += part.toString();
  });
  const code = await new Promise<number | null>((resolve) => child.once("close", resolve));
  return { code, output, errors };
}

const rowsOf = (file: string) =>
  readFileSync(file, "utf8")
    .trim()
    .split("\n")
    .map((line) => JSON.parse(line) as Record<string, { role: string; content: string }[]>);

it("attune reflexion solves at the second trial what a reflection explains, and keeps the lesson", async () => {
  const folder = mkdtempSync(join(tmpdir(), "attune-reflexion-"));
  const [output, lessons] = [join(folder, "attempts.jsonl"), join(folder, "lessons")];
  const words = ["reflexion", "calculator", "--model", "test/fixtures/doubtful-model.ts", "--tasks", "8"];
  const told = await attune(...words, "--trials", "2", "--output", output, "--lessons", lessons, "--json");
  expect(told.errors).not.toContain("rror");
  const summary = JSON.parse(told.output) as { solvedAt: number[]; tasks: number; sft: number };
  expect(summary.tasks).toBe(8);
  expect(summary.solvedAt[0]).toBe(0);
  expect(summary.solvedAt[1]).toBeGreaterThan(0);

  const solved = summary.solvedAt[1]!;
  expect(rowsOf(output)).toHaveLength(16);
  // of each solved task the reflection and the solution, and the solution beside the failure
  expect(rowsOf(`${lessons}.sft.jsonl`)).toHaveLength(2 * solved);
  const pairs = rowsOf(`${lessons}.preferences.jsonl`);
  expect(pairs).toHaveLength(solved);
  expect(pairs[0]!["rejected"]).toEqual([{ role: "assistant", content: "I do not know." }]);
  expect(pairs[0]!["chosen"]!.at(-1)!.content).toMatch(/^<answer>-?\d+<\/answer>$/);
  // the solution does not know of the memory that it was found with
  expect(JSON.stringify(pairs[0]!["prompt"])).not.toContain("Use the calc tool");

  const again = await attune(...words, "--output", output);
  expect([again.code, again.errors]).toEqual([2, `attune: ${output}: exists already; give another name\n`]);
});
