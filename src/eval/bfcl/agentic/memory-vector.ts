import type { Embedder } from "../../../spec/embedder.ts";
import type { Method, Simulator, SimulatorClass } from "../multi-turn/simulator.ts";
import { PythonError } from "../python/error.ts";
import { remove } from "../python/methods.ts";
import { compare, contains, lengthOf } from "../python/operators.ts";
import { jsonText, str } from "../python/text.ts";
import { dictGet, dictSet, type PythonDict, type PythonValue, toDict } from "../python/value.ts";
import { Awaited } from "./awaited.ts";

const parts = {
  core_memory: { most: 7, longest: 300 },
  archival_memory: { most: 50, longest: 2000 },
};
type Part = keyof typeof parts;

/**
 * A memory of texts that are found by what they mean: a core and an archive. Vectors are made when something is looked
 * up, since only then they matter. `create` takes what `state` gave.
 */
export function createMemoryVector(vectors: Vectors): SimulatorClass {
  return {
    name: "MemoryAPI_vector",
    create(config) {
      const stores = (Object.keys(parts) as Part[]).map((name) => ({
        name,
        store: openStore(config.get(name)),
      }));
      return {
        methods: Object.assign({}, ...stores.map(({ name, store }) => methodsOf(name, store, vectors))),
        state: () => new Map(stores.map(({ name, store }) => [name, stateOf(store)])),
      };
    },
  };
}

/** What the model is shown of the core before a conversation: an empty one too. */
export function memoryVectorText({ state }: Simulator): string {
  return jsonText(dictGet(state().get("core_memory") as PythonDict, "store") as PythonDict, { indent: 4 });
}

/** The state as the next conversation finds it: the original writes it down, and lists the ids in order again. */
export function writtenVectorState(state: PythonDict): PythonDict {
  return new Map(
    [...state].map(([name, part]) => {
      const written = new Map(part as PythonDict);
      written.delete("order");
      return [name, written];
    }),
  );
}

/** Vectors of length 1 by text, each made once. */
export type Vectors = {
  /** The texts' vectors, or throws `Awaited` where one is yet to be made. */
  of(texts: readonly string[]): Float32Array[];
};

export function createVectors(embedder: Embedder): Vectors {
  const known = new Map<string, Float32Array>();
  return {
    of(texts) {
      const missing = [...new Set(texts)].filter((text) => !known.has(text));
      if (missing.length === 0) return texts.map((text) => known.get(text)!);
      throw new Awaited(async (signal) => {
        const made = await embedder.embed(missing, signal ? { signal } : {});
        for (const [index, text] of missing.entries()) known.set(text, normalised(made[index]!));
      });
    },
  };
}

/** `order` are the ids as the index lists them: what is changed moves to the end. */
type Store = { nextId: bigint; texts: PythonDict; order: bigint[] };

function openStore(given: PythonValue | undefined): Store {
  if (!(given instanceof Map)) return { nextId: 0n, texts: new Map(), order: [] };
  const texts = new Map(dictGet(given, "store") as Map<bigint, PythonValue>);
  const order = (dictGet(given, "order") as bigint[] | undefined) ?? [...texts.keys()].sort(ascending);
  return { nextId: dictGet(given, "next_id") as bigint, texts: texts as PythonDict, order: [...order] };
}

const ascending = (one: bigint, other: bigint) => Number(one - other);

function stateOf({ nextId, texts, order }: Store): PythonDict {
  return toDict({ next_id: nextId, store: new Map(texts), order: [...order] });
}

const error = (text: string) => toDict({ error: text });
const status = (text: string) => toDict({ status: text });
const query = { name: "query" };
const id = { name: "vec_id" };

function methodsOf(part: Part, store: Store, vectors: Vectors): Record<string, Method> {
  const { most, longest } = parts[part];
  const tooLong = () => error(`Entry length exceeds maximum length of ${longest} characters.`);
  const absent = (given: PythonValue) => error(`ID ${str(given)} not present in store.`);
  const named: Record<string, Method> = {
    add: {
      parameters: [{ name: "text" }],
      call(text = null) {
        if (lengthOf(text) > longest) return tooLong();
        if (store.texts.size >= most) return error(`Memory size exceeds maximum size of ${most} entries.`);
        const next = store.nextId++;
        assertText(text);
        store.texts.set(next, text);
        store.order.push(next);
        return toDict({ id: next });
      },
    },
    remove: {
      parameters: [id],
      call(given = null) {
        if (!contains(store.texts, given)) return absent(given);
        store.order = store.order.filter((each) => each !== toId(given));
        remove(store.texts, given);
        return status(`ID ${str(given)} removed from store.`);
      },
    },
    update: {
      parameters: [id, { name: "new_text" }],
      call(given = null, text = null) {
        if (!contains(store.texts, given)) return absent(given);
        if (lengthOf(text) > longest) return tooLong();
        // a text that cannot be embedded has left the index when that is found out
        store.order = store.order.filter((each) => each !== toId(given));
        assertText(text);
        store.order.push(toId(given));
        dictSet(store.texts, given, text);
        return status(`ID ${str(given)} updated.`);
      },
    },
    clear: {
      parameters: [],
      call() {
        store.texts.clear();
        store.order = [];
        store.nextId = 0n;
        return status("Memory cleared.");
      },
    },
    retrieve: {
      parameters: [query, { name: "top_k", default: 5n }],
      call: (wanted = null, most = null) => toDict({ result: nearest(store, wanted, most, vectors) }),
    },
    retrieve_all: {
      parameters: [],
      call: () => toDict({ result: [...store.texts].map(([key, text]) => toDict({ id: key, text })) }),
    },
  };
  return Object.fromEntries(Object.entries(named).map(([name, method]) => [`${part}_${name}`, method]));
}

/** The texts whose vectors point the same way as the query's. */
function nearest(store: Store, wanted: PythonValue, most: PythonValue, vectors: Vectors): PythonValue[] {
  if (store.texts.size === 0) return [];
  assertText(wanted);
  const [sought, ...vectorsOfTexts] = vectors.of([
    wanted,
    ...store.order.map((key) => store.texts.get(key) as string),
  ]);
  const count = compare(BigInt(store.texts.size), "<", most) ? BigInt(store.texts.size) : most;
  if (typeof count === "boolean") throw new PythonError("TypeError", "an integer is required");
  if (typeof count === "number")
    throw new PythonError("TypeError", "'float' object cannot be interpreted as an integer");
  if (Number(count) <= 0) throw new PythonError("AssertionError", "");
  const found = vectorsOfTexts.map((vector, position) => ({ position, score: similarity(sought!, vector) }));
  return best(found, Number(count)).map(({ position, score }) => {
    const key = store.order[position]!;
    return toDict({ id: key, similarity_score: score, text: store.texts.get(key)! });
  });
}

type Found = { position: number; score: number };

/**
 * As the heap of FAISS keeps them: what comes later must be better than the worst, of equally bad ones the first has
 * to go, and of equally good ones the last comes first.
 */
function best(all: readonly Found[], count: number): Found[] {
  const better = (one: Found, other: Found) => other.score - one.score || other.position - one.position;
  const kept: Found[] = [];
  for (const each of all) {
    if (kept.length === count && each.score > kept.at(-1)!.score) kept.pop();
    if (kept.length < count) kept.push(each);
    kept.sort(better);
  }
  return kept;
}

function assertText(value: PythonValue): asserts value is string {
  if (typeof value === "string") return;
  throw new PythonError(
    "TypeError",
    "TextEncodeInput must be Union[TextInputSequence, Tuple[InputSequence, InputSequence]]",
  );
}

/** An id that is in the store may be given as `1.0` or `True`. */
const toId = (given: PythonValue) => BigInt(Number(given));

/** The inner product, as the nearest float of 32 bits. */
function similarity(one: Float32Array, other: Float32Array): number {
  let sum = 0;
  for (let at = 0; at < one.length; at++) sum += one[at]! * other[at]!;
  return Math.fround(sum);
}

function normalised(vector: Float32Array): Float32Array {
  const length = Math.hypot(...vector);
  return length === 0 ? vector : vector.map((value) => value / length);
}
