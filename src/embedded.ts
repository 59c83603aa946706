import { existsSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { companionFiles, readCompanionFiles } from "./engine/companion-files.ts";
import { createEmbeddedTrainer } from "./engine/embedded.ts";
import { type ModelPreset, modelPresets } from "./engine/model.ts";
import { writeFileAtomic } from "./kit/files.ts";
import { createChatTemplate } from "./render/chat-template.ts";
import { nanoChatTemplate, nanoSpecialTokens, nanoTokenizerConfig } from "./render/nano.ts";
import { loadRenderer } from "./render/renderer.ts";
import { trainTokenizer } from "./render/train-tokenizer.ts";
import { AttuneError } from "./spec/error.ts";
import type { Renderer } from "./spec/tokenizer.ts";
import type { Trajectory } from "./spec/trajectory.ts";
import type { LearnerFactory } from "./train/define-run.ts";
import { messagesOf } from "./trajectory/path.ts";

export type EmbeddedOptions = {
  /**
   * A preset, which starts from random weights with a vocabulary made from the run's demonstrations, or the
   * directory of a Hugging Face model or of a checkpoint.
   */
  model: ModelPreset | { directory: string };
  /** Tokens that a preset can hold at once; 256 when absent. A directory says its own. */
  contextLength?: number;
  threads?: number;
};

/** The embedded CPU engine with the renderer of its model, as the trainer of a run. */
export function embedded({ model, contextLength, threads = 2 }: EmbeddedOptions): LearnerFactory {
  if (typeof model === "string" && !(model in modelPresets)) {
    throw new AttuneError(
      "usage",
      `embedded: unknown model "${model}"; the presets are ${Object.keys(modelPresets).join(", ")}`,
    );
  }
  if (contextLength !== undefined && typeof model !== "string")
    throw new AttuneError("usage", "embedded: contextLength is of a preset; a directory says its own");
  if (contextLength !== undefined && !(Number.isInteger(contextLength) && contextLength >= 16))
    throw new AttuneError("usage", `embedded: expected contextLength of 16 or more, got ${contextLength}`);
  return {
    name: "embedded",
    settings: { model, threads, ...(contextLength !== undefined && { contextLength }) },
    renderer: rendererFrom,
    async create({ seed, tokenizerDirectory, demonstrations }) {
      if (typeof model !== "string") {
        const renderer = loadRenderer(model.directory);
        const extraFiles = readCompanionFiles(model.directory);
        const trainer = await createEmbeddedTrainer({
          source: model,
          tokenizer: renderer.tokenizer,
          threads,
          extraFiles,
        });
        return { trainer, renderer, rendererFiles: extraFiles };
      }
      if (!existsSync(join(tokenizerDirectory, "tokenizer_config.json"))) {
        // a vocabulary of the run's own, from what its experts say
        const files = makeVocabulary(await demonstrations(), modelPresets[model].vocabularySize);
        for (const [name, content] of Object.entries(files))
          writeFileAtomic(join(tokenizerDirectory, name), content);
      }
      const renderer = loadRenderer(tokenizerDirectory);
      const rendererFiles = readCompanionFiles(tokenizerDirectory);
      const trainer = await createEmbeddedTrainer({
        source: {
          preset: model,
          seed,
          vocabularySize: renderer.tokenizer.vocabularySize,
          ...(contextLength !== undefined && { contextLength }),
        },
        tokenizer: renderer.tokenizer,
        threads,
        extraFiles: rendererFiles,
      });
      return { trainer, renderer, rendererFiles };
    },
  };
}

/** The renderer that files of a model folder make, in a process that does not have the folder. */
function rendererFrom(files: Readonly<Record<string, string>>): Renderer {
  const folder = mkdtempSync(join(tmpdir(), "attune-renderer-"));
  try {
    for (const name of companionFiles) {
      const content = files[name];
      if (content !== undefined) writeFileAtomic(join(folder, name), content);
    }
    return loadRenderer(folder);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

/** tokenizer.json and what belongs to it, trained on the demonstrations as the nano template writes them. */
function makeVocabulary(
  demonstrations: readonly Trajectory[],
  vocabularySize: number,
): Record<string, string> {
  const template = createChatTemplate(nanoChatTemplate);
  const texts = demonstrations.map((trajectory) =>
    template(messagesOf(trajectory), { addGenerationPrompt: false }),
  );
  const tokenizer = trainTokenizer(texts, { vocabularySize, specialTokens: nanoSpecialTokens });
  return {
    "tokenizer.json": JSON.stringify(tokenizer),
    "tokenizer_config.json": `${JSON.stringify(nanoTokenizerConfig, null, 2)}\n`,
  };
}
