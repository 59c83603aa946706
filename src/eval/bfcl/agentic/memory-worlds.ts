import { startExecution } from "../multi-turn/execute.ts";
import type { Simulator } from "../multi-turn/simulator.ts";
import { type PythonDict, toDict } from "../python/value.ts";
import type { Question } from "../run/question.ts";
import type { World, Worlds } from "../run/world.ts";
import { memoryKvText } from "./memory-kv.ts";
import { memorySummaryText } from "./memory-summary.ts";

/** What the model is shown of its memory, by the class that holds it. */
const texts: Readonly<Record<string, (memory: Simulator) => string>> = {
  MemoryAPI_kv: memoryKvText,
  MemoryAPI_rec_sum: memorySummaryText,
};

/**
 * The worlds of the memory categories: one object, whose state the conversations of a scenario hand on. `owner` is
 * part of its name.
 */
export function memoryWorlds(owner: string): Worlds {
  return {
    has: (category) => category.startsWith("memory_") && classOf(category) in texts,
    open: (question) => openMemory(question, { owner, config: new Map() }),
  };
}

const classOf = (category: string) => `MemoryAPI_${category.slice("memory_".length)}`;

function openMemory(question: Question, { owner, config }: { owner: string; config: PythonDict }): World {
  const [name = ""] = question.involvedClasses;
  const { objects, run } = startExecution({
    id: question.id,
    involvedClasses: [name],
    initialConfig: toDict({ [name]: config }),
    longContext: false,
    owner: owner.replace(/[-/.]/g, "_"),
  });
  const memory = objects.get(name)!;
  return {
    run,
    memoryText: () => texts[name]!(memory),
    fork: (next) => openMemory(next, { owner, config: memory.state() }),
  };
}
