import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { z } from "zod";
import { readJson } from "./hugging-face-config.ts";

/** What a model folder has beside config and weights that a copy of the model needs, and that is text. */
export const companionFiles = [
  "tokenizer.json",
  "tokenizer_config.json",
  "special_tokens_map.json",
  "added_tokens.json",
  "vocab.json",
  "merges.txt",
  "chat_template.jinja",
  "chat_template.json",
  "generation_config.json",
] as const;

const tokenId = z.number().int().nullish();
const idsSchema = z.looseObject({
  bos_token_id: tokenId,
  eos_token_id: z.union([tokenId, z.array(z.number().int())]),
  pad_token_id: tokenId,
});

/**
 * Tokenizer, chat template and generation defaults of a model folder, by name and as they are. Older folders keep the
 * ids of their special tokens in config.json alone, which is written anew on saving: they get a
 * generation_config.json that says them, as `transformers` makes one.
 */
export function readCompanionFiles(directory: string): Record<string, string> {
  const files: Record<string, string> = Object.fromEntries(
    companionFiles
      .filter((name) => existsSync(join(directory, name)))
      .map((name) => [name, readFileSync(join(directory, name), "utf8")]),
  );
  const config = join(directory, "config.json");
  if (files["generation_config.json"] === undefined && existsSync(config)) {
    const { data } = idsSchema.safeParse(readJson(config));
    const ids = Object.fromEntries(
      Object.keys(idsSchema.shape)
        .map((field) => [field, data?.[field]])
        .filter(([, value]) => value !== undefined && value !== null),
    ) as Record<string, unknown>;
    if (Object.keys(ids).length > 0) files["generation_config.json"] = `${JSON.stringify(ids, null, 2)}\n`;
  }
  return files;
}
