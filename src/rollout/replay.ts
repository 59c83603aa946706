import type { Environment } from "../spec/environment.ts";
import type { AssistantMessage, Message } from "../spec/message.ts";
import type { Status, Trajectory, TrajectoryNode } from "../spec/trajectory.ts";
import { mainPath, messagesOf } from "../trajectory/path.ts";
import { type Grade, playEpisode } from "./episode.ts";
import { resolveLimits } from "./limits.ts";
import type { Speaker, Utterance } from "./speaker.ts";

/** One thing that came out otherwise: a message, a reward, the status or the outcome, each as text. */
export type Difference = { where: string; stored: string; replayed: string };

export type Replay = { trajectory: Trajectory; differences: Difference[] };

/**
 * Takes the agent's turns of a stored trajectory again, in a fresh session of the same task and seed, and says what
 * the world answered otherwise. Only the last path is replayed: what an agent tried beside it left no session.
 */
export async function replay(
  stored: Trajectory,
  { environment, grade, signal }: { environment: Environment; grade: Grade; signal?: AbortSignal },
): Promise<Replay> {
  const { task, step, group, sample, seed, attempt } = stored;
  const turns = mainPath(stored).filter(({ message }) => message?.role === "assistant");
  const trajectory = await playEpisode({
    environment,
    request: { task, step, group, sample, seed, sampling: { temperature: 0 } },
    speaker: storedSpeaker(stored, turns),
    // the stored turns are all there are; whatever else ended the episode was theirs to reach
    limits: {
      ...resolveLimits(environment.limits),
      turns: Math.max(1, turns.length),
      tokens: Number.POSITIVE_INFINITY,
      unreadableTurns: stored.status === "parse_error" ? 1 : Number.POSITIVE_INFINITY,
      invalidTurns:
        stored.status === "policy_error"
          ? resolveLimits(environment.limits).invalidTurns
          : Number.POSITIVE_INFINITY,
    },
    grade,
    attempt,
    ...(signal && { signal }),
  });
  return { trajectory, differences: differencesOf(stored, trajectory) };
}

const noTokens = new Int32Array(0);

/** Says what was said. A turn that could not be read is known by what the agent was told of it. */
function storedSpeaker(stored: Trajectory, turns: readonly TrajectoryNode[]): Speaker {
  const messages = messagesOf(stored);
  return {
    name: stored.player,
    sampled: false,
    policyVersion: null,
    contextLength: Number.POSITIVE_INFINITY,
    open: () => noTokens,
    observe: () => noTokens,
    async speak({ turn }): Promise<Utterance> {
      const node = turns[turn]!;
      const message = node.message as AssistantMessage;
      const detail = unreadableBecause(message, { messages, stored });
      return {
        message,
        ...(detail !== undefined && { issue: { kind: "structure", detail } }),
        tokens: noTokens,
        logprobs: null,
        stopReason: node.stopReason ?? "stop",
      };
    },
  };
}

function unreadableBecause(
  message: AssistantMessage,
  { messages, stored }: { messages: readonly Message[]; stored: Trajectory },
): string | undefined {
  if (message.toolCalls?.length) return undefined;
  const next = messages[messages.indexOf(message) + 1];
  if (next === undefined) return stored.status === "parse_error" ? (stored.error ?? "") : undefined;
  return next.role === "user" && next.content.startsWith("error: ")
    ? next.content.slice("error: ".length)
    : undefined;
}

function differencesOf(stored: Trajectory, replayed: Trajectory): Difference[] {
  const differences: Difference[] = [];
  const compare = (where: string, before: unknown, after: unknown) => {
    const [was, is] = [textOf(before), textOf(after)];
    if (was !== is) differences.push({ where, stored: was, replayed: is });
  };
  const [before, after] = [messagesOf(stored), messagesOf(replayed)];
  for (let index = 0; index < Math.max(before.length, after.length); index++) {
    const message = before[index] ?? after[index]!;
    const name = message.role === "tool" ? `tool ${message.name}` : message.role;
    compare(`message ${index} (${name})`, before[index]?.content, after[index]?.content);
  }
  compare("status", endOf(stored), endOf(replayed));
  compare("outcome", stored.outcome, replayed.outcome);
  for (const name of new Set([...Object.keys(stored.rewards), ...Object.keys(replayed.rewards)]))
    compare(`reward ${name}`, stored.rewards[name], replayed.rewards[name]);
  return differences;
}

/** Which limit an agent ran into is a matter of who played and with what room, not of the world. */
const limits: readonly Status[] = ["max_turns", "max_tokens", "context_overflow"];
const endOf = ({ status }: Trajectory) => (limits.includes(status) ? "at a limit" : status);

/** As JSON with keys in order, so that only values can differ. */
function textOf(value: unknown): string {
  if (typeof value === "string") return value;
  return value === undefined ? "nothing" : JSON.stringify(sorted(value));
}

function sorted(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(sorted);
  if (typeof value !== "object" || value === null) return value;
  return Object.fromEntries(
    Object.entries(value)
      .sort(([a], [b]) => (a < b ? -1 : 1))
      .map(([key, inner]) => [key, sorted(inner)]),
  );
}
