import { existsSync, readFileSync } from "node:fs";
import { writeFileAtomic } from "../../../kit/files.ts";
import type { ChatModel } from "../../../spec/chat-model.ts";
import { AttuneError } from "../../../spec/error.ts";
import { type PromptVariation, variationText } from "../prompt/variation.ts";
import type { AskOptions } from "./ask.ts";
import type { Mode } from "./mode.ts";

type Asked = {
  model: ChatModel | undefined;
  mode: Mode;
  variation: PromptVariation;
  request: AskOptions["request"];
};

/** What results depend on beside the data. */
export function settingsOf({ model, mode, variation, request }: Asked): Record<string, unknown> {
  return {
    model: model?.name,
    mode,
    prompt: mode === "prompt" ? variationText(variation) : null,
    temperature: request.temperature ?? null,
    maxTokens: request.maxTokens ?? null,
    seed: request.seed ?? null,
  };
}

/** Results that were asked for in another way do not go into one file with these. */
export function checkSettings(file: string, settings: Record<string, unknown>): void {
  if (!existsSync(file)) {
    writeFileAtomic(file, `${JSON.stringify(settings, null, 2)}\n`);
    return;
  }
  let before: Record<string, unknown>;
  try {
    before = JSON.parse(readFileSync(file, "utf8")) as Record<string, unknown>;
  } catch (error) {
    throw new AttuneError("input", `${file}: not JSON`, { cause: error });
  }
  for (const [key, value] of Object.entries(settings)) {
    if (before[key] === value) continue;
    throw new AttuneError(
      "usage",
      `${file}: these results were made with ${key} ${JSON.stringify(before[key])}, got ${JSON.stringify(value)}: give another name or folder`,
    );
  }
}
