import { describe, expect, it } from "vitest";
import type { Environment, Split, Task } from "../spec/environment.ts";

/** What every environment must do by itself; `attune check` plays it as well. */
export function environmentContract(
  environment: Environment,
  { tasks: count = 200 }: { tasks?: number } = {},
): void {
  const take = (split: Split, seed: number) => {
    const tasks: Task[] = [];
    for (const task of environment.tasks({ split, seed })) if (tasks.push(task) >= count) break;
    return tasks;
  };

  describe(`environment contract: ${environment.name}`, () => {
    it("has the same tasks for a seed, others for another", () => {
      expect(take("train", 1)).toEqual(take("train", 1));
      expect(take("train", 1)).not.toEqual(take("train", 2));
    });

    it("never has a task in both splits", () => {
      const train = new Set([1, 2, 3].flatMap((seed) => take("train", seed)).map(({ id }) => id));
      expect([1, 2, 3].flatMap((seed) => take("test", seed)).filter(({ id }) => train.has(id))).toEqual([]);
    });

    it("has tasks that survive a file, under their environment's name and split", () => {
      for (const task of take("test", 1)) {
        expect(JSON.parse(JSON.stringify(task))).toEqual(task);
        expect([task.environment, task.split]).toEqual([environment.name, "test"]);
      }
    });

    it("opens sessions with messages and well-named tools, and closes them", async () => {
      for (const task of take("train", 1).slice(0, 5)) {
        const session = await environment.start(task, { seed: 1, signal: new AbortController().signal });
        expect(session.messages.length).toBeGreaterThan(0);
        for (const tool of session.tools) expect(tool.parameters["type"]).toBe("object");
        await session.close?.();
      }
    });

    it("shows the agent no answer", async () => {
      for (const task of take("test", 1)
        .filter(({ answer }) => typeof answer === "string" && answer.length > 3)
        .slice(0, 50)) {
        const { messages } = await environment.start(task, { seed: 1, signal: new AbortController().signal });
        expect(messages.map(({ content }) => content).join(" ")).not.toContain(`<answer>${task.answer}`);
      }
    });
  });
}
