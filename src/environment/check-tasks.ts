import { isDeepStrictEqual } from "node:util";
import type { Environment, Split, Task } from "../spec/environment.ts";

/** The first tasks of a split, and what is wrong with them: one line a fault. */
export function checkTasks(
  environment: Environment,
  options: { split: Split; count: number; seed: number },
): { tasks: Task[]; findings: string[] } {
  const { split, seed } = options;
  const tasks = take(environment, options);
  const findings: string[] = [];
  const fault = (wrong: Task | undefined, what: string) => {
    if (wrong) findings.push(`${split} task ${wrong.id} ${what}`);
  };
  if (tasks.length === 0) findings.push(`there are no ${split} tasks with seed ${seed}`);
  fault(
    tasks.find((task) => task.environment !== environment.name),
    `is not named as one of "${environment.name}"`,
  );
  fault(
    tasks.find((task) => task.split !== split),
    "says that it is of another split",
  );
  fault(
    tasks.find((task) => !isDeepStrictEqual(JSON.parse(JSON.stringify(task)), { ...task })),
    "does not survive JSON",
  );
  const contents = new Map<string, Task>();
  fault(
    tasks.find((task) => {
      const known = contents.get(task.id);
      contents.set(task.id, task);
      return known && !isDeepStrictEqual(known.input, task.input);
    }),
    "shares its id with a task that asks something else",
  );
  const again = take(environment, options);
  fault(
    tasks.find((task, index) => !isDeepStrictEqual(task, again[index])),
    "is another one when the same seed is asked again",
  );
  return { tasks, findings };
}

function take(
  environment: Environment,
  { split, count, seed }: { split: Split; count: number; seed: number },
): Task[] {
  const tasks: Task[] = [];
  if (count <= 0) return tasks;
  for (const task of environment.tasks({ split, seed })) {
    tasks.push(task);
    if (tasks.length === count) break;
  }
  return tasks;
}
