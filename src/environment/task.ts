import { createHash } from "node:crypto";
import { deriveSeed } from "../kit/random.ts";
import type { Split, Task } from "../spec/environment.ts";
import type { Json } from "../spec/json.ts";

/** A frozen task whose id is a hash of what it asks, so that the same problem has the same id everywhere. */
export function toTask<Input extends Json>(fields: Omit<Task<Input>, "id">): Task<Input> {
  const { environment, kind, input } = fields;
  const id = createHash("sha256")
    .update(JSON.stringify([environment, kind, input]))
    .digest("hex")
    .slice(0, 16);
  return freeze({ id, ...fields });
}

/**
 * The split a key belongs to: a fixed share of all keys is held out, whatever the seed of a run. What is hashed
 * decides what generalises: a combination of parts holds out combinations, not parts.
 */
export function splitOf(key: string, { testShare = 0.2, salt }: { testShare?: number; salt: string }): Split {
  return deriveSeed(salt, key) / 4294967296 < testShare ? "test" : "train";
}

/** The same value, which nothing can change any more, all the way down. */
export function freeze<Value>(value: Value): Value {
  if (typeof value !== "object" || value === null || Object.isFrozen(value)) return value;
  for (const part of Object.values(value)) freeze(part);
  return Object.freeze(value);
}
