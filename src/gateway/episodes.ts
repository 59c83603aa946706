import { z } from "zod";
import type { RolloutLimits } from "../spec/environment.ts";
import { AttuneError } from "../spec/error.ts";
import type { SamplingParams } from "../spec/policy.ts";
import type { Status, Trajectory } from "../spec/trajectory.ts";
import { createRecorder, type Recorder } from "../trajectory/recorder.ts";
import type { Conversation } from "./conversation.ts";

/** What an episode is opened with. All of it may be left out. */
export const opening = z.strictObject({
  id: z
    .string()
    .regex(/^[\w.~-]{1,200}$/, "expected letters, digits, - _ . ~")
    .optional(),
  task: z
    .strictObject({
      id: z.string().optional(),
      environment: z.string().optional(),
      kind: z.string().optional(),
      input: z.json().optional(),
      answer: z.json().optional(),
      split: z.enum(["train", "test"]).optional(),
    })
    .optional(),
  group: z.string().optional(),
  sample: z.number().int().nonnegative().optional(),
  step: z.number().int().nonnegative().optional(),
  attempt: z.number().int().nonnegative().optional(),
  seed: z.number().int().nonnegative().optional(),
  limits: z
    .strictObject({
      turns: z.number().int().positive(),
      tokens: z.number().int().positive(),
      tokensPerTurn: z.number().int().positive(),
    })
    .partial()
    .optional(),
  /** Wins over what the agent asks for: how training and evaluation are sampled is not the agent's to say. */
  sampling: z
    .strictObject({
      temperature: z.number().min(0),
      topP: z.number().min(0).max(1),
      topK: z.number().int().min(0),
    })
    .partial()
    .optional(),
});

export type Opening = z.infer<typeof opening>;

/** How an episode ends. */
export const ending = z.strictObject({
  status: z
    .enum(["completed", "policy_error", "environment_error", "timeout", "cancelled"])
    .default("completed"),
  error: z.string().optional(),
  outcome: z.json().optional(),
  rewards: z.record(z.string(), z.number().nullable()).optional(),
  reward: z.number().nullable().optional(),
});

export type Ending = z.input<typeof ending>;

export type EpisodeState = { id: string; turns: number; tokens: number; sealed: boolean };

export type Episodes = {
  open(given: Opening): string;
  has(id: string): boolean;
  conversation(id: string): Conversation;
  state(id: string): EpisodeState;
  /** Ends it; what it came to is told to `onTrajectory`. */
  seal(id: string, end: Ending): Trajectory;
  /** Ids of those that are open. */
  ids(): string[];
};

/** How an episode's model is made: over a policy, or over a server that stands behind. */
export type ConversationFactory = (episode: {
  recorder: Recorder;
  limits: Partial<RolloutLimits>;
  sampling: Partial<Omit<SamplingParams, "seed" | "maxTokens">>;
  seed: number;
}) => Conversation;

/** The episodes of a gateway: open ones with their recorders, and the ids of those that are sealed. */
export function createEpisodes({
  create,
  player,
  onTrajectory,
}: {
  create: ConversationFactory;
  player: string;
  onTrajectory(trajectory: Trajectory): void;
}): Episodes {
  const open = new Map<string, { recorder: Recorder; conversation: Conversation }>();
  const sealed = new Map<string, EpisodeState>();
  let opened = 0;

  const find = (id: string) => {
    const episode = open.get(id);
    if (!episode)
      throw new AttuneError(
        "usage",
        sealed.has(id) ? `episode ${id} is sealed` : `there is no episode ${id}`,
      );
    return episode;
  };

  return {
    open(given) {
      const id = given.id ?? `episode-${opened}`;
      if (open.has(id) || sealed.has(id))
        throw new AttuneError("usage", `episode ${id} is there already; two agents may not share one`);
      const { task = {}, sample = 0, step = 0, attempt = 0, seed = opened } = given;
      const { environment = "gateway", kind = "captured", input = null, split = "train" } = task;
      const recorder = createRecorder({
        id,
        player,
        step,
        group: given.group ?? id,
        sample,
        attempt,
        seed,
        task: {
          id: task.id ?? id,
          environment,
          kind,
          input,
          split,
          ...(task.answer !== undefined && { answer: task.answer }),
        },
      });
      const limits = Object.fromEntries(
        Object.entries(given.limits ?? {}).filter(([, value]) => value !== undefined),
      );
      const sampling = Object.fromEntries(
        Object.entries(given.sampling ?? {}).filter(([, value]) => value !== undefined),
      );
      open.set(id, { recorder, conversation: create({ recorder, limits, sampling, seed }) });
      opened++;
      return id;
    },
    has: (id) => open.has(id) || sealed.has(id),
    conversation: (id) => find(id).conversation,
    state(id) {
      const known = sealed.get(id);
      if (known) return known;
      const { turns, tokens } = find(id).recorder;
      return { id, turns, tokens, sealed: false };
    },
    seal(id, end) {
      const { recorder, conversation } = find(id);
      const { status, error, outcome, rewards, reward } = ending.parse(end);
      const limit = status === "completed" ? conversation.ended : undefined;
      const trajectory = recorder.seal({
        status: (limit?.status ?? status) as Status,
        ...((limit?.error ?? error) !== undefined && { error: limit?.error ?? error! }),
        ...(outcome !== undefined && { outcome }),
        ...(rewards && { rewards }),
        ...(reward !== undefined && { reward }),
      });
      sealed.set(id, { id, turns: recorder.turns, tokens: recorder.tokens, sealed: true });
      open.delete(id);
      onTrajectory(trajectory);
      return trajectory;
    },
    ids: () => [...open.keys()],
  };
}
