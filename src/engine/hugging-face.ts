import { join } from "node:path";
import { writeFileAtomic } from "../kit/files.ts";
import { AttuneError } from "../spec/error.ts";
import { writeDirectoryAtomic } from "./directory-atomic.ts";
import { readConfig, toHuggingFaceConfig } from "./hugging-face-config.ts";
import { type Model, type Parameters, parameterShapes } from "./model.ts";
import { type ElementType, overflowOf } from "./number-formats.ts";
import type { SafetensorsFile } from "./safetensors.ts";
import { shown } from "./shown.ts";
import { openWeights, type WeightFiles, writeWeights } from "./weight-files.ts";

export type SaveOptions = {
  /** How the weights are stored: F32, which is exact, or rounded to the nearest number of 16 bits. */
  type?: ElementType;
  /** Largest shard; one file when absent. */
  shardBytes?: number;
  /** Further files by name: tokenizer, chat template, generation defaults. */
  extraFiles?: Readonly<Record<string, string>>;
};

const head = "lm_head.weight";
const embedding = "model.embed_tokens.weight";

/**
 * Loads a Hugging Face folder: config.json and safetensors, sharded or not. Everything is checked before the first
 * tensor is read, and tensors are read one at a time into the arrays that the model keeps, so little more than the
 * weights as floats is ever held. Refuses by name what it does not know, and weights that are not finite.
 */
export function loadHuggingFace(directory: string): Model {
  const config = readConfig(directory);
  const shapes = parameterShapes(config);
  const weights = openWeights(directory);
  try {
    checkTensors(directory, weights, { shapes, isTied: config.tiedEmbeddings });
    const parameters: Parameters = new Map();
    for (const file of weights.files) {
      for (const name of file.tensors.keys()) {
        const shape = shapes.get(name);
        if (!shape) continue;
        const data = file.read(name);
        refuseNonFinite(data, () => `${file.path}: tensor ${shown(name)}`);
        parameters.set(name, { shape, data });
      }
    }
    const untied = config.tiedEmbeddings ? weights.fileOf.get(head) : undefined;
    if (untied) compareTied(untied, parameters.get(embedding)!.data);
    // the order of the architecture, whatever the order of the files
    return { config, parameters: new Map([...shapes.keys()].map((name) => [name, parameters.get(name)!])) };
  } finally {
    weights.close();
  }
}

type Expected = { shapes: ReadonlyMap<string, readonly number[]>; isTied: boolean };

function checkTensors(directory: string, { files, fileOf }: WeightFiles, { shapes, isTied }: Expected): void {
  for (const { path, tensors } of files) {
    for (const [name, { shape }] of tensors) {
      // tables of older exports, which follow from the config
      if (name.endsWith("rotary_emb.inv_freq")) continue;
      const expected = shapes.get(isTied && name === head ? embedding : name);
      if (!expected)
        throw new AttuneError("input", `${path}: tensor ${shown(name)} has no place in this architecture`);
      if (shape.join() !== expected.join()) {
        throw new AttuneError(
          "input",
          `${path}: tensor ${shown(name)}: expected shape ${shown(expected)}, got ${shown(shape)}`,
        );
      }
    }
  }
  const missing = [...shapes.keys()].filter((name) => !fileOf.has(name));
  if (missing.length > 0) {
    throw new AttuneError(
      "input",
      `${directory}: ${missing.length} of ${shapes.size} tensors are missing, the first is ${shown(missing[0])}`,
    );
  }
}

/** A tied head that is stored all the same must be the embedding: where it is not, one of config and weights is wrong. */
function compareTied(file: SafetensorsFile, expected: Float32Array): void {
  for (const { from, floats } of file.pieces(head)) {
    const at = floats.findIndex((value, index) => value !== expected[from + index]);
    if (at === -1) continue;
    throw new AttuneError(
      "input",
      `${file.path}: tensor ${shown(head)}: expected the values of ${embedding}, since config.json says tie_word_embeddings, got ${floats[at]} for ${expected[from + at]} at ${from + at}`,
    );
  }
}

function refuseNonFinite(data: Float32Array, where: () => string): void {
  for (let at = 0; at < data.length; at++) {
    if (!Number.isFinite(data[at]))
      throw new AttuneError("input", `${where()}: expected finite numbers, got ${data[at]} at ${at}`);
  }
}

/**
 * Writes a folder that `transformers` loads. It appears under its name when it is complete; the name must be free or
 * that of an empty folder. Refuses weights that are not finite, or would not be in 16 bits.
 */
export function saveHuggingFace(model: Model, directory: string, options: SaveOptions = {}): void {
  writeDirectoryAtomic(directory, (partial) => writeHuggingFace(model, partial, options));
}

/** Writes the files of `saveHuggingFace` into a folder, the config last. */
export function writeHuggingFace(
  { config, parameters }: Model,
  directory: string,
  { type = "F32", shardBytes = Number.POSITIVE_INFINITY, extraFiles = {} }: SaveOptions = {},
): void {
  if (!(shardBytes > 0))
    throw new AttuneError("usage", `shardBytes: expected a number above 0, got ${shardBytes}`);
  const json = JSON.stringify(toHuggingFaceConfig(config, type), null, 2);
  for (const name of Object.keys(extraFiles)) {
    if (/[\\/]/.test(name) || name === "config.json" || /\.safetensors(\.index\.json)?$/.test(name))
      throw new AttuneError("usage", `extraFiles: expected the name of a further file, got "${name}"`);
  }
  for (const [name, { data }] of parameters) {
    refuseOverflow(name, data, type);
  }
  writeWeights(directory, parameters, { type, shardBytes });
  for (const [name, content] of Object.entries(extraFiles)) writeFileAtomic(join(directory, name), content);
  writeFileAtomic(join(directory, "config.json"), `${json}\n`);
}

function refuseOverflow(name: string, data: Float32Array, type: ElementType): void {
  const limit = overflowOf[type];
  for (let at = 0; at < data.length; at++) {
    if (!(Math.abs(data[at]!) < limit))
      throw new AttuneError("engine", `tensor "${name}": ${data[at]} at ${at} is not finite in ${type}`);
  }
}
