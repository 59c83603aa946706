import { existsSync } from "node:fs";
import { join } from "node:path";
import { z } from "zod";
import { writeFileAtomic } from "../kit/files.ts";
import { AttuneError } from "../spec/error.ts";
import { readJson } from "./hugging-face-config.ts";
import type { Parameters } from "./model.ts";
import { type ElementType, widthOfType } from "./number-formats.ts";
import { openSafetensors, type SafetensorsFile, writeSafetensors } from "./safetensors.ts";
import { shown } from "./shown.ts";

const single = "model.safetensors";
const indexName = "model.safetensors.index.json";

const indexSchema = z.looseObject({ weight_map: z.record(z.string(), z.string()) });

/** The tensors of a folder, wherever they lie, with every header checked and none of them read. */
export interface WeightFiles {
  files: readonly SafetensorsFile[];
  /** Which file holds a tensor. */
  fileOf: ReadonlyMap<string, SafetensorsFile>;
  close(): void;
}

/**
 * Opens model.safetensors or all shards of model.safetensors.index.json. Refuses an index that does not say what the
 * shards hold, tensor for tensor, a tensor that is in two shards, and a folder with both forms: one of them is old.
 */
export function openWeights(directory: string): WeightFiles {
  const weightMap = readIndex(directory);
  const names = weightMap ? [...new Set(weightMap.values())].sort() : [single];
  const files: SafetensorsFile[] = [];
  const close = () => {
    for (const file of files.splice(0)) file.close();
  };
  try {
    const fileOf = new Map<string, SafetensorsFile>();
    for (const name of names) {
      const path = join(directory, name);
      if (!existsSync(path)) {
        const index = join(directory, indexName);
        throw new AttuneError("input", `${index}: expected ${shown(name)} beside it, and it is missing`);
      }
      const file = openSafetensors(path);
      files.push(file);
      for (const tensor of file.tensors.keys()) {
        const other = fileOf.get(tensor);
        if (other) throw new AttuneError("input", `${path}: tensor ${shown(tensor)} is in ${other.path} too`);
        fileOf.set(tensor, file);
      }
    }
    if (weightMap) compare(directory, weightMap, fileOf);
    return { files, fileOf, close };
  } catch (error) {
    close();
    throw error;
  }
}

/** Shard by tensor, or null where one file holds everything. */
function readIndex(directory: string): Map<string, string> | null {
  const index = join(directory, indexName);
  if (existsSync(join(directory, single))) {
    if (!existsSync(index)) return null;
    throw new AttuneError(
      "input",
      `${directory}: expected ${single} or ${indexName}, found both; remove the one that is out of date`,
    );
  }
  if (!existsSync(index)) {
    const other = ["pytorch_model.bin", "pytorch_model.bin.index.json", "adapter_config.json"].find((name) =>
      existsSync(join(directory, name)),
    );
    const found = other ? `only ${other}, which is not supported` : "neither";
    throw new AttuneError("input", `${directory}: expected ${single} or ${indexName}, found ${found}`);
  }
  const parsed = indexSchema.safeParse(readJson(index));
  if (!parsed.success)
    throw new AttuneError("input", `${index}: weight_map: expected the file of each tensor by its name`);
  const map = new Map(Object.entries(parsed.data.weight_map));
  const outside = [...map.values()].find((name) => /[\\/]/.test(name) || !name.endsWith(".safetensors"));
  if (outside !== undefined) {
    throw new AttuneError(
      "input",
      `${index}: weight_map: expected names of safetensors files beside it, got ${shown(outside)}`,
    );
  }
  return map;
}

function compare(
  directory: string,
  weightMap: ReadonlyMap<string, string>,
  fileOf: ReadonlyMap<string, SafetensorsFile>,
): void {
  const index = join(directory, indexName);
  for (const [tensor, name] of weightMap) {
    const { path } = fileOf.get(tensor) ?? {};
    if (path === join(directory, name)) continue;
    throw new AttuneError(
      "input",
      `${index}: weight_map: expected tensor ${shown(tensor)} in ${shown(name)}, found it in ${path ?? "no shard"}`,
    );
  }
  for (const [tensor, { path }] of fileOf) {
    if (!weightMap.has(tensor))
      throw new AttuneError(
        "input",
        `${index}: weight_map: expected tensor ${shown(tensor)} of ${path}, and it is not named`,
      );
  }
}

/**
 * Writes model.safetensors, or, where the weights take more than `shardBytes`, shards of at most that many bytes
 * (a tensor larger than that is a shard of its own) and their index, last.
 */
export function writeWeights(
  directory: string,
  parameters: Parameters,
  { type, shardBytes }: { type: ElementType; shardBytes: number },
): void {
  const shards: Parameters[] = [];
  let [shard, bytes, total, count] = [new Map() as Parameters, 0, 0, 0];
  for (const [name, parameter] of parameters) {
    const needed = parameter.data.length * widthOfType[type];
    if (shard.size > 0 && bytes + needed > shardBytes) {
      shards.push(shard);
      [shard, bytes] = [new Map(), 0];
    }
    shard.set(name, parameter);
    bytes += needed;
    total += needed;
    count += parameter.data.length;
  }
  shards.push(shard);
  if (shards.length === 1) {
    writeSafetensors(join(directory, single), parameters, { type });
    return;
  }
  const number = (index: number) => String(index).padStart(5, "0");
  const nameOf = (index: number) => `model-${number(index + 1)}-of-${number(shards.length)}.safetensors`;
  for (const [index, tensors] of shards.entries())
    writeSafetensors(join(directory, nameOf(index)), tensors, { type });
  const weightMap = shards.flatMap((tensors, index) =>
    [...tensors.keys()].map((name) => [name, nameOf(index)]),
  );
  const content = {
    metadata: { total_parameters: count, total_size: total },
    weight_map: Object.fromEntries(weightMap),
  };
  writeFileAtomic(join(directory, indexName), `${JSON.stringify(content, null, 2)}\n`);
}
