import { createHash } from "node:crypto";
import { closeSync, existsSync, openSync, readdirSync, readSync, statSync } from "node:fs";
import { join } from "node:path";
import { z } from "zod";
import { writeFileAtomic } from "../kit/files.ts";
import { AttuneError } from "../spec/error.ts";
import type { Moments } from "./adamw.ts";
import { writeDirectoryAtomic } from "./directory-atomic.ts";
import { loadHuggingFace, writeHuggingFace } from "./hugging-face.ts";
import { readJson } from "./hugging-face-config.ts";
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
  if ("state.json" in extraFiles)
    throw new AttuneError("usage", 'extraFiles: expected the name of a further file, got "state.json"');
  writeDirectoryAtomic(directory, (partial) => {
    writeHuggingFace(model, partial, { extraFiles });
    writeSafetensors(join(partial, "optimizer.safetensors"), momentTensors(model, optimizer));
    const files = Object.fromEntries(
      readdirSync(partial).map((name) => [name, fingerprint(join(partial, name))]),
    );
    const { step, kind } = optimizer;
    const state = { format: 1, version, optimizer: { step, kind }, files };
    writeFileAtomic(join(partial, "state.json"), `${JSON.stringify(state, null, 2)}\n`);
  });
}

/** Loads what `saveCheckpoint` wrote, after every file's size and checksum have been compared. */
export function loadCheckpoint(directory: string): Checkpoint {
  const { version, optimizer } = verifyCheckpoint(directory);
  const moments = new Map<string, Moments>();
  for (const [key, { data }] of readSafetensors(join(directory, "optimizer.safetensors"))) {
    const [kind, name] = [key.slice(0, key.indexOf(" ")), key.slice(key.indexOf(" ") + 1)];
    const sofar = moments.get(name);
    moments.set(name, kind === "first" ? { ...sofar, first: data } : { first: data, ...sofar, second: data });
  }
  return { model: loadHuggingFace(directory), optimizer: { ...optimizer, moments }, version };
}

/** Compares the size and checksum of every file of a checkpoint with what its state.json says, which is returned. */
export function verifyCheckpoint(directory: string): z.infer<typeof stateSchema> {
  const path = join(directory, "state.json");
  if (!existsSync(path))
    throw new AttuneError("input", `${directory}: expected a checkpoint, and it has no state.json`);
  const parsed = stateSchema.safeParse(readJson(path));
  if (!parsed.success) {
    const issue = parsed.error.issues[0]!;
    throw new AttuneError("input", `${path}: ${issue.path.join(".")}: ${issue.message}`);
  }
  for (const [name, expected] of Object.entries(parsed.data.files)) {
    const file = join(directory, name);
    if (!existsSync(file)) throw new AttuneError("input", `${file}: missing from the checkpoint`);
    const { size } = statSync(file);
    if (size !== expected.bytes) {
      throw new AttuneError(
        "input",
        `${file}: expected ${expected.bytes} bytes, got ${size}; the file is truncated or not the one that was saved`,
      );
    }
    if (fingerprint(file).sha256 !== expected.sha256)
      throw new AttuneError(
        "input",
        `${file}: its checksum is not the one that was saved; the file is corrupt`,
      );
  }
  return parsed.data;
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

/** Size and checksum of a file, which may be larger than the memory. */
function fingerprint(path: string): { bytes: number; sha256: string } {
  const hash = createHash("sha256");
  const piece = Buffer.allocUnsafe(2 ** 20);
  const file = openSync(path, "r");
  let bytes = 0;
  try {
    for (let got = readSync(file, piece); got > 0; got = readSync(file, piece)) {
      hash.update(piece.subarray(0, got));
      bytes += got;
    }
  } finally {
    closeSync(file);
  }
  return { bytes, sha256: hash.digest("hex") };
}
