import type { Json } from "./json.ts";
import type { AssistantMessage, Message } from "./message.ts";
import type { Policy } from "./policy.ts";
import type { Renderer } from "./tokenizer.ts";
import type { Tool, ToolSpec } from "./tool.ts";
import type { EpisodeRequest, Status, ToolCallRecord, Trajectory } from "./trajectory.ts";

export type Split = "train" | "test";

/** One problem to solve: a frozen, serialisable row. */
export type Task<Input extends Json = Json> = {
  /** Unique in its environment; a hash of the content, so that the same problem has the same id everywhere. */
  id: string;
  environment: string;
  /** The family of problems it belongs to, for success per kind. */
  kind: string;
  input: Input;
  /** What a correct answer is, in the environment's own terms. Never shown to the policy. */
  answer?: Json;
  split: Split;
};

/**
 * A world in which an agent acts: a POMDP whose hidden state lives in the session and whose observations are
 * messages. A single-turn task is the same thing with one turn.
 */
export interface Environment<Input extends Json = Json> {
  name: string;
  description: string;
  /** Tasks of a split in an order that the seed decides. Lazy, may be infinite. Splits never overlap. */
  tasks(query: { split: Split; seed: number }): Iterable<Task<Input>>;
  /** Opens a single-use session for a task. There is no reset. */
  start(task: Task<Input>, context: StartContext): Session | Promise<Session>;
  /**
   * Plays an episode by itself, where the loop is an agent's own. The trajectory comes back without rewards. Absent,
   * the rollout plays a session.
   */
  play?(episode: OwnEpisode): Promise<Trajectory>;
  /** Named components of the reward; weight 0 is a metric. */
  rewards: Record<string, RewardComponent>;
  limits?: Partial<RolloutLimits>;
  /**
   * The mean reward of players that know nothing, by name, where it is not about zero (guessing among four options
   * earns `random` a quarter). The health check holds the environment to it.
   */
  baselines?: Readonly<Record<string, number>>;
  /** Scripted players that show how the tasks are done (`careful` first), for SFT and for the health check. */
  experts?: Record<string, Expert>;
}

export type OwnEpisode = {
  request: EpisodeRequest;
  /** Whose turns the agent gets when it asks its model. */
  speaker: { policy: Policy; renderer: Renderer } | { player: Player; name: string };
  limits: RolloutLimits;
  attempt: number;
  signal: AbortSignal;
};

export type StartContext = {
  seed: number;
  /** Higher than 0 where the world failed and the episode is played again; absent is 0. */
  attempt?: number;
  signal: AbortSignal;
};

/** One attempt at one task. The agent sees its messages and tools; only the rollout opens and closes it. */
export interface Session {
  /** What the conversation starts with. */
  messages: Message[];
  /**
   * The agent is told of these at the start. One that is added to this list later can be called from then on; what
   * the agent hears of it is for `respond` to say, since what it has read is not rewritten.
   */
  tools: Tool[];
  /**
   * Answers an assistant message that calls no tool (a user simulator, a judge). Absent, such a message ends the
   * episode. Returning nothing ends it too.
   */
  respond?(message: AssistantMessage): Message[] | undefined | Promise<Message[] | undefined>;
  /** Asked after the tools of a turn have run: true ends the episode as completed (a game is won, an answer given). */
  ended?(): boolean;
  /** What the world looks like at the end, kept on the trajectory so that rewards can be recomputed without it. */
  outcome?(): Json | Promise<Json>;
  /** Called exactly once, whatever happened. */
  close?(): void | Promise<void>;
}

/** Plays at message level: given the conversation so far, the next assistant message. */
export type Player = (turn: {
  messages: readonly Message[];
  tools: readonly ToolSpec[];
}) => AssistantMessage | Promise<AssistantMessage>;

/** Makes a player for one task; `seed` decides whatever it draws. */
export type Expert = (task: Task, context: { seed: number }) => Player;

/** What a reward may look at. Everything here is stored, so a reward can be recomputed offline. */
export type GradeContext = {
  task: Task;
  messages: readonly Message[];
  /** Content of the last assistant message. */
  answer: string;
  calls: readonly ToolCallRecord[];
  /** Turns the policy took. */
  turns: number;
  sampledTokens: number;
  status: Status;
  outcome: Json | undefined;
};

export type RewardComponent = {
  weight: number;
  /** A finite number, or null where the component does not apply. Null is left out of the sum; it is not zero. */
  grade(context: GradeContext): number | null | Promise<number | null>;
};

/**
 * What one episode may use. When several are reached at once the first in this order gives the status:
 * wall time, context, tokens in all, tool calls, turns.
 */
export type RolloutLimits = {
  /** Assistant turns. Reaching it without an end gives `max_turns`. */
  turns: number;
  /** Tokens sampled in one turn. A turn cut by it has no stop token and gives `max_tokens`. */
  tokensPerTurn: number;
  /** Prompt, observation and sampled tokens together. */
  tokens: number;
  /** Tool calls in all; a turn that asks for more gives `max_turns`. */
  toolCalls: number;
  /** Characters of one observation that are kept; the rest is cut and said to be cut. */
  observationCharacters: number;
  /** Milliseconds one tool call may take. */
  toolTimeoutMs: number;
  /** Milliseconds the whole episode may take, sampling included. */
  wallTimeMs: number;
  /** Consecutive turns that cannot be read before the episode ends with `parse_error`; until then the agent is told. */
  unreadableTurns: number;
  /** Consecutive turns that call tools without one valid call before the episode ends with `policy_error`. */
  invalidTurns: number;
};
