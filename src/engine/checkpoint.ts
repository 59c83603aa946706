import { createHash } from "node:crypto";
import { existsSync, mkdirSync, readdirSync, readFileSync, renameSync, rmSync, statSync } from "node:fs";
import { dirname, join } from "node:path";
import { z } from "zod";
import { writeFileAtomic } from "../kit/files.ts";
import { AttuneError } from "../spec/error.ts";
import type { Moments } from "./adamw.ts";
import { loadHuggingFace, saveHuggingFace } from "./hugging-face.ts";
import type { Model } from "./model.ts";
import { readSafetensors, type Tensor, writeSafetensors } from "./safetensors.ts";
import type { OptimizerState } from "./training.ts";

/** `state.json`: what a checkpoint is made of. Written last, so a directory without it is not a checkpoint. */
const stateSchema = z.object({
  format: z.literal(1),
  version: z.number().int().nonnegative(),
  optimizer: z.object({ step: z.number().int().nonnegative(), kind: z.enum(["adamw", "muon"]).nullable() }),
  files: z.record(z.string(), z.object({ bytes: z.number(), sha256: z.string() })),
});

export type Checkpoint = { model: Model; optimizer: OptimizerState; version: number };

/**
 * Saves weights (a Hugging Face folder) and optimizer state into a directory, through a sibling that is renamed
 * when it is complete. `extraFiles` are further files by name (tokenizer and chat template).
 */
export function saveCheckpoint(
  directory: string,
  { model, optimizer, version }: Checkpoint,
  { extraFiles = {} }: { extraFiles?: Readonly<Record<string, string>> } = {},
): void {
  if (existsSync(directory))
    throw new AttuneError("io", `${directory}: expected a name that is free, and it exists`);
  const partial = `${directory}.part`;
  rmSync(partial, { recursive: true, force: true });
  try {
    mkdirSync(partial, { recursive: true });
    saveHuggingFace(model, partial);
    writeSafetensors(join(partial, "optimizer.safetensors"), momentTensors(model, optimizer));
    for (const [name, content] of Object.entries(extraFiles)) writeFileAtomic(join(partial, name), content);
    const files = Object.fromEntries(
      readdirSync(partial).map((name) => [name, fingerprint(join(partial, name))]),
    );
    const { step, kind } = optimizer;
    const state = { format: 1, version, optimizer: { step, kind }, files };
    writeFileAtomic(join(partial, "state.json"), `${JSON.stringify(state, null, 2)}\n`);
    mkdirSync(dirname(directory), { recursive: true });
    renameSync(partial, directory);
  } catch (error) {
    rmSync(partial, { recursive: true, force: true });
    throw error;
  }
}

/** Loads what `saveCheckpoint` wrote, after every file's size and checksum have been compared. */
export function loadCheckpoint(directory: string): Checkpoint {
  const path = join(directory, "state.json");
  if (!existsSync(path))
    throw new AttuneError("input", `${directory}: expected a checkpoint, and it has no state.json`);
  let json: unknown;
  try {
    json = JSON.parse(readFileSync(path, "utf8"));
  } catch (error) {
    throw new AttuneError("input", `${path}: not JSON: ${(error as Error).message}`);
  }
  const parsed = stateSchema.safeParse(json);
  if (!parsed.success) {
    const issue = parsed.error.issues[0]!;
    throw new AttuneError("input", `${path}: ${issue.path.join(".")}: ${issue.message}`);
  }
  const { version, optimizer, files } = parsed.data;
  for (const [name, expected] of Object.entries(files)) {
    const file = join(directory, name);
    if (!existsSync(file)) throw new AttuneError("input", `${file}: missing from the checkpoint`);
    const { bytes } = expected;
    if (statSync(file).size !== bytes) {
      throw new AttuneError(
        "input",
        `${file}: expected ${bytes} bytes, got ${statSync(file).size}; the file is truncated or not the one that was saved`,
      );
    }
    if (fingerprint(file).sha256 !== expected.sha256)
      throw new AttuneError(
        "input",
        `${file}: its checksum is not the one that was saved; the file is corrupt`,
      );
  }
  const moments = new Map<string, Moments>();
  for (const [key, { data }] of readSafetensors(join(directory, "optimizer.safetensors"))) {
    const [kind, name] = [key.slice(0, key.indexOf(" ")), key.slice(key.indexOf(" ") + 1)];
    const sofar = moments.get(name);
    moments.set(name, kind === "first" ? { ...sofar, first: data } : { first: data, ...sofar, second: data });
  }
  return { model: loadHuggingFace(directory), optimizer: { ...optimizer, moments }, version };
}

function momentTensors({ parameters }: Model, { moments }: OptimizerState): Map<string, Tensor> {
  const tensors = new Map<string, Tensor>();
  for (const [name, { first, second }] of moments) {
    const { shape } = parameters.get(name)!;
    tensors.set(`first ${name}`, { shape, data: first });
    if (second) tensors.set(`second ${name}`, { shape, data: second });
  }
  return tensors;
}

function fingerprint(path: string): { bytes: number; sha256: string } {
  const content = readFileSync(path);
  return { bytes: content.length, sha256: createHash("sha256").update(content).digest("hex") };
}
