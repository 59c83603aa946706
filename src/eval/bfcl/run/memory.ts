import { PythonError } from "../python/error.ts";
import { dictGet, type PythonDict } from "../python/value.ts";
import { isEmpty } from "./ask.ts";
import { type Mode, storedCalls } from "./mode.ts";
import type { Question } from "./question.ts";
import type { World } from "./world.ts";

/**
 * Brings a memory to where a stored conversation left it, by running its calls again: they are all that ever
 * changes a memory.
 */
export async function replayConversation(
  question: Question,
  row: PythonDict,
  world: World,
  { mode, signal }: { mode: Mode; signal?: AbortSignal },
): Promise<void> {
  const turns = dictGet(row, "result");
  for (const turn of Array.isArray(turns) ? turns : []) {
    for (const stored of Array.isArray(turn) ? turn : []) {
      try {
        const calls = storedCalls(stored, mode, question);
        if (!isEmpty(calls)) await world.run(calls, signal);
      } catch (error) {
        if (!(error instanceof PythonError)) throw error;
      }
    }
  }
}
