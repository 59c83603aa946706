import { describe, expect, it } from "vitest";
import { createRandom } from "../kit/random.ts";
import type { Environment, Task } from "../spec/environment.ts";
import { takeTasks } from "./tasks.ts";

/** An environment whose tasks are numbers below `size`, in an order that the seed decides; endless when repeated. */
function numbers(
  name: string,
  { size, repeated = false }: { size: number; repeated?: boolean },
): Environment {
  return {
    name,
    description: "",
    rewards: {},
    start: () => ({ messages: [], tools: [] }),
    *tasks({ split, seed }) {
      const random = createRandom(seed);
      const order = random.shuffle(Array.from({ length: size }, (_, index) => index));
      do {
        for (const index of order)
          yield {
            id: `${split}-${index}`,
            environment: name,
            kind: "number",
            input: index,
            split,
          } satisfies Task;
      } while (repeated);
    },
  };
}

const environments = [numbers("a", { size: 500 }), numbers("b", { size: 500 }), numbers("c", { size: 500 })];
const namesOf = (tasks: readonly Task[]) => tasks.map(({ environment }) => environment);

describe("taking tasks", () => {
  it("goes through the environments in rotation", () => {
    const tasks = takeTasks({ environments, split: "train", count: 7, seed: 1 });
    expect(namesOf(tasks)).toEqual(["a", "b", "c", "a", "b", "c", "a"]);
    expect(tasks.every(({ split }) => split === "train")).toBe(true);
  });

  it("never takes a task twice, not even from a stream that repeats itself", () => {
    const tasks = takeTasks({
      environments: [numbers("a", { size: 40, repeated: true })],
      split: "test",
      count: 40,
      seed: 1,
    });
    expect(new Set(tasks.map(({ id }) => id)).size).toBe(40);
  });

  it("takes the same for a seed and others for another, a longer take beginning like a shorter one", () => {
    const take = (seed: number, count: number) => takeTasks({ environments, split: "train", count, seed });
    expect(take(1, 20)).toEqual(take(1, 20));
    expect(take(1, 20)).not.toEqual(take(2, 20));
    expect(take(1, 50).slice(0, 20)).toEqual(take(1, 20));
  });

  it("draws environments by weight where weights are given; one that is not named has weight 1", () => {
    const tasks = takeTasks({ environments, split: "train", count: 600, seed: 1, weights: { a: 4, b: 0 } });
    const counts = Map.groupBy(namesOf(tasks), (name) => name);
    expect(counts.get("a")!.length / 600).toBeCloseTo(0.8, 1);
    expect(counts.get("c")!.length / 600).toBeCloseTo(0.2, 1);
    expect(counts.has("b")).toBe(false);
  });

  it("says which environment ran out, of which split, and where", () => {
    const few = [numbers("a", { size: 500 }), numbers("few", { size: 3, repeated: true })];
    expect(() => takeTasks({ environments: few, split: "test", count: 20, seed: 1 })).toThrow(
      'environment "few" has too few test tasks: 20 are wanted, it ran out at 7',
    );
  });

  it("refuses what cannot be meant", () => {
    const query = { environments, split: "train", count: 3, seed: 1 } as const;
    expect(() => takeTasks({ ...query, environments: [] })).toThrow("expected at least one environment");
    expect(() => takeTasks({ ...query, weights: { d: 1 } })).toThrow('environment "d"; there are a, b, c');
    expect(() => takeTasks({ ...query, weights: { a: -2 } })).toThrow('0 or more for "a", got -2');
    expect(() => takeTasks({ ...query, weights: { a: 0, b: 0, c: 0 } })).toThrow("weight above 0");
    const impostor = { ...numbers("a", { size: 9 }), name: "z" };
    expect(() => takeTasks({ ...query, environments: [impostor] })).toThrow(
      'environment "z" made a task of environment "a"',
    );
  });
});
