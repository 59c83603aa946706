import { tokenizeTrajectory } from "../rollout/tokenize.ts";
import type { Message } from "../spec/message.ts";
import type { Renderer } from "../spec/tokenizer.ts";
import type { Trajectory, TrajectoryNode } from "../spec/trajectory.ts";

/** A conversation of general text as a trajectory of no environment, so that one loss learns from both. */
export function conversationTrajectory(messages: readonly Message[], renderer: Renderer): Trajectory {
  const nodes = messages.map(
    (message, index): TrajectoryNode => ({
      parent: index === 0 ? null : index - 1,
      turn: messages.slice(0, index).filter(({ role }) => role === "assistant").length,
      message,
      tokens: new Int32Array(0),
      logprobs: null,
      sampled: false,
      mask: message.role === "assistant",
      policyVersion: null,
    }),
  );
  const task = {
    id: "general",
    environment: "general",
    kind: "general",
    input: null,
    split: "train",
  } as const;
  const empty: Trajectory = {
    format: 1,
    id: "general",
    player: "author",
    step: 0,
    group: "general",
    sample: 0,
    attempt: 0,
    seed: 0,
    task,
    tools: [],
    nodes,
    calls: [],
    status: "completed",
    rewards: {},
    reward: null,
    timing: { samplingMs: 0, toolMs: 0, gradingMs: 0, wallMs: 0 },
  };
  return tokenizeTrajectory(empty, renderer);
}
