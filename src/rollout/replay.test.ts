import { describe, expect, it } from "vitest";
import { takeTasks } from "../data/tasks.ts";
import { calculator, files } from "../gym/index.ts";
import type { Environment } from "../spec/environment.ts";
import type { Message } from "../spec/message.ts";
import type { Trajectory } from "../spec/trajectory.ts";
import { byteRenderer } from "../testing/byte-tokenizer.ts";
import { scriptedPolicy } from "../testing/scripted-policy.ts";
import { grade } from "../train/grade.ts";
import { toRequests } from "./groups.ts";
import { playWithPlayer } from "./player.ts";
import { replay } from "./replay.ts";
import { rollout } from "./rollout.ts";

const requestFor = (environment: Environment) => {
  const tasks = takeTasks({
    environments: [environment],
    split: "train",
    count: 1,
    seed: 0,
    whenUsedUp: "stop",
  });
  return toRequests({ tasks, groupSize: 1, step: 0, runSeed: 0, sampling: { temperature: 1 } })[0]!;
};

const byExpert = (environment: Environment) => {
  const request = requestFor(environment);
  const player = environment.experts!["careful"]!(request.task, { seed: request.seed });
  return playWithPlayer({ environment, request, player, playerName: "careful", grade });
};

const bySaying = async (environment: Environment, say: (prompt: string) => string): Promise<Trajectory> => {
  const policy = scriptedPolicy(say, { renderer: byteRenderer });
  const [trajectory] = await rollout({
    environments: [environment],
    requests: [requestFor(environment)],
    policy,
    renderer: byteRenderer,
    grade,
    concurrency: 1,
    order: "free",
  });
  return trajectory!;
};

describe("a stored trajectory that is replayed", () => {
  it("finds the same world again", async () => {
    for (const environment of [calculator(), files()]) {
      const stored = await byExpert(environment);
      const { trajectory, differences } = await replay(stored, { environment, grade });
      expect(differences).toEqual([]);
      expect(trajectory.calls.map(({ observation }) => observation)).toEqual(
        stored.calls.map(({ observation }) => observation),
      );
    }
  });

  it("names the message and the reward that the world gives otherwise now", async () => {
    const environment = calculator();
    const stored = await byExpert(environment);
    const index = stored.nodes.findIndex(({ message }) => message?.role === "tool");
    const changed = (message: Message): Message => ({ ...message, content: "7 and a half" });
    const before: Trajectory = {
      ...stored,
      rewards: { ...stored.rewards, correct: 0 },
      nodes: stored.nodes.map((node, each) =>
        each === index ? { ...node, message: changed(node.message!) } : node,
      ),
    };
    const { differences } = await replay(before, { environment, grade });
    expect(differences).toEqual([
      {
        where: `message ${index} (tool ${stored.calls[0]!.name})`,
        stored: "7 and a half",
        replayed: stored.calls[0]!.observation,
      },
      { where: "reward correct", stored: "0", replayed: "1" },
    ]);
  });

  it.each([
    ["a turn that could not be read", () => "→calculate {not json"],
    ["a tool that is not there", () => "→fly {}"],
    ["a turn that was cut off", () => "x".repeat(600)],
    ["an empty answer", () => ""],
  ])("ends as it did after %s", async (_what, say) => {
    const environment = calculator();
    const stored = await bySaying(environment, say);
    const { differences } = await replay(stored, { environment, grade });
    expect(differences).toEqual([]);
  });
});
