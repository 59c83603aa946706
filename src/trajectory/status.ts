import type { Status } from "../spec/trajectory.ts";

/**
 * What a status means for learning. `graded`: the policy's doing, scored like any other end. `dropped`: says
 * nothing about the policy, so it has no reward and never reaches a loss.
 */
export const statusPolicy: Record<Status, "graded" | "dropped"> = {
  completed: "graded",
  max_turns: "graded",
  max_tokens: "graded",
  context_overflow: "graded",
  parse_error: "graded",
  policy_error: "graded",
  environment_error: "dropped",
  timeout: "dropped",
  cancelled: "dropped",
};
