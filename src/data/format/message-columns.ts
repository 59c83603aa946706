import type { Said } from "./branch.ts";
import { toChatMessage } from "./chat.ts";
import { boolean, type Column, list, struct, text } from "./parquet.ts";
import type { Fields } from "./spot.ts";

/** Messages as a list of structs; a call's arguments are JSON in a text, since every tool has others. */
export const messageColumns = (name: string): Column =>
  list(name, (element) =>
    struct(
      element,
      text("role"),
      text("content"),
      list("tool_calls", (call) =>
        struct(call, text("id"), text("type"), struct("function", text("name"), text("arguments"))),
      ),
      text("tool_call_id"),
      text("name"),
      boolean("learn"),
    ),
  );

/** `learn` says of each turn whether a loss may look at it; it is null for everything that is no turn. */
export const toColumnMessage = ({ message, learn }: Said): Fields => ({
  ...toChatMessage(message, "text"),
  ...(message.role === "assistant" && { learn }),
});
