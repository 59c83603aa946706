import { isMultiTurn } from "../categories.ts";
import { startExecution } from "../multi-turn/execute.ts";
import type { Question } from "./question.ts";

/** Where the calls of one conversation are executed. */
export type World = {
  /** Runs call strings in order and gives the text of each result; what a call raises is its text. */
  run(calls: readonly string[], signal?: AbortSignal): readonly string[] | Promise<readonly string[]>;
  /** What the model is shown of its memory before the conversation. Memory only. */
  memoryText?(): string;
  /** Another world with the same memory, for the next conversation. Memory only. */
  fork?(question: Question): World;
};

export type Worlds = {
  /** Whether questions of the category can be asked; those of a category without a world are left out. */
  has(category: string): boolean;
  /** What a category of these would need that is not there. */
  whyNot?(category: string): string | undefined;
  open(question: Question): World | Promise<World>;
};

/** The worlds of the multi-turn categories. `owner` is part of their objects' names. */
export function multiTurnWorlds(owner: string): Worlds {
  return {
    has: isMultiTurn,
    open({ id, involvedClasses, initialConfig, category }) {
      const longContext = category.includes("long_context");
      return startExecution({ id, involvedClasses, initialConfig, longContext, owner: ownerName(owner) });
    },
  };
}

/** The model's name as a variable in Python could have it. */
function ownerName(name: string): string {
  return name.replace(/[-/.]/g, "_");
}

/** Several as one: the first that has a category opens its questions. */
export function joinWorlds(worlds: readonly Worlds[]): Worlds {
  return {
    has: (category) => worlds.some((each) => each.has(category)),
    whyNot: (category) =>
      worlds.map((each) => each.whyNot?.(category)).find((reason) => reason !== undefined),
    open(question) {
      const found = worlds.find((each) => each.has(question.category.replace("_prereq", "")));
      if (found === undefined) throw new Error(`${question.id}: no world for its category`);
      return found.open(question);
    },
  };
}
