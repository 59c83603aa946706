import { createRandom, deriveSeed, type Random } from "../kit/random.ts";
import type { Split, Task } from "../spec/environment.ts";
import { AttuneError } from "../spec/error.ts";
import type { Json } from "../spec/json.ts";
import { splitOf, toTask } from "./task.ts";

/** One family of tasks: draws an input and an answer, and says which combination decides the split. */
export type TaskKind<Input extends Json> = (random: Random) => { input: Input; answer: Json; key: string };

/** Draws of a kind that may fall into the other split before the kind is said to have nothing in this one. */
const drawsAllowed = 10_000;

/**
 * An endless, seeded stream of tasks over kinds drawn with equal chance. A draw whose key belongs to the other
 * split is thrown away, so train and test tasks never share a combination. Throws `AttuneError` (environment) where
 * a kind has no combination in the split.
 */
export function* taskStream<Input extends Json>(options: {
  environment: string;
  kinds: Record<string, TaskKind<Input>>;
  salt: string;
  split: Split;
  seed: number;
}): Generator<Task<Input>> {
  const { environment, kinds, salt, split } = options;
  const random = createRandom(deriveSeed(options.seed, environment, split));
  const names = Object.keys(kinds);
  for (;;) {
    const kind = random.pick(names);
    // a kind keeps its share however its combinations fell
    let drawn = kinds[kind]!(random);
    for (let draws = 1; splitOf(`${kind} ${drawn.key}`, { salt }) !== split; draws++) {
      if (draws === drawsAllowed)
        throw new AttuneError(
          "environment",
          `environment "${environment}": kind "${kind}" has no ${split} task in ${draws} draws`,
        );
      drawn = kinds[kind]!(random);
    }
    yield toTask({ environment, kind, input: drawn.input, answer: drawn.answer, split });
  }
}

/** Some of an environment's kinds by name. Throws `AttuneError` (usage) for a name that is none of them. */
export function pickKinds<Kind>(
  kinds: Record<string, Kind>,
  { only, environment }: { only: readonly string[]; environment: string },
): Record<string, Kind> {
  const known = Object.keys(kinds).join(", ");
  if (only.length === 0)
    throw new AttuneError("usage", `environment "${environment}": got no kind of task, expected ${known}`);
  return Object.fromEntries(
    only.map((name) => {
      if (!Object.hasOwn(kinds, name))
        throw new AttuneError(
          "usage",
          `environment "${environment}": no kind of task "${name}"; there are ${known}`,
        );
      return [name, kinds[name]!];
    }),
  );
}
