import { readFileSync } from "node:fs";
import { join } from "node:path";
import { Tokenizer as HuggingFaceTokenizer } from "@huggingface/tokenizers";
import { z } from "zod";
import { AttuneError } from "../spec/error.ts";
import type { Tokenizer } from "../spec/tokenizer.ts";
import { spellingToBytes } from "./byte-level.ts";

const tokenizerSchema = z.looseObject({
  model: z.looseObject({
    type: z.literal("BPE"),
    vocab: z.record(z.string(), z.number().int().nonnegative()),
  }),
  added_tokens: z
    .array(z.looseObject({ id: z.number().int().nonnegative(), content: z.string() }))
    .default([]),
});

/** A tokenizer that also knows which of its tokens stand outside of text. */
export type TextTokenizer = Tokenizer & { addedTokens: readonly string[] };

/** A byte-level BPE tokenizer from the content of a tokenizer.json. `where` names it in errors. */
export function createTokenizer(
  json: unknown,
  { config = {}, where = "tokenizer.json" }: { config?: object; where?: string } = {},
): TextTokenizer {
  const parsed = tokenizerSchema.safeParse(json);
  if (!parsed.success) {
    const issue = parsed.error.issues[0]!;
    throw new AttuneError(
      "input",
      `${where}: expected a byte-level BPE tokenizer, but ${issue.path.join(".") || "it"}: ${issue.message}`,
    );
  }
  const { model, added_tokens: added } = parsed.data;
  const library = new HuggingFaceTokenizer(json as object, config);

  const idBySpelling = new Map(Object.entries(model.vocab));
  for (const { id, content } of added) idBySpelling.set(content, id);
  const vocabularySize = Math.max(...idBySpelling.values()) + 1;
  const bytes: (Uint8Array | undefined)[] = Array.from({ length: vocabularySize });
  for (const [spelling, id] of Object.entries(model.vocab)) {
    bytes[id] = spellingToBytes(spelling) ?? Buffer.from(spelling);
  }
  for (const { id, content } of added) bytes[id] = Buffer.from(content);
  const unused = new Uint8Array(0);
  const bytesOf = (id: number) => bytes[id] ?? unused;

  return {
    vocabularySize,
    addedTokens: added.map(({ content }) => content),
    encode: (text) => Int32Array.from(library.encode(text, { add_special_tokens: false }).ids),
    decode: (tokens) => Buffer.concat(Array.from(tokens, bytesOf)).toString("utf8"),
    bytesOf,
    idOf: (token) => idBySpelling.get(token),
  };
}

export function loadTokenizer(directory: string): TextTokenizer {
  const path = join(directory, "tokenizer.json");
  return createTokenizer(readJsonFile(path), {
    config: readJsonFile(join(directory, "tokenizer_config.json"), {}),
    where: path,
  });
}

/** A JSON object from a file; `fallback` where there is no file. */
export function readJsonFile(path: string, fallback?: object): Record<string, unknown> {
  let text: string;
  try {
    text = readFileSync(path, "utf8");
  } catch (error) {
    if (fallback && (error as NodeJS.ErrnoException).code === "ENOENT") return { ...fallback };
    throw new AttuneError("input", `${path}: ${(error as Error).message}`, { cause: error });
  }
  try {
    const value: unknown = JSON.parse(text);
    if (typeof value === "object" && value !== null) return value as Record<string, unknown>;
  } catch (error) {
    throw new AttuneError("input", `${path}: not JSON: ${(error as Error).message}`, { cause: error });
  }
  throw new AttuneError("input", `${path}: expected a JSON object`);
}
