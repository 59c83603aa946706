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
  /** Names of what the worlds stand on: an embedder, a search engine. */
  worldsOf?: Readonly<Record<string, string | undefined>>;
};

/** What results depend on beside the data. */
export function settingsOf({
  model,
  mode,
  variation,
  request,
  worldsOf,
}: Asked): Record<string, string | number | null | undefined> {
  return {
    model: model?.name ?? null,
    mode,
    prompt: mode === "prompt" ? variationText(variation) : null,
    temperature: request.temperature ?? null,
    maxTokens: request.maxTokens ?? null,
    seed: request.seed ?? null,
    ...worldsOf,
  };
}

/**
 * Results that were asked for in another way do not go into one file with these. What was not said before, or is not
 * said now, was not needed there.
 */
export function checkSettings(file: string, settings: ReturnType<typeof settingsOf>): void {
  const before = existsSync(file) ? readSettings(file) : {};
  for (const [key, value] of Object.entries(settings)) {
    if (before[key] === undefined || value === undefined || before[key] === value) continue;
    throw new AttuneError(
      "usage",
      `${file}: these results were made with ${key} ${JSON.stringify(before[key])}, got ${JSON.stringify(value)}: give another name or folder`,
    );
  }
  const said = Object.entries(settings).filter(([, value]) => value !== undefined);
  writeFileAtomic(file, `${JSON.stringify({ ...before, ...Object.fromEntries(said) }, null, 2)}\n`);
}

function readSettings(file: string): Record<string, unknown> {
  try {
    return JSON.parse(readFileSync(file, "utf8")) as Record<string, unknown>;
  } catch (error) {
    throw new AttuneError("input", `${file}: not JSON`, { cause: error });
  }
}
