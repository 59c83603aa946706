import type { Algorithm, Credit } from "../spec/algorithm.ts";

/** Credit that is one number per trajectory, a function of the group's rewards alone. */
export function perTrajectory(advantages: (rewards: readonly number[]) => number[]): Algorithm["credit"] {
  return (group) =>
    advantages(group.map(({ reward }) => reward)).map((value): Credit => ({ level: "trajectory", value }));
}
