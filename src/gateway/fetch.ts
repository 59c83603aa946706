import { createDialectApp } from "./app.ts";
import type { Conversation } from "./conversation.ts";

/**
 * A conversation as a `fetch` that any vendor's SDK can be given: `new OpenAI({ fetch, apiKey: "-" })`,
 * `new Anthropic({ fetch, apiKey: "-" })`. Nothing leaves the process; the addresses asked for do not matter beyond
 * their last parts.
 */
export function toFetch(conversation: Conversation): typeof globalThis.fetch {
  const app = createDialectApp({ conversationFor: () => conversation, now: () => new Date() });
  return async (input, init) => {
    const request = new Request(input, init);
    const path = new URL(request.url).pathname.replace(/^.*?(\/v1\/)/, "$1");
    return app.fetch(new Request(`http://attune${path}`, request));
  };
}
