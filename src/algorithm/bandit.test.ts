import { describe, expect, it } from "vitest";
import { toRows } from "../batch/to-rows.ts";
import { createRandom } from "../kit/random.ts";
import type { Algorithm } from "../spec/algorithm.ts";
import { conversation, observed, said } from "../testing/trajectories.ts";
import { dapo } from "./dapo.ts";
import { drGrpo } from "./dr-grpo.ts";
import { grpo } from "./grpo.ts";
import { normalizedPerEnvironment } from "./per-environment.ts";
import { reinforce } from "./reinforce.ts";
import { reinforcePlusPlus, reinforcePlusPlusBaseline } from "./reinforce-plus-plus.ts";
import { rloo } from "./rloo.ts";

// A bandit whose every number is known: a softmax policy over arms, an episode is one token (the arm), the reward
// is the arm's. The gradient of the expected reward is p(arm)·(reward − mean reward).
const rewards = [0.2, 0.5, 1, 0.1];
const best = 2;

function softmax(logits: readonly number[]): number[] {
  const shares = logits.map(Math.exp);
  const total = shares.reduce((sum, share) => sum + share, 0);
  return shares.map((share) => share / total);
}

const expectedReward = (policy: readonly number[]) =>
  policy.reduce((total, share, arm) => total + share * rewards[arm]!, 0);

/** Rises by what the rows of a batch say: at a ratio of 1 every policy loss has the gradient −w·A·∇log p. */
function ascentOf(policy: readonly number[], groups: readonly (readonly number[])[], algorithm: Algorithm) {
  const { rows } = toRows({
    groups: groups.map((arms) =>
      arms.map((arm) =>
        conversation({ reward: rewards[arm]!, nodes: [observed(9), said([arm], [Math.log(policy[arm]!)])] }),
      ),
    ),
    algorithm,
  });
  const ascent = policy.map(() => 0);
  for (const { targets, weights, advantages } of rows) {
    for (const [index, arm] of targets.entries()) {
      const push = weights[index]! * advantages![index]!;
      for (const other of ascent.keys()) ascent[other]! += push * ((other === arm ? 1 : 0) - policy[other]!);
    }
  }
  return ascent;
}

/** The mean of an estimator over every group there can be, each as likely as the policy makes it. */
function expectedAscent(policy: readonly number[], groupSize: number, algorithm: Algorithm): number[] {
  const mean = policy.map(() => 0);
  const visit = (arms: readonly number[], probability: number) => {
    if (arms.length === groupSize) {
      for (const [arm, push] of ascentOf(policy, [arms], algorithm).entries())
        mean[arm]! += probability * push;
      return;
    }
    for (const [arm, share] of policy.entries()) visit([...arms, arm], probability * share);
  };
  visit([], 1);
  return mean;
}

const policy = softmax([0.3, -0.2, 0.1, 0.4]);
const gradient = policy.map((share, arm) => share * (rewards[arm]! - expectedReward(policy)));

describe("over every group there can be", () => {
  const scaled = (factor: number) => gradient.map((push) => expect.closeTo(factor * push, 6));

  it("RLOO is the gradient itself", () => {
    expect(expectedAscent(policy, 3, rloo())).toEqual(scaled(1));
  });

  it("REINFORCE is the gradient itself, with any constant baseline", () => {
    expect(expectedAscent(policy, 2, reinforce())).toEqual(scaled(1));
    expect(expectedAscent(policy, 2, reinforce({ baseline: 0.45 }))).toEqual(scaled(1));
  });

  it("Dr. GRPO is the gradient but for the factor (G − 1)/G", () => {
    expect(expectedAscent(policy, 3, drGrpo({ maxTokens: 1 }))).toEqual(scaled(2 / 3));
  });

  it("GRPO is not the gradient, and yet goes uphill", () => {
    const ascent = expectedAscent(policy, 3, grpo());
    const dot = (a: readonly number[], b: readonly number[]) =>
      a.reduce((total, value, index) => total + value * b[index]!, 0);
    const cosine = dot(ascent, gradient) / Math.sqrt(dot(ascent, ascent) * dot(gradient, gradient));
    expect(cosine).toBeGreaterThan(0.9);
    expect(cosine).toBeLessThan(0.9999);
  });
});

describe("a bandit's policy finds the best arm", () => {
  it.each([
    grpo(),
    rloo(),
    reinforce(),
    reinforcePlusPlus(),
    reinforcePlusPlusBaseline(),
    drGrpo({ maxTokens: 1 }),
    dapo(),
    normalizedPerEnvironment(grpo()),
  ])("under $name", (algorithm) => {
    const random = createRandom(7);
    const draw = (shares: readonly number[]) => {
      let left = random.next();
      for (const [arm, share] of shares.entries()) {
        if (left < share) return arm;
        left -= share;
      }
      return shares.length - 1;
    };
    let logits = rewards.map(() => 0);
    for (let step = 0; step < 150; step++) {
      const shares = softmax(logits);
      const groups = Array.from({ length: 4 }, () => Array.from({ length: 8 }, () => draw(shares)));
      const ascent = ascentOf(shares, groups, algorithm);
      logits = logits.map((logit, arm) => logit + 0.5 * ascent[arm]!);
    }
    expect(softmax(logits)[best]).toBeGreaterThan(0.9);
  });
});
