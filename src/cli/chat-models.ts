import { existsSync } from "node:fs";
import { basename, resolve } from "node:path";
import { pathToFileURL } from "node:url";
import { type AiSdkModel, aiSdkChatModel } from "../connect/chat/ai-sdk.ts";
import { openAiChatModel } from "../connect/chat/open-ai.ts";
import { embedded } from "../embedded.ts";
import { policyChatModel } from "../rollout/policy-chat-model.ts";
import type { ChatModel } from "../spec/chat-model.ts";
import { AttuneError } from "../spec/error.ts";
import { resolveModel } from "./play.ts";

export type ChatModelOptions = { baseUrl?: string; keyEnv: string; seed: number };

/**
 * Whom a `--model` names: a run's, checkpoint's or model folder is played by the embedded engine; a module's default
 * export is a model of the AI SDK or one of ours; anything else is a model behind an OpenAI-compatible endpoint.
 */
export async function openChatModel(
  who: string,
  { baseUrl, keyEnv, seed }: ChatModelOptions,
): Promise<{ model: ChatModel; name: string }> {
  if (baseUrl === undefined && existsSync(who)) {
    return /\.[mc]?[jt]s$/.test(who) ? loadModel(who) : openFolder(who, seed);
  }
  const url = baseUrl ?? process.env["OPENAI_BASE_URL"] ?? "https://api.openai.com/v1";
  const key = process.env[keyEnv];
  return { model: openAiChatModel({ baseUrl: url, model: who, ...(key && { key }) }), name: who };
}

async function loadModel(file: string): Promise<{ model: ChatModel; name: string }> {
  const { default: found } = (await import(pathToFileURL(resolve(file)).href)) as { default?: unknown };
  const model = found as Partial<AiSdkModel & ChatModel> | undefined;
  if (typeof model?.complete === "function")
    return { model: model as ChatModel, name: model.name ?? basename(file) };
  if (typeof model?.doGenerate === "function") {
    const chat = aiSdkChatModel(model as AiSdkModel);
    return { model: chat, name: chat.name };
  }
  throw new AttuneError("usage", `${file}: expected a default export with doGenerate (AI SDK) or complete`);
}

async function openFolder(who: string, seed: number): Promise<{ model: ChatModel; name: string }> {
  const directory = resolveModel(who);
  const learner = embedded({ model: { directory } });
  const { trainer, renderer } = await learner.create({
    seed,
    tokenizerDirectory: directory,
    demonstrations: async () => [],
  });
  const name = basename(resolve(who));
  const model = policyChatModel(await trainer.policy(), { renderer });
  return { model: { ...model, name, close: () => trainer.close() }, name };
}
