import { mkdtempSync, readFileSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { readCompanionFiles } from "./companion-files.ts";

const folder = (files: Record<string, unknown>) => {
  const directory = mkdtempSync(join(tmpdir(), "attune-companions-"));
  for (const [name, content] of Object.entries(files))
    writeFileSync(join(directory, name), typeof content === "string" ? content : JSON.stringify(content));
  return directory;
};

describe("what travels with a model", () => {
  it("is its tokenizer, chat template and generation defaults as they are, and nothing else", () => {
    const files = {
      "tokenizer.json": '{"model": {}}\n',
      "tokenizer_config.json": '{"chat_template": "{{ messages }}"}',
      "special_tokens_map.json": "{}",
      "chat_template.jinja": "{{ messages }}\n",
      "chat_template.json": '{"chat_template": "{{ messages }}"}',
      "generation_config.json": '{"eos_token_id": [1, 2],  "temperature": 0.6}',
    };
    const others = { "config.json": { eos_token_id: 7 }, "README.md": "…", "model.safetensors": "" };
    expect(readCompanionFiles(folder({ ...files, ...others }))).toEqual(files);
  });

  it("has the special tokens that an older folder keeps in its config", () => {
    const config = { bos_token_id: 1, eos_token_id: [2, 3], pad_token_id: null, vocab_size: 9 };
    const directory = folder({ "config.json": config });
    const files = readCompanionFiles(directory);
    expect(Object.keys(files)).toEqual(["generation_config.json"]);
    expect(JSON.parse(files["generation_config.json"]!)).toEqual({ bos_token_id: 1, eos_token_id: [2, 3] });
    expect(JSON.parse(readFileSync(join(directory, "config.json"), "utf8"))).toEqual(config);
  });

  it("is nothing for a folder without any", () => {
    expect(readCompanionFiles(folder({}))).toEqual({});
    expect(readCompanionFiles(folder({ "config.json": { vocab_size: 9 } }))).toEqual({});
    expect(readCompanionFiles(folder({ "config.json": { eos_token_id: "end" } }))).toEqual({});
  });
});
