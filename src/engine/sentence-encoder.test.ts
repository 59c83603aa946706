import { mkdirSync, mkdtempSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { createGraph } from "./graph.ts";
import { loadSentenceEncoder } from "./sentence-encoder.ts";

const words = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "green", "tea", "##s"];
/** What the model says of each word: its number, and ten times it. */
const states = Float32Array.from(words.flatMap((_, id) => [id, 10 * id]));

/** A folder as Sentence Transformers models are published, whose network only looks words up. */
function modelFolder({ pooling = "mean_tokens", longest = 16, input = "input_ids" } = {}): string {
  const folder = mkdtempSync(join(tmpdir(), "attune-encoder-"));
  const graph = createGraph();
  const ids = graph.input(input, "int64", ["B", "T"]);
  graph.input("attention_mask", "int64", ["B", "T"]);
  const table = graph.constant(states, [words.length, 2]);
  graph.output(graph.node("Gather", [table, ids], { axis: 0 }), "last_hidden_state", "float32", [
    "B",
    "T",
    2,
  ]);
  mkdirSync(join(folder, "onnx"));
  writeFileSync(join(folder, "onnx", "model.onnx"), graph.encode());
  const write = (name: string, value: unknown) => {
    mkdirSync(join(folder, name, ".."), { recursive: true });
    writeFileSync(join(folder, name), JSON.stringify(value));
  };
  write("1_Pooling/config.json", { [`pooling_mode_${pooling}`]: true, word_embedding_dimension: 2 });
  write("sentence_bert_config.json", { max_seq_length: longest });
  write("tokenizer_config.json", { tokenizer_class: "BertTokenizer" });
  write("tokenizer.json", {
    added_tokens: words.slice(0, 4).map((content, id) => ({ id, content, special: true })),
    normalizer: { type: "BertNormalizer", clean_text: true, handle_chinese_chars: true, lowercase: true },
    pre_tokenizer: { type: "BertPreTokenizer" },
    post_processor: {
      type: "TemplateProcessing",
      single: [
        { SpecialToken: { id: "[CLS]", type_id: 0 } },
        { Sequence: { id: "A", type_id: 0 } },
        { SpecialToken: { id: "[SEP]", type_id: 0 } },
      ],
      pair: [],
      special_tokens: {
        "[CLS]": { id: "[CLS]", ids: [2], tokens: ["[CLS]"] },
        "[SEP]": { id: "[SEP]", ids: [3], tokens: ["[SEP]"] },
      },
    },
    decoder: { type: "WordPiece", prefix: "##", cleanup: true },
    model: {
      type: "WordPiece",
      unk_token: "[UNK]",
      continuing_subword_prefix: "##",
      max_input_characters_per_word: 100,
      vocab: Object.fromEntries(words.map((word, id) => [word, id])),
    },
  });
  return folder;
}

describe("a sentence encoder", () => {
  it("averages what the model says of the tokens", async () => {
    const encoder = await loadSentenceEncoder({ directory: modelFolder() });
    // [CLS] green tea ##s [SEP] is 2 4 5 6 3; [CLS] [UNK] [SEP] is 2 1 3
    expect(await encoder.embed(["Green teas", "coffee"], {})).toEqual([
      Float32Array.of(4, 40),
      Float32Array.of(2, 20),
    ]);
    await encoder.close!();
  });

  it("cuts a long text before its closing token, and takes the first token where the model says so", async () => {
    const cut = await loadSentenceEncoder({ directory: modelFolder({ longest: 3 }) });
    // 2 4 3
    expect(await cut.embed(["green tea tea tea"], {})).toEqual([Float32Array.of(3, 30)]);
    const first = await loadSentenceEncoder({ directory: modelFolder({ pooling: "cls_token" }) });
    expect(await first.embed(["green"], {})).toEqual([Float32Array.of(2, 20)]);
  });

  it("refuses a folder that holds no such model", async () => {
    const load = (directory: string) => loadSentenceEncoder({ directory });
    await expect(load(tmpdir())).rejects.toThrow("no onnx/model.onnx");
    await expect(load(modelFolder({ pooling: "max_tokens" }))).rejects.toThrow(
      "pooling by pooling_mode_max_tokens, expected mean_tokens or cls_token",
    );
    await expect(load(modelFolder({ input: "pixels" }))).rejects.toThrow(
      "inputs pixels, attention_mask, expected",
    );
    const speechless = modelFolder();
    writeFileSync(join(speechless, "tokenizer.json"), "{}");
    await expect(load(speechless)).rejects.toThrow("tokenizer.json: ");
    const broken = modelFolder();
    writeFileSync(join(broken, "onnx", "model.onnx"), "no model");
    await expect(load(broken)).rejects.toThrow("model.onnx");
  });
});
