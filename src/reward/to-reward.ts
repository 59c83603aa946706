import type { GradeContext, RewardComponent } from "../spec/environment.ts";
import { statusPolicy } from "../trajectory/status.ts";

export type GradedReward = {
  rewards: Record<string, number | null>;
  reward: number | null;
  /** One line for each component that could not be computed. */
  errors: string[];
};

/**
 * Every component by name, and their weighted sum. Null is left out of the sum, not counted as zero; a component
 * that throws or gives a number that is not finite leaves the whole reward null, because a part of a reward is
 * another reward. An episode whose status says nothing about the policy has none at all.
 */
export async function toReward(
  components: Record<string, RewardComponent>,
  context: GradeContext,
): Promise<GradedReward> {
  const rewards: Record<string, number | null> = {};
  const errors: string[] = [];
  if (statusPolicy[context.status] === "dropped") {
    for (const name of Object.keys(components)) rewards[name] = null;
    return { rewards, reward: null, errors };
  }
  let reward = 0;
  for (const [name, { weight, grade }] of Object.entries(components)) {
    let value: number | null;
    try {
      value = await grade(context);
      if (value !== null && !Number.isFinite(value))
        throw new Error(`expected a finite number, got ${value}`);
    } catch (error) {
      errors.push(`reward "${name}" on task ${context.task.id}: ${(error as Error).message}`);
      value = null;
    }
    rewards[name] = value;
    if (value !== null) reward += weight * value;
  }
  return { rewards, reward: errors.length > 0 ? null : reward, errors };
}
