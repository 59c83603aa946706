import type { Simulator, SimulatorClass } from "../multi-turn/simulator.ts";
import { isTrue, textLength } from "../python/operators.ts";
import { str } from "../python/text.ts";
import { type PythonDict, toDict } from "../python/value.ts";

const longest = 10_000;
const error = (text: string) => toDict({ error: text });
const tooLong = (after: string) =>
  error(
    `Entry will be too long after ${after}. Please shorten the entry to less than ${longest} characters.`,
  );

/** A memory of one text, which the model rewrites as it learns more (recursive summary). */
export const memorySummary: SimulatorClass = {
  name: "MemoryAPI_rec_sum",
  create(config) {
    const state: PythonDict = toDict({ memory: config.get("memory") ?? "" });
    const memory = () => state.get("memory") as string;
    return {
      methods: {
        memory_append: {
          parameters: [{ name: "text" }],
          call(given = null) {
            const whole = memory() + str(given);
            if (textLength(whole) > longest) return tooLong("appending");
            state.set("memory", whole);
            return toDict({ status: "Memory appended." });
          },
        },
        memory_update: {
          parameters: [{ name: "text" }],
          call(given = null) {
            const text = str(given);
            if (textLength(text) > longest) return tooLong("updating");
            state.set("memory", text);
            return toDict({ status: "Memory updated." });
          },
        },
        memory_clear: {
          parameters: [],
          call() {
            state.set("memory", "");
            return toDict({ status: "Short term memory cleared." });
          },
        },
        memory_replace: {
          parameters: [{ name: "old_text" }, { name: "new_text" }],
          call(givenOld = null, givenNew = null) {
            const [before, after] = [str(givenOld), str(givenNew)];
            if (!memory().includes(before)) return error(`Text '${before}' not found in memory.`);
            if (textLength(after) > longest) return tooLong("replacing");
            state.set("memory", replaced(memory(), before, after));
            return toDict({ status: "Memory updated." });
          },
        },
        memory_retrieve: {
          parameters: [],
          call: () => (isTrue(memory()) ? toDict({ memory_content: memory() }) : error("Memory is empty.")),
        },
      },
      state: () => state,
    };
  },
};

/** What the model is shown of it before a conversation. */
export function memorySummaryText({ state }: Simulator): string {
  const text = state().get("memory") as string;
  return text === "" ? "There is no content in the memory at this point." : text;
}

/** `text.replace(before, after)`: nothing stands before, between and behind all characters. */
function replaced(text: string, before: string, after: string): string {
  if (before !== "") return text.split(before).join(after);
  return `${after}${Array.from(text, (character) => character + after).join("")}`;
}
