import { cpSync, mkdtempSync, readFileSync, rmSync, truncateSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, it } from "vitest";
import { createRandom } from "../kit/random.ts";
import { AttuneError } from "../spec/error.ts";
import { loadHuggingFace } from "./hugging-face.ts";

const fixtures = join(import.meta.dirname, "fixtures");

/** Loads a folder after a change to one of its files, and says whether it was refused in one line that names it. */
function attempt(folder: string, file: string, change: (path: string, content: Buffer) => void) {
  const directory = mkdtempSync(join(tmpdir(), "attune-damaged-"));
  try {
    cpSync(join(fixtures, folder), directory, { recursive: true });
    const path = join(directory, file);
    change(path, readFileSync(path));
    const model = loadHuggingFace(directory);
    for (const { data } of model.parameters.values()) expect(data.every(Number.isFinite)).toBe(true);
    return "loaded";
  } catch (error) {
    if (!(error instanceof AttuneError)) throw error;
    expect(error.message).toContain(directory);
    expect(error.message).not.toMatch(/\n/);
    expect(error.message.length).toBeLessThan(700);
    return "refused";
  } finally {
    rmSync(directory, { recursive: true });
  }
}

const files = [
  ["qwen3-yarn", "model.safetensors"],
  ["qwen3-yarn", "config.json"],
  ["llama", "model.safetensors.index.json"],
  ["llama", "model-00003-of-00005.safetensors"],
] as const;

it.each(files)("a folder of %s whose %s is cut short anywhere is refused", (folder, file) => {
  const { length } = readFileSync(join(fixtures, folder, file));
  const random = createRandom(4);
  for (let round = 0; round < 60; round++) {
    // a JSON file may lose the newline at its end
    const kept = round === 0 ? length - 2 : random.integer(length - 1);
    expect(
      attempt(folder, file, (path) => truncateSync(path, kept)),
      `${kept} of ${length}`,
    ).toBe("refused");
  }
});

it.each(files)(
  "a folder of %s whose %s has wrong bytes is refused or loaded, and never worse",
  (folder, file) => {
    const random = createRandom(5);
    const outcomes = new Set<string>();
    for (let round = 0; round < 150; round++) {
      const outcome = attempt(folder, file, (path, content) => {
        // most of what can be wrong is near the beginning: the header's length and the header
        for (let count = 0; count <= random.integer(3); count++)
          content[random.integer(Math.min(content.length, 600))] = random.integer(256);
        writeFileSync(path, content);
      });
      outcomes.add(outcome);
    }
    expect(outcomes).toContain("refused");
  },
);
