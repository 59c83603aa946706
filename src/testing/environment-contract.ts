import { describe, expect, it } from "vitest";
import { deriveSeed } from "../kit/random.ts";
import type { Environment, Expert, Player, Split, Task } from "../spec/environment.ts";
import { type PlayedMessages, playMessages } from "./play-messages.ts";

export type EnvironmentContractOptions = {
  /** Tasks that are drawn, and that the experts play. */
  tasks?: number;
  /** What the heaviest reward component gives for a task wholly solved. */
  fullReward?: number;
};

/**
 * What every environment must keep, as tests: call it in a test file of your own. `attune check` asks the same of an
 * environment as it runs, and more (latencies, adversarial players).
 */
export function environmentContract(
  environment: Environment,
  { tasks: count = 200, fullReward = 1 }: EnvironmentContractOptions = {},
): void {
  const take = (split: Split, seed: number) => {
    const tasks: Task[] = [];
    for (const task of environment.tasks({ split, seed })) if (tasks.push(task) >= count) break;
    return tasks;
  };
  const playAll = (tasks: readonly Task[], playerFor: (task: Task, seed: number) => Player) =>
    Promise.all(
      tasks.map((task, index) => {
        const seed = deriveSeed("contract", index);
        return playMessages(environment, { task, player: playerFor(task, seed), seed });
      }),
    );
  const outcome = Object.entries(environment.rewards).reduce((best, next) =>
    next[1].weight > best[1].weight ? next : best,
  )[0];
  const earned = (played: readonly PlayedMessages[]) => played.map(({ rewards }) => rewards[outcome]);

  describe(`environment contract: ${environment.name}`, () => {
    it("has the same tasks for a seed, others for another", () => {
      expect(take("train", 1).length).toBeGreaterThan(0);
      expect(take("train", 1)).toEqual(take("train", 1));
      expect(take("train", 1)).not.toEqual(take("train", 2));
    });

    it("never has a task in both splits", () => {
      const train = new Set([1, 2, 3].flatMap((seed) => take("train", seed)).map(({ id }) => id));
      expect([1, 2, 3].flatMap((seed) => take("test", seed)).filter(({ id }) => train.has(id))).toEqual([]);
    });

    it("has tasks that survive a file, under their environment's name and split, one id each", () => {
      const inputs = new Map<string, unknown>();
      for (const task of take("test", 1)) {
        expect(JSON.parse(JSON.stringify(task))).toEqual(task);
        expect([task.environment, task.split]).toEqual([environment.name, "test"]);
        expect(inputs.get(task.id) ?? task.input).toEqual(task.input);
        inputs.set(task.id, task.input);
      }
    });

    it("opens sessions with messages and tools of different names, each with an object for arguments", async () => {
      for (const task of take("train", 1).slice(0, 5)) {
        const session = await environment.start(task, { seed: 1, signal: new AbortController().signal });
        try {
          expect(session.messages.length).toBeGreaterThan(0);
          expect(new Set(session.tools.map(({ name }) => name)).size).toBe(session.tools.length);
          for (const tool of session.tools) expect(tool.parameters["type"]).toBe("object");
        } finally {
          await session.close?.();
        }
      }
    });

    it("says what is wrong with arguments that do not fit, and does not throw", async () => {
      const [task] = take("train", 1);
      const session = await environment.start(task!, { seed: 1, signal: new AbortController().signal });
      try {
        for (const tool of session.tools.filter(({ parameters }) => parameters["required"]))
          expect(await tool.check({})).toEqual({ ok: false, issues: expect.stringMatching(/./) });
      } finally {
        await session.close?.();
      }
    });

    it("earns nothing for saying nothing", async () => {
      const silent: Player = () => ({ role: "assistant", content: "" });
      for (const reward of earned(await playAll(take("train", 1), () => silent)))
        expect(reward ?? 0).toBeLessThanOrEqual(0);
    });

    const careful = environment.experts?.["careful"];
    it.runIf(careful)("can be solved, by many at once in sessions of their own", async () => {
      const tasks = take("train", 1);
      const rewards = earned(await playAll(tasks, (task, seed) => careful!(task, { seed })));
      expect(tasks.filter((_, index) => rewards[index] !== fullReward)).toEqual([]);
    });

    it.each<[string, Expert]>(Object.entries(environment.experts ?? {}))(
      'has an expert "%s" whose every call fits its tool, and whose episodes repeat',
      async (_name, expert) => {
        const playerFor = (task: Task, seed: number) => expert(task, { seed });
        const played = await playAll(take("test", 1), playerFor);
        const misfits = played.flatMap(({ calls }) =>
          calls.filter(({ failure }) => failure === "invalid_arguments"),
        );
        expect(misfits).toEqual([]);
        expect(await playAll(take("test", 1), playerFor)).toEqual(played);
      },
    );
  });
}
