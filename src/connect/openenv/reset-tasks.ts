import { splitOf, toTask } from "../../environment/task.ts";
import { createRandom, deriveSeed } from "../../kit/random.ts";
import type { Split, Task } from "../../spec/environment.ts";
import { AttuneError } from "../../spec/error.ts";
import type { JsonObject } from "../../spec/json.ts";

/** A remote task is what its reset asks for; what that leads to is the server's to know. */
export type ResetInput = { reset: JsonObject };

type Resets = Record<Split, readonly JsonObject[]>;

/**
 * The resets that were given, in an order that the seed decides; or, without any, an endless stream of seeds of which
 * a fifth is the test split's. The split goes along with a seed, for servers (ours, for one) whose reset knows it.
 */
export function* resetTasks({
  environment,
  resets,
  split,
  seed,
}: {
  environment: string;
  resets: Resets | undefined;
  split: Split;
  seed: number;
}): Generator<Task<ResetInput>> {
  const random = createRandom(deriveSeed(seed, environment, split));
  const taskOf = (reset: JsonObject) => toTask({ environment, kind: "episode", input: { reset }, split });
  if (resets) {
    for (const reset of random.shuffle(resets[split])) yield taskOf(reset);
    return;
  }
  for (;;) {
    const drawn = random.integer(2 ** 31);
    if (splitOf(String(drawn), { salt: "openenv-1" }) === split) yield taskOf({ seed: drawn, split });
  }
}

/** Throws `AttuneError` (usage) where a reset is in both splits, or there is none to train on. */
export function checkResets({ train, test }: Resets): void {
  if (train.length === 0) throw new AttuneError("usage", "openEnv: resets: train: got none, expected some");
  const known = new Set(train.map((reset) => JSON.stringify(reset)));
  const shared = test.find((reset) => known.has(JSON.stringify(reset)));
  if (shared)
    throw new AttuneError("usage", `openEnv: resets: ${JSON.stringify(shared)} is in train and in test`);
}
