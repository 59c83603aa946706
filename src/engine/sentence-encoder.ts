import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { Tokenizer } from "@huggingface/tokenizers";
import { InferenceSession } from "onnxruntime-node";
import type { Embedder } from "../spec/embedder.ts";
import { AttuneError } from "../spec/error.ts";
import { integers } from "./session.ts";

export type SentenceEncoderOptions = {
  /** A Sentence Transformers folder with its ONNX export: `onnx/model.onnx` or `model.onnx`, and `tokenizer.json`. */
  directory: string;
  threads?: number;
};

/**
 * A Sentence Transformers model as it is published, run by onnxruntime: tokens are cut at the model's longest
 * sequence and their last hidden states are averaged (or the first is taken, where `1_Pooling` says so).
 * Throws `AttuneError` (input) for a folder that holds no such model.
 */
export async function loadSentenceEncoder({
  directory,
  threads = 2,
}: SentenceEncoderOptions): Promise<Embedder> {
  const file = ["onnx/model.onnx", "model.onnx"]
    .map((name) => join(directory, name))
    .find((path) => existsSync(path));
  if (file === undefined)
    throw new AttuneError("input", `${directory}: no onnx/model.onnx, which an encoder needs`);
  const tokenizer = loadTokenizer(directory);
  const longest = longestSequence(directory);
  const pool = poolingOf(directory);
  let session: InferenceSession;
  try {
    session = await InferenceSession.create(file, {
      intraOpNumThreads: threads,
      interOpNumThreads: 1,
      logSeverityLevel: 3,
    });
  } catch (error) {
    throw new AttuneError("input", `${file}: ${(error as Error).message.split("\n")[0]}`, { cause: error });
  }
  const { inputNames, outputNames } = session;
  const unknown = inputNames.find((name) => !knownInputs.includes(name));
  if (unknown !== undefined || !inputNames.includes("input_ids")) {
    await session.release();
    throw new AttuneError(
      "input",
      `${file}: inputs ${inputNames.join(", ")}, expected input_ids and at most ${knownInputs.slice(1).join(", ")}`,
    );
  }
  const output = outputNames.includes("last_hidden_state") ? "last_hidden_state" : outputNames[0]!;

  const embedOne = async (text: string): Promise<Float32Array> => {
    const all = tokenizer.encode(text).ids;
    // what opens and closes a sequence stays when its middle is cut
    const ids = all.length <= longest ? all : [...all.slice(0, longest - 1), all.at(-1)!];
    const shape = [1, ids.length];
    const feeds = Object.fromEntries(
      inputNames.map((name) => [
        name,
        integers(name === "input_ids" ? ids : ids.map(() => (name === "attention_mask" ? 1 : 0)), shape),
      ]),
    );
    const hidden = (await session.run(feeds))[output]!;
    return pool(hidden.data as Float32Array, ids.length);
  };

  return {
    name: directory,
    async embed(texts, { signal }) {
      const vectors: Float32Array[] = [];
      for (const text of texts) {
        signal?.throwIfAborted();
        vectors.push(await embedOne(text));
      }
      return vectors;
    },
    close: () => session.release(),
  };
}

function loadTokenizer(directory: string): Tokenizer {
  const config = existsSync(join(directory, "tokenizer_config.json"))
    ? readObject(directory, "tokenizer_config.json")
    : {};
  try {
    return new Tokenizer(readObject(directory, "tokenizer.json"), config);
  } catch (error) {
    if (error instanceof AttuneError) throw error;
    const path = join(directory, "tokenizer.json");
    throw new AttuneError("input", `${path}: ${(error as Error).message}`, { cause: error });
  }
}

const knownInputs = ["input_ids", "attention_mask", "token_type_ids"];

type Pool = (hidden: Float32Array, tokens: number) => Float32Array;

const mean: Pool = (hidden, tokens) => {
  const width = hidden.length / tokens;
  const sum = new Float32Array(width);
  for (let at = 0; at < hidden.length; at++) sum[at % width]! += hidden[at]!;
  return sum.map((value) => value / tokens);
};

const first: Pool = (hidden, tokens) => hidden.slice(0, hidden.length / tokens);

function poolingOf(directory: string): Pool {
  if (!existsSync(join(directory, "1_Pooling", "config.json"))) return mean;
  const config = readObject(directory, join("1_Pooling", "config.json"));
  const modes = Object.keys(config).filter((key) => key.startsWith("pooling_mode_") && config[key] === true);
  if (modes.length === 1 && modes[0] === "pooling_mode_mean_tokens") return mean;
  if (modes.length === 1 && modes[0] === "pooling_mode_cls_token") return first;
  throw new AttuneError(
    "input",
    `${join(directory, "1_Pooling", "config.json")}: pooling by ${modes.join(" and ") || "nothing"}, expected mean_tokens or cls_token`,
  );
}

function longestSequence(directory: string): number {
  for (const [name, key] of [
    ["sentence_bert_config.json", "max_seq_length"],
    ["config.json", "max_position_embeddings"],
  ] as const) {
    const value = existsSync(join(directory, name)) ? readObject(directory, name)[key] : undefined;
    if (typeof value === "number" && value >= 2) return value;
  }
  return 512;
}

function readObject(directory: string, name: string): Record<string, unknown> {
  const path = join(directory, name);
  try {
    const value: unknown = JSON.parse(readFileSync(path, "utf8"));
    if (typeof value === "object" && value !== null && !Array.isArray(value))
      return value as Record<string, unknown>;
  } catch (error) {
    throw new AttuneError("input", `${path}: ${(error as Error).message}`, { cause: error });
  }
  throw new AttuneError("input", `${path}: expected an object`);
}
