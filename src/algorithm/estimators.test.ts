import { describe, expect, it } from "vitest";
import type { Algorithm, Credit, ScoredTrajectory } from "../spec/algorithm.ts";
import { dapo, overlongPenalty } from "./dapo.ts";
import { drGrpo } from "./dr-grpo.ts";
import { grpo } from "./grpo.ts";
import { reinforce } from "./reinforce.ts";
import { reinforcePlusPlus, reinforcePlusPlusBaseline } from "./reinforce-plus-plus.ts";
import { rloo } from "./rloo.ts";

const scored = (reward: number, tokens = 1): ScoredTrajectory => ({
  reward,
  task: "task",
  environment: "environment",
  turnTokens: [tokens],
});

const creditValue = (credit: Credit) => (credit.level === "trajectory" ? credit.value : Number.NaN);

/** What each trajectory of one group is credited with. */
const creditOf = (algorithm: Algorithm, rewards: readonly number[]) =>
  algorithm.credit(rewards.map((reward) => scored(reward))).map(creditValue);

/** The same over a batch of groups, `finish` included. */
function finishedCreditOf(algorithm: Algorithm, groups: readonly (readonly ScoredTrajectory[])[]): number[] {
  const batch = groups.flatMap((group) => {
    const credits = algorithm.credit(group);
    return group.map((each, index) => ({ scored: each, credit: credits[index]! }));
  });
  return (algorithm.finish?.(batch) ?? batch.map(({ credit }) => credit)).map(creditValue);
}

const close = (values: readonly number[]) => values.map((value) => expect.closeTo(value, 5));

describe("GRPO", () => {
  it("measures a reward by its distance from the group's mean in unbiased deviations", () => {
    expect(creditOf(grpo(), [1, 0, 0, 1])).toEqual(close([0.866024, -0.866024, -0.866024, 0.866024]));
    expect(creditOf(grpo(), [1, 0, 0, 0])).toEqual(close([1.499997, -0.499999, -0.499999, -0.499999]));
  });

  it("gives nothing to a tied group, nor to a group of one", () => {
    expect(creditOf(grpo(), [1, 1, 1]).map(Math.abs)).toEqual([0, 0, 0]);
    expect(creditOf(grpo(), [1]).map(Math.abs)).toEqual([0]);
  });

  it("does not see the scale or the offset of a reward", () => {
    const rewards = [0.3, 1, -0.2, 0.7];
    for (const [scale, offset] of [
      [10, 0],
      [1, -5],
      [0.5, 3],
    ] as const) {
      expect(
        creditOf(
          grpo(),
          rewards.map((reward) => scale * reward + offset),
        ),
      ).toEqual(close(creditOf(grpo(), rewards)));
    }
  });
});

describe("RLOO", () => {
  it("measures a reward by the mean of the others", () => {
    expect(creditOf(rloo(), [1, 0, 0, 0])).toEqual(close([1, -1 / 3, -1 / 3, -1 / 3]));
  });

  it("has nothing to compare a group of one with", () => {
    expect(creditOf(rloo(), [1])).toEqual([0]);
  });
});

describe("Dr. GRPO", () => {
  it("takes the group's mean off and divides by nothing", () => {
    expect(creditOf(drGrpo({ maxTokens: 64 }), [1, 0, 0, 0])).toEqual(close([0.75, -0.25, -0.25, -0.25]));
  });

  it("sums token losses over a constant length, the most an episode may sample", () => {
    expect(drGrpo({ maxTokens: 64 }).aggregation).toEqual({
      name: "trajectory-mean-token-sum-norm",
      length: 64,
    });
  });
});

describe("REINFORCE", () => {
  it("credits the reward, less a constant", () => {
    expect(creditOf(reinforce(), [1, 0, -2])).toEqual([1, 0, -2]);
    expect(creditOf(reinforce({ baseline: 0.5 }), [1, 0])).toEqual([0.5, -0.5]);
  });
});

describe("REINFORCE++", () => {
  it("whitens rewards over all tokens of the batch, long trajectories counting for more", () => {
    const groups = [[scored(1, 3)], [scored(-1, 2)]];
    expect(finishedCreditOf(reinforcePlusPlus(), groups)).toEqual(close([0.730297, -1.095445]));
  });

  it("with baseline takes the group's mean off first; tied groups stay in the deviation", () => {
    const groups = [
      [scored(1), scored(0)],
      [scored(1), scored(1)],
    ];
    expect(finishedCreditOf(reinforcePlusPlusBaseline(), groups)).toEqual(close([1.224745, -1.224745, 0, 0]));
    expect(finishedCreditOf(reinforcePlusPlusBaseline({ variance: "population" }), groups)).toEqual(
      close([Math.SQRT2, -Math.SQRT2, 0, 0]),
    );
    expect(reinforcePlusPlusBaseline().learnsFromTies).toBe(true);
  });
});

describe("DAPO", () => {
  it("is GRPO's advantage under a wider upper clip and a token mean, with tied groups replaced", () => {
    const algorithm = dapo();
    expect(creditOf(algorithm, [1, 0, 0, 1])).toEqual(creditOf(grpo(), [1, 0, 0, 1]));
    expect(algorithm).toMatchObject({
      loss: { name: "ppo", clipLow: 0.8, clipHigh: 1.28 },
      aggregation: { name: "token-mean" },
      learnsFromTies: false,
      resampleRounds: 9,
    });
  });

  it("punishes overlong answers along a ramp from 0 to −1", () => {
    const at = (tokens: number) => overlongPenalty(tokens, { longest: 20_480, buffer: 4096 });
    expect([100, 16_384, 18_432, 20_480, 30_000].map(at)).toEqual([0, 0, -0.5, -1, -1]);
  });
});
