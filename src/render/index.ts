// Messages ↔ tokens. A renderer pairs a tokenizer with a chat template and refuses templates that rewrite what has
// been said. Read renderer.ts first.
export { type ChatTemplate, createChatTemplate } from "./chat-template.ts";
export { nanoChatTemplate, nanoSpecialTokens, nanoTokenizerConfig } from "./nano.ts";
export { createRenderer, loadRenderer } from "./renderer.ts";
export { createTokenizer, loadTokenizer, type TextTokenizer } from "./tokenizer.ts";
export { parseToolCalls } from "./tool-calls.ts";
export { type TokenizerTraining, trainTokenizer } from "./train-tokenizer.ts";
