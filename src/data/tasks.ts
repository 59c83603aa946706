import { deriveSeed } from "../kit/random.ts";
import type { Environment, Split, Task } from "../spec/environment.ts";
import { AttuneError } from "../spec/error.ts";

/**
 * Takes different tasks of a split, the environments in rotation. A pure function of its arguments, so the tasks of
 * a step follow from the seed and the step.
 */
export function takeTasks({
  environments,
  split,
  count,
  seed,
}: {
  environments: readonly Environment[];
  split: Split;
  count: number;
  seed: number;
}): Task[] {
  const streams = environments.map((environment) =>
    distinct(environment, environment.tasks({ split, seed: deriveSeed(seed, environment.name) })),
  );
  const tasks: Task[] = [];
  for (let index = 0; index < count; index++) {
    const next = streams[index % streams.length]!.next();
    if (next.done) {
      const { name } = environments[index % environments.length]!;
      throw new AttuneError(
        "usage",
        `environment "${name}" has too few ${split} tasks: ${count} are wanted, it ran out at ${index}`,
      );
    }
    tasks.push(next.value);
  }
  return tasks;
}

/** Draws in a row that may repeat before an endless stream counts as used up. */
const patience = 2000;

function* distinct({ name }: Environment, tasks: Iterable<Task>): Generator<Task> {
  const seen = new Set<string>();
  let repeats = 0;
  for (const task of tasks) {
    if (task.environment !== name)
      throw new AttuneError(
        "environment",
        `environment "${name}" made a task of environment "${task.environment}"`,
      );
    if (seen.has(task.id)) {
      if (++repeats > patience) return;
      continue;
    }
    repeats = 0;
    seen.add(task.id);
    yield task;
  }
}
