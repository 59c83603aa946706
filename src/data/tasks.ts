import { createRandom, deriveSeed } from "../kit/random.ts";
import type { Environment, Split, Task } from "../spec/environment.ts";
import { AttuneError } from "../spec/error.ts";
import { checkWeights, drawIndex } from "./weighted.ts";

export type TaskQuery = {
  environments: readonly Environment[];
  split: Split;
  count: number;
  seed: number;
  /** How often a task comes from each environment, by name; an environment that is not named has weight 1. */
  weights?: Readonly<Record<string, number>>;
  /** An environment that has no more tasks: refuse (default), begin again (practice), or give fewer (a measure). */
  whenUsedUp?: "refuse" | "repeat" | "stop";
};

/**
 * Takes different tasks of a split: the environments in rotation, or each task's environment drawn by weight. A
 * pure function of its arguments, so the tasks of a step follow from the seed and the step.
 */
export function takeTasks({
  environments,
  split,
  count,
  seed,
  weights,
  whenUsedUp = "refuse",
}: TaskQuery): Task[] {
  if (environments.length === 0)
    throw new AttuneError("usage", "tasks: expected at least one environment, got none");
  const turnOf = weights ? drawByWeight(environments, { weights, seed }) : inRotation(environments);
  const open = (environment: Environment, round: number) =>
    distinct(
      environment,
      environment.tasks({ split, seed: deriveSeed(seed, environment.name, ...again(round)) }),
    );
  const streams = environments.map((environment) => ({
    environment,
    round: 0,
    stream: open(environment, 0),
  }));
  const tasks: Task[] = [];
  for (let index = 0; index < count; index++) {
    const source = streams[turnOf(index)]!;
    let next = source.stream.next();
    if (next.done && whenUsedUp === "repeat") {
      source.stream = open(source.environment, ++source.round);
      next = source.stream.next();
    }
    if (!next.done) tasks.push(next.value);
    else if (whenUsedUp !== "stop") {
      const { name } = source.environment;
      throw new AttuneError(
        "usage",
        `environment "${name}" has too few ${split} tasks: ${count} are wanted, it ran out at ${index}`,
      );
    }
  }
  if (tasks.length === 0 && count > 0) {
    throw new AttuneError("usage", `environment "${environments[0]!.name}" has no ${split} task`);
  }
  return tasks;
}

/** The first pass has no number, so that a seed means the same for endless and for small worlds. */
const again = (round: number) => (round === 0 ? [] : [round]);

const inRotation = (environments: readonly Environment[]) => (index: number) => index % environments.length;

function drawByWeight(
  environments: readonly Environment[],
  { weights, seed }: { weights: Readonly<Record<string, number>>; seed: number },
): () => number {
  const names = environments.map(({ name }) => name);
  const unknown = Object.keys(weights).find((name) => !names.includes(name));
  if (unknown !== undefined)
    throw new AttuneError(
      "usage",
      `tasks: a weight names environment "${unknown}"; there are ${names.join(", ")}`,
    );
  const shares = Object.fromEntries(names.map((name) => [name, weights[name] ?? 1]));
  checkWeights(shares, "tasks");
  const random = createRandom(deriveSeed(seed, "environments"));
  return () =>
    drawIndex(
      names.map((name) => shares[name]!),
      random,
    );
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
