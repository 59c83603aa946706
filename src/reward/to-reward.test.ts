import { expect, it } from "vitest";
import type { GradeContext, RewardComponent } from "../spec/environment.ts";
import type { Status } from "../spec/trajectory.ts";
import { toReward } from "./to-reward.ts";

const context = (status: Status = "completed"): GradeContext => ({
  task: { id: "7", environment: "quiz", kind: "sum", input: "6*7", answer: "42", split: "train" },
  messages: [],
  answer: "42",
  calls: [],
  turns: 1,
  sampledTokens: 3,
  status,
  outcome: undefined,
});

const gives = (value: number | null, weight = 1): RewardComponent => ({ weight, grade: () => value });

it("sums components by weight; a weight of 0 is a metric", async () => {
  const components = { outcome: gives(1), style: gives(0.5, 0.2), length: gives(90, 0) };
  expect(await toReward(components, context())).toEqual({
    rewards: { outcome: 1, style: 0.5, length: 90 },
    reward: 1.1,
    errors: [],
  });
});

it("leaves out what does not apply: null is not 0", async () => {
  const { rewards, reward } = await toReward({ outcome: gives(1), style: gives(null, -1) }, context());
  expect({ rewards, reward }).toEqual({ rewards: { outcome: 1, style: null }, reward: 1 });
});

it("waits for graders that take their time", async () => {
  const slow = { weight: 2, grade: async () => Promise.resolve(0.25) };
  expect((await toReward({ slow }, context())).reward).toBe(0.5);
});

it.each<[string, RewardComponent["grade"], string]>([
  [
    "throws",
    () => {
      throw new Error("judge is away");
    },
    "judge is away",
  ],
  ["rejects", () => Promise.reject(new Error("judge is away")), "judge is away"],
  ["is not a number", () => Number.NaN, "expected a finite number, got NaN"],
  ["is infinite", () => Number.POSITIVE_INFINITY, "expected a finite number, got Infinity"],
  ["forgets to return", () => undefined as unknown as number, "expected a finite number, got undefined"],
  ["gives text", () => "1" as unknown as number, "expected a finite number, got 1"],
])("has no reward, and says why, where a component %s", async (_what, grade, error) => {
  const components = { outcome: gives(1), judge: { weight: 1, grade } };
  expect(await toReward(components, context())).toEqual({
    rewards: { outcome: 1, judge: null },
    reward: null,
    errors: [`reward "judge" on task 7: ${error}`],
  });
});

it.each(["environment_error", "timeout", "cancelled"] as const)(
  "gives nothing for an episode that says nothing about the policy (%s)",
  async (status) => {
    const never = { weight: 1, grade: () => expect.unreachable("graded an episode that the world broke") };
    expect(await toReward({ never }, context(status))).toEqual({
      rewards: { never: null },
      reward: null,
      errors: [],
    });
  },
);
