import type { TaskKind } from "../../environment/task-stream.ts";
import { book, price } from "./booking-goals.ts";
import type { WebInput } from "./goal.ts";
import { move, read, reply, tidy } from "./mail-goals.ts";
import { preferences, profile } from "./settings-goals.ts";
import { bulk, count, create, edit, extreme, lookup, remove } from "./tracker-goals.ts";

/** The families of tasks, by name. */
export const kinds: Record<string, TaskKind<WebInput>> = {
  preferences,
  profile,
  lookup,
  count,
  extreme,
  edit,
  remove,
  bulk,
  create,
  read,
  move,
  tidy,
  reply,
  price,
  book,
};
