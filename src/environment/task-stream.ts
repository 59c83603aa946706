import { createRandom, deriveSeed, type Random } from "../kit/random.ts";
import type { Split, Task } from "../spec/environment.ts";
import type { Json } from "../spec/json.ts";
import { splitOf, toTask } from "./task.ts";

/** One family of tasks: draws an input and an answer, and says which combination decides the split. */
export type TaskKind<Input extends Json> = (random: Random) => { input: Input; answer: Json; key: string };

/**
 * An endless, seeded stream of tasks over kinds drawn with equal chance. A draw whose key belongs to the other
 * split is thrown away, so train and test tasks never share a combination.
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
    while (splitOf(`${kind} ${drawn.key}`, { salt }) !== split) drawn = kinds[kind]!(random);
    yield toTask({ environment, kind, input: drawn.input, answer: drawn.answer, split });
  }
}
