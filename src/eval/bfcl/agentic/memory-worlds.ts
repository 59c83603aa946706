import type { Embedder } from "../../../spec/embedder.ts";
import { startExecution } from "../multi-turn/execute.ts";
import type { Simulator, SimulatorClass } from "../multi-turn/simulator.ts";
import type { PythonDict } from "../python/value.ts";
import { toDict } from "../python/value.ts";
import type { Question } from "../run/question.ts";
import type { World, Worlds } from "../run/world.ts";
import { createPatientRun } from "./awaited.ts";
import { memoryKv, memoryKvText } from "./memory-kv.ts";
import { memorySummary, memorySummaryText } from "./memory-summary.ts";
import { createMemoryVector, createVectors, memoryVectorText, writtenVectorState } from "./memory-vector.ts";

type Memory = {
  memory: SimulatorClass;
  /** What the model is shown of it. */
  text(memory: Simulator): string;
  /** Its state as the next conversation finds it. */
  written(state: PythonDict): PythonDict;
};

/**
 * The worlds of the memory categories: one object, whose state the conversations of a scenario hand on. `owner` is
 * part of its name. Without an embedder there is no vector memory.
 */
export function memoryWorlds(owner: string, { embedder }: { embedder?: Embedder | undefined } = {}): Worlds {
  const same = (state: PythonDict) => state;
  const memories = new Map<string, Memory>([
    ["memory_kv", { memory: memoryKv, text: memoryKvText, written: same }],
    ["memory_rec_sum", { memory: memorySummary, text: memorySummaryText, written: same }],
  ]);
  if (embedder)
    memories.set("memory_vector", {
      memory: createMemoryVector(createVectors(embedder)),
      text: memoryVectorText,
      written: writtenVectorState,
    });
  return {
    has: (category) => memories.has(category),
    whyNot: (category) =>
      category === "memory_vector" && !embedder ? "its memory needs an embedder" : undefined,
    open: (question) =>
      openMemory(question, {
        owner,
        kind: memories.get(question.category.replace("_prereq", ""))!,
        config: new Map(),
      }),
  };
}

type Opening = { owner: string; kind: Memory; config: PythonDict };

function openMemory(question: Question, { owner, kind, config }: Opening): World {
  const { name } = kind.memory;
  const open = (state = config) =>
    startExecution({
      id: question.id,
      involvedClasses: [name],
      initialConfig: toDict({ [name]: state }),
      longContext: false,
      owner: owner.replace(/[-/.]/g, "_"),
      classes: { [name]: kind.memory },
    });
  const { run, current } = createPatientRun(open, ({ objects }) => objects.get(name)!.state());
  const memory = () => current().objects.get(name)!;
  return {
    run,
    memoryText: () => kind.text(memory()),
    fork: (next) => openMemory(next, { owner, kind, config: kind.written(memory().state()) }),
  };
}
