import type { Task } from "./environment.ts";
import type { Json, JsonObject } from "./json.ts";
import type { Message } from "./message.ts";
import type { SamplingParams, StopReason } from "./policy.ts";
import type { ToolFailureKind, ToolSpec } from "./tool.ts";

/** How an episode ended. `statusPolicy` in the trajectory room says what each means for the loss. */
export type Status =
  | "completed"
  | "max_turns"
  | "max_tokens"
  | "context_overflow"
  | "parse_error"
  | "policy_error"
  | "environment_error"
  | "timeout"
  | "cancelled";

/**
 * The record of one episode: what reward, credit, SFT data, evaluation and resume all read. Messages form a tree
 * (`parent` indexes `nodes`); a path from a root to a leaf is one training row.
 */
export type Trajectory = {
  format: 1;
  id: string;
  /** Who played: a policy's or an expert's name. */
  player: string;
  step: number;
  /** Trajectories with the same group tried the same task at the same policy version. */
  group: string;
  sample: number;
  /** 0 first; higher where an infrastructure failure made a new attempt necessary. */
  attempt: number;
  seed: number;
  task: Task;
  /** The tools the session offered. */
  tools: ToolSpec[];
  nodes: TrajectoryNode[];
  calls: ToolCallRecord[];
  status: Status;
  /** One line on what went wrong, when something did. */
  error?: string;
  outcome?: Json;
  /** Components by name; null where one does not apply or could not be computed. */
  rewards: Record<string, number | null>;
  /** Weighted sum of the components; null when the episode says nothing about the policy. */
  reward: number | null;
  timing: { samplingMs: number; toolMs: number; gradingMs: number; wallMs: number };
};

export type TrajectoryNode = {
  /** Index of the node before it in `nodes`, or null for a root. */
  parent: number | null;
  /** Assistant turns before this node. */
  turn: number;
  /** The message, or null for the tokens that open a turn. */
  message: Message | null;
  /** Only the tokens this node adds. Messages that were rendered together have theirs on the last of them. */
  tokens: Int32Array;
  /** Log-probabilities of `tokens` under the policy that sampled them; null where nothing was sampled. */
  logprobs: Float32Array | null;
  /** Drawn from the policy, token by token. */
  sampled: boolean;
  /**
   * Written by whoever played (policy or expert), and therefore what a loss may look at. False for a sample that
   * broke off and that nobody went on from.
   */
  mask: boolean;
  policyVersion: number | null;
  stopReason?: StopReason;
  /** What could not be observed of this node. Absent when nothing is missing. */
  gap?: Gap[];
  /** What the message held beyond `message`, as it came: images, reasoning, a provider's opaque state. */
  extra?: Json;
  /** The tools this turn was offered, as indices into the trajectory's `tools`; all of them when absent. */
  offered?: number[];
};

/**
 * `tokens`: the ids of this node, so `tokens` is empty. `logprobs`: the log-probabilities of what was sampled.
 * `prompt`: what stood before it was recognised by its messages, not by its tokens. `rest`: the sample broke off, and
 * how it ends is not known.
 */
export type Gap = "tokens" | "logprobs" | "prompt" | "rest";

export type ToolCallRecord = {
  turn: number;
  id: string;
  name: string;
  arguments: JsonObject;
  /** What the policy was shown. */
  observation: string;
  failure: ToolFailureKind | null;
  latencyMs: number;
};

/** What a rollout plays with: enough to open an episode anywhere and get the same one. */
export type EpisodeRequest = {
  task: Task;
  step: number;
  group: string;
  sample: number;
  seed: number;
  /** How to sample; seed and length of a turn follow from the episode. */
  sampling: Omit<SamplingParams, "seed" | "maxTokens">;
};
