import type { GradeContext } from "../spec/environment.ts";
import type { Trajectory } from "../spec/trajectory.ts";
import { assistantMessages, messagesOf, sampledTokens } from "./path.ts";

/** What a reward may look at, from a trajectory alone: no session is needed. */
export function toGradeContext(trajectory: Trajectory): GradeContext {
  const { task, calls, status, outcome } = trajectory;
  const turns = assistantMessages(trajectory);
  return {
    task,
    messages: messagesOf(trajectory),
    answer: turns.at(-1)?.content ?? "",
    calls,
    turns: turns.length,
    sampledTokens: sampledTokens(trajectory),
    status,
    outcome,
  };
}
