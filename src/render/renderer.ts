import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { AttuneError } from "../spec/error.ts";
import type { AssistantMessage, Message } from "../spec/message.ts";
import type { Renderer } from "../spec/tokenizer.ts";
import { type ChatTemplate, createChatTemplate } from "./chat-template.ts";
import { loadTokenizer, readJsonFile, type TextTokenizer } from "./tokenizer.ts";
import { parseToolCalls } from "./tool-calls.ts";

/** A conversation to measure templates with; what it says never reaches a model. */
const question: Message = { role: "user", content: "question" };
const reply: AssistantMessage = { role: "assistant", content: "reply" };

/**
 * Messages ↔ tokens for a tokenizer and any chat template that extends a conversation without rewriting it. What
 * follows an assistant turn is found by rendering a neutral conversation and taking what comes after its stop
 * token, so sampled tokens are never rendered again.
 */
export function createRenderer({
  tokenizer,
  template,
  stopTokens,
}: {
  tokenizer: TextTokenizer;
  template: ChatTemplate;
  stopTokens: readonly string[];
}): Renderer {
  const stopIds = stopTokens.map((token) => {
    const id = tokenizer.idOf(token);
    if (id === undefined) throw new AttuneError("input", `stop token "${token}" is not in the vocabulary`);
    return id;
  });
  const stop = stopTokens[0];
  if (stop === undefined) throw new AttuneError("input", "a renderer needs at least one stop token");
  const clean = (messages: readonly Message[]) =>
    messages.map((message) => withoutSpecials(message, tokenizer.addedTokens));

  const opening = template([question], { addGenerationPrompt: true });
  const answered = template([question, reply], { addGenerationPrompt: false });
  const stopAt = answered.lastIndexOf(stop);
  if (!answered.startsWith(opening) || stopAt === -1) {
    throw new AttuneError(
      "input",
      "chat template: expected an assistant turn to follow its opening and to end with the stop token; this template rewrites the conversation",
    );
  }
  const past = answered.slice(0, stopAt + stop.length);

  return {
    tokenizer,
    stopTokens: stopIds,
    prompt: (messages, tools) =>
      tokenizer.encode(template(clean(messages), { tools, addGenerationPrompt: true })),
    observation(messages) {
      const whole = template([question, reply, ...clean(messages)], { addGenerationPrompt: true });
      if (!whole.startsWith(past)) {
        throw new AttuneError(
          "input",
          `chat template: a ${messages[0]?.role} message after an assistant turn rewrites that turn`,
        );
      }
      return tokenizer.encode(whole.slice(past.length));
    },
    turn(message) {
      const whole = template([question, message], { addGenerationPrompt: false });
      const end = whole.lastIndexOf(stop);
      if (!whole.startsWith(opening) || end < opening.length) {
        throw new AttuneError("input", "chat template: an assistant turn does not follow its opening");
      }
      return tokenizer.encode(whole.slice(opening.length, end + stop.length));
    },
    parse(tokens) {
      const ids = Array.from(tokens);
      const end = ids.findIndex((id) => stopIds.includes(id));
      return parseToolCalls(tokenizer.decode(end === -1 ? ids : ids.slice(0, end)));
    },
  };
}

/** Tokenizer, chat template and stop tokens of a Hugging Face folder or a checkpoint. */
export function loadRenderer(directory: string): Renderer {
  const tokenizer = loadTokenizer(directory);
  const config = readJsonFile(join(directory, "tokenizer_config.json"), {});
  const eosToken = tokenText(config["eos_token"]);
  const template = createChatTemplate(readTemplate(directory, config), {
    bosToken: tokenText(config["bos_token"]),
    eosToken,
  });
  const generation = readJsonFile(join(directory, "generation_config.json"), {});
  const more = [generation["eos_token_id"] ?? []].flat().map((id) => tokenizer.decode([Number(id)]));
  const stopTokens = [...new Set([...(eosToken ? [eosToken] : []), ...more])];
  return createRenderer({ tokenizer, template, stopTokens });
}

function readTemplate(directory: string, config: Record<string, unknown>): string {
  const file = join(directory, "chat_template.jinja");
  if (existsSync(file)) return readFileSync(file, "utf8");
  const value = config["chat_template"];
  if (typeof value === "string") return value;
  if (Array.isArray(value)) {
    const named = value as { name?: unknown; template?: unknown }[];
    const chosen =
      named.find(({ name }) => name === "tool_use") ?? named.find(({ name }) => name === "default");
    if (typeof chosen?.template === "string") return chosen.template;
  }
  // older exports of models with a processor keep it there
  const { chat_template: separate } = readJsonFile(join(directory, "chat_template.json"), {});
  if (typeof separate === "string") return separate;
  throw new AttuneError(
    "input",
    `${directory}: expected a chat template in chat_template.jinja, tokenizer_config.json or chat_template.json, found none`,
  );
}

const tokenText = (value: unknown): string | undefined =>
  typeof value === "string" ? value : (value as { content?: string } | undefined)?.content;

/**
 * What comes from outside must not be able to end a turn or open one: special tokens spelled in the content of a
 * message that the policy did not write are broken up by a space.
 */
function withoutSpecials(message: Message, specials: readonly string[]): Message {
  if (message.role === "assistant") return message;
  let { content } = message;
  for (const token of specials) {
    if (content.includes(token)) content = content.replaceAll(token, `${token[0]} ${token.slice(1)}`);
  }
  return content === message.content ? message : { ...message, content };
}
