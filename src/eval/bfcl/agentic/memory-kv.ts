import type { Method, Simulator, SimulatorClass } from "../multi-turn/simulator.ts";
import { PythonError } from "../python/error.ts";
import { missingMethod } from "../python/lines.ts";
import { lower } from "../python/methods.ts";
import { spaces } from "../python/number.ts";
import { contains, isTrue, textLength } from "../python/operators.ts";
import { jsonText, str } from "../python/text.ts";
import { dictGet, type PythonDict, PythonTuple, type PythonValue, toDict } from "../python/value.ts";
import { bm25Plus } from "./bm25-plus.ts";

/** A memory of named texts: a small core that the model sees, and an archive that it can look into. */
export const memoryKv: SimulatorClass = {
  name: "MemoryAPI_kv",
  create(config) {
    const core = storeFrom(config.get("core_memory"));
    const archive = storeFrom(config.get("archival_memory"));
    return {
      methods: {
        ...methodsOf("core_memory", core, {
          most: 7,
          longest: 300,
          full: "Core memory is full. Please clear some entries.",
          added: "Key-value pair added.",
          cleared: "Short term memory cleared.",
        }),
        core_memory_retrieve_all: { parameters: [], call: () => core },
        ...methodsOf("archival_memory", archive, {
          most: 50,
          longest: 2000,
          full: "Long term memory is full. Please clear some entries.",
          added: "Key added.",
          cleared: "Long term memory cleared.",
        }),
      },
      state: () => toDict({ core_memory: core, archival_memory: archive }),
    };
  },
};

/** What the model is shown of the core before a conversation. */
export function memoryKvText({ state }: Simulator): string {
  const core = state().get("core_memory") as PythonDict;
  return isTrue(core)
    ? jsonText(core, { indent: 4 })
    : "There is no content in the core memory at this point.";
}

type Rules = { most: number; longest: number; full: string; added: string; cleared: string };

const key = { name: "key" };
const value = { name: "value" };
const error = (text: string) => toDict({ error: text });
const status = (text: string) => toDict({ status: text });

function storeFrom(given: PythonValue | undefined): PythonDict {
  return given instanceof Map ? new Map(given) : new Map();
}

function methodsOf(prefix: string, store: PythonDict, rules: Rules): Record<string, Method> {
  const tooLong = error(
    `Entry is too long. Please shorten the entry to less than ${rules.longest} characters.`,
  );
  const named: Record<string, Method> = {
    add: {
      parameters: [key, value],
      call(givenKey = null, givenValue = null) {
        const [name, text] = [str(givenKey), str(givenValue)];
        if (store.size >= rules.most) return error(rules.full);
        if (textLength(text) > rules.longest) return tooLong;
        if (!/^[a-z]+(?:_[a-z0-9]+)*\n?$/.test(name))
          return error("Key must be in snake_case format and cannot contain spaces.");
        if (store.has(name)) return error("Key name must be unique.");
        store.set(name, text);
        return status(rules.added);
      },
    },
    remove: {
      parameters: [key],
      call(given = null) {
        if (!contains(store, given)) return error("Key not found.");
        store.delete(given);
        return status("Key removed.");
      },
    },
    replace: {
      parameters: [key, value],
      call(givenKey = null, givenValue = null) {
        const [name, text] = [str(givenKey), str(givenValue)];
        if (!store.has(name)) return error("Key not found.");
        if (textLength(text) > rules.longest) return tooLong;
        store.set(name, text);
        return status("Key replaced.");
      },
    },
    clear: {
      parameters: [],
      call() {
        store.clear();
        return status(rules.cleared);
      },
    },
    retrieve: {
      parameters: [key],
      call: (given = null) =>
        contains(store, given) ? toDict({ value: dictGet(store, given)! }) : error("Key not found."),
    },
    list_keys: { parameters: [], call: () => toDict({ keys: [...store.keys()] }) },
    key_search: {
      parameters: [{ name: "query" }, { name: "k", default: 5n }],
      call: (query = null, k = null) => search(query, [...store.keys()] as string[], k),
    },
  };
  return Object.fromEntries(Object.entries(named).map(([name, method]) => [`${prefix}_${name}`, method]));
}

/** The names that answer best, best first; of equal ones the older comes first. */
function search(query: PythonValue, names: readonly string[], k: PythonValue): PythonValue {
  const documents = names.map(wordsOf);
  if (documents.length === 0) bm25Plus(documents, []);
  if (typeof query !== "string") throw missingMethod(query, "replace");
  const scores = bm25Plus(documents, wordsOf(query));
  const ranked = names
    .map((name, index) => ({ name, score: scores[index]! }))
    .sort((one, other) => other.score - one.score);
  if (k !== null && typeof k !== "bigint" && typeof k !== "boolean")
    throw new PythonError("TypeError", `slice indices must be integers or None or have an __index__ method`);
  const best = k === null ? ranked : ranked.slice(0, Number(k));
  return toDict({ ranked_results: best.map(({ name, score }) => new PythonTuple([score, name])) });
}

const gap = new RegExp(`[${spaces}]+`);

/** `text.replace("_", " ").lower().split()`. */
function wordsOf(text: string): string[] {
  return (lower(text.replaceAll("_", " ")) as string).split(gap).filter((word) => word !== "");
}
