import { describe, expect, it } from "vitest";
import { defineEnvironment } from "../environment/define-environment.ts";
import { toTask } from "../environment/task.ts";
import type { Environment, Task } from "../spec/environment.ts";
import type { Message } from "../spec/message.ts";
import { grade } from "../train/grade.ts";
import { playWithPlayer } from "./player.ts";
import { type ReflexionOptions, reflectWith, reflexion } from "./reflexion.ts";
import { toLessons } from "./reflexion-lessons.ts";

/** A lock whose code the task does not tell; a task's `answer` is the code. */
const lock = defineEnvironment<string>({
  name: "lock",
  description: "",
  tasks: () => tasks,
  start: ({ input }) => ({ messages: [{ role: "user", content: `Open ${input}.` }], tools: [] }),
  rewards: { open: { weight: 1, grade: ({ answer, task }) => (answer === task.answer ? 1 : 0) } },
});

const door = (name: string, code: string) =>
  toTask<string>({ environment: "lock", kind: "door", input: name, answer: code, split: "train" });
const tasks: Task<string>[] = [door("red", "0"), door("green", "1"), door("blue", "2"), door("gold", "9")];

/** Tries the code after the last one that it is told has failed. */
const guess = (messages: readonly Message[]): string => {
  const told = [...(messages[0]?.content ?? "").matchAll(/not (\d)|assistant: (\d)/g)].map(
    ([, noted, done]) => Number(noted ?? done),
  );
  return String(Math.max(-1, ...told) + 1);
};

const play = (environment: Environment, task: Task, trial: number) =>
  playWithPlayer({
    environment,
    request: { task, step: 0, group: task.id, sample: trial, seed: trial, sampling: { temperature: 0 } },
    player: ({ messages }) => ({ role: "assistant", content: guess(messages) }),
    playerName: "guesser",
    grade,
  });

const reflect: ReflexionOptions["reflect"] = async (failed) => {
  const said = failed.nodes.findLast(({ message }) => message?.role === "assistant")!.message!;
  return `not ${said.content}`;
};

const solvedAfter = async (options: Partial<ReflexionOptions>) => {
  const curve: number[] = [];
  const results = await reflexion({
    environment: lock,
    tasks,
    play,
    reflect,
    trials: 4,
    onTrial: (_trial, solved) => curve.push(solved),
    ...options,
  });
  return { curve, results };
};

describe("reflexion", () => {
  it("solves more with each trial, tries no solved task again, and stays where it is without memory", async () => {
    const { curve, results } = await solvedAfter({});
    expect(curve).toEqual([1, 2, 3, 3]);
    expect(results.map(({ attempts }) => attempts.length)).toEqual([1, 2, 3, 4]);
    expect(results.map(({ solvedAt }) => solvedAt)).toEqual([0, 1, 2, null]);
    expect((await solvedAfter({ strategy: "none" })).curve).toEqual([1, 1, 1, 1]);
  });

  it("can tell the last attempt instead of what was learnt, or both", async () => {
    expect((await solvedAfter({ strategy: "last_attempt" })).curve).toEqual([1, 2, 3, 3]);
    const both = await solvedAfter({ strategy: "last_attempt_and_reflexion" });
    const told = both.results[1]!.attempts[1]!.nodes[0]!.message!.content;
    expect(told).toBe(
      "Your last attempt, which failed:\nassistant: 0\n\nWhat you noted after attempts that failed:\n- not 0\n\nOpen green.",
    );
  });

  it("keeps the last reflections only", async () => {
    const { results } = await solvedAfter({ trials: 6 });
    const last = results[3]!.attempts[5]!.nodes[0]!.message!.content;
    expect(last.match(/not \d/g)).toEqual(["not 2", "not 3", "not 4"]);
  });

  it("keeps what was learnt over tasks when asked", async () => {
    const { results } = await solvedAfter({ acrossTasks: true, trials: 2 });
    // three doors have failed with 0, and each says so to all
    expect(results[1]!.attempts[1]!.nodes[0]!.message!.content.match(/not 0/g)).toHaveLength(3);
  });

  it("learns nothing from a world that failed, and tries again", async () => {
    let broken = true;
    const asked: string[] = [];
    const { results } = await solvedAfter({
      tasks: tasks.slice(0, 1),
      play: async (environment, task, trial) => {
        const attempt = await play(environment, task, trial);
        const result = broken ? { ...attempt, status: "environment_error" as const, reward: null } : attempt;
        broken = false;
        return result;
      },
      reflect: async (failed) => {
        asked.push(failed.id);
        return "";
      },
    });
    expect(results[0]).toMatchObject({ solvedAt: 1, reflections: [] });
    expect(asked).toEqual([]);
  });

  it("exports the reflection that helped, the solution without its memory, and pairs with the failures", async () => {
    const { results } = await solvedAfter({});
    const { sft, preferences } = toLessons(results[2]!);
    const [reflection, solution] = sft;
    expect(reflection!.messages.map(({ role }) => role)).toEqual(["system", "user", "assistant"]);
    expect(reflection!.messages[2]!.content).toBe("not 1");
    expect(reflection!.messages[1]!.content).toContain("What you noted before:\n- not 0");
    const prompt = [{ role: "user", content: "Open blue." }];
    const said = (content: string) => [{ role: "assistant", content }];
    expect(solution!.messages).toEqual([...prompt, ...said("2")]);
    expect(preferences).toEqual([
      { prompt, tools: [], chosen: said("2"), rejected: said("0") },
      { prompt, tools: [], chosen: said("2"), rejected: said("1") },
    ]);
    expect(toLessons(results[0]!)).toEqual({ sft: [], preferences: [] });
    expect(toLessons(results[3]!)).toEqual({ sft: [], preferences: [] });
  });

  it("asks a model with the whole attempt and what it earned", async () => {
    const asked: string[] = [];
    const model = {
      name: "m",
      complete: async ({ messages }: { messages: readonly Message[] }) => {
        asked.push(messages[1]!.content);
        return {
          message: { role: "assistant" as const, content: " not 0 \n" },
          stopReason: "stop" as const,
          usage: null,
        };
      },
    };
    const { results } = await solvedAfter({ tasks: tasks.slice(1, 2), reflect: reflectWith(model) });
    expect(results[0]).toMatchObject({ solvedAt: 1, reflections: ["not 0"] });
    expect(asked[0]).toBe("user: Open green.\nassistant: 0\n\nThe attempt ended as completed with reward 0.");
  });

  it.each([{ trials: 0 }, { window: 1.5 }])("refuses %j", async (options) => {
    await expect(solvedAfter(options)).rejects.toThrow("expected");
  });
});
