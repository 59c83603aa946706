import type { Environment, RolloutLimits, Session } from "../spec/environment.ts";
import { AttuneError } from "../spec/error.ts";
import type { AssistantMessage, Message } from "../spec/message.ts";
import type { ToolSpec } from "../spec/tool.ts";
import type {
  EpisodeRequest,
  Status,
  ToolCallRecord,
  Trajectory,
  TrajectoryNode,
} from "../spec/trajectory.ts";
import { DeadlineError, within } from "./deadline.ts";
import { runTools } from "./run-tools.ts";
import type { Speaker } from "./speaker.ts";

/** Scores a finished trajectory; given by the caller, because the loop does not know what is worth what. */
export type Grade = (
  trajectory: Trajectory,
  environment: Environment,
) => Promise<{ rewards: Record<string, number | null>; reward: number | null; errors: readonly string[] }>;

export type Episode = {
  environment: Environment;
  request: EpisodeRequest;
  speaker: Speaker;
  limits: RolloutLimits;
  grade: Grade;
  attempt?: number;
  signal?: AbortSignal;
};

/** Milliseconds a session may take to close before it is left behind. */
const closeTimeoutMs = 5000;

/**
 * Plays one episode: open, speak, act, observe, until it ends or a limit is reached, then grade. Whatever the
 * world does (throws, hangs, returns nonsense) comes back as a status; only a failing policy or an abort throws.
 */
export async function playEpisode({
  environment,
  request,
  speaker,
  limits,
  grade,
  attempt = 0,
  signal,
}: Episode): Promise<Trajectory> {
  const startedAt = performance.now();
  const timing = { samplingMs: 0, toolMs: 0, gradingMs: 0, wallMs: 0 };
  const wallTime = AbortSignal.timeout(limits.wallTimeMs);
  const stop = signal ? AbortSignal.any([signal, wallTime]) : wallTime;
  const nodes: TrajectoryNode[] = [];
  const calls: ToolCallRecord[] = [];
  let specs: ToolSpec[] = [];
  let session: Session | undefined;
  let end: { status: Status; error?: string } | undefined;
  let outcome: Trajectory["outcome"];

  try {
    // open
    session = await ofWorld(() =>
      within((inner) => environment.start(request.task, { seed: request.seed, signal: inner }), {
        milliseconds: limits.wallTimeMs,
        signal,
      }),
    );
    const { tools } = session;
    specs = tools.map(({ name, description, parameters }) => ({ name, description, parameters }));
    const messages: Message[] = [...session.messages];
    let prompt = speaker.open(messages, specs);
    appendMessages(nodes, session.messages, prompt, 0);
    let invalidTurns = 0;

    for (let turn = 0; end === undefined; turn++) {
      // limits, in their documented order
      end = reachedLimit({ wallTime, prompt, calls, turn, limits, speaker });
      if (end) break;

      // speak
      const speakingSince = performance.now();
      const room = Math.min(limits.tokens, speaker.contextLength) - prompt.length;
      const utterance = await speaker.speak({ turn, messages, tools: specs, prompt, room, signal: stop });
      timing.samplingMs += performance.now() - speakingSince;
      const { message, issue, tokens, logprobs, stopReason } = utterance;
      messages.push(message);
      nodes.push({
        parent: nodes.length - 1,
        turn,
        message,
        tokens,
        logprobs,
        sampled: speaker.sampled,
        mask: true,
        policyVersion: speaker.policyVersion,
        stopReason,
      });
      if (stopReason === "length") {
        const context = prompt.length + tokens.length >= speaker.contextLength;
        end = {
          status: context ? "context_overflow" : "max_tokens",
          error: `turn ${turn} was cut after ${tokens.length} tokens`,
        };
        break;
      }

      // act
      const added: Message[] = [];
      const requested = message.toolCalls ?? [];
      if (issue) {
        if (++invalidTurns >= limits.invalidTurns) {
          end = { status: issue.kind === "structure" ? "parse_error" : "policy_error", error: issue.detail };
          break;
        }
        added.push({ role: "user", content: `error: ${issue.detail}` });
      } else if (requested.length > 0) {
        if (calls.length + requested.length > limits.toolCalls) {
          end = { status: "max_turns", error: `more than ${limits.toolCalls} tool calls` };
          break;
        }
        const actingSince = performance.now();
        const results = await runTools(requested, { tools, turn, limits, signal: stop });
        timing.toolMs += performance.now() - actingSince;
        for (const { message, record } of results) {
          added.push(message);
          calls.push(record);
        }
        const broken = results.find(
          ({ record }) => record.failure === "infrastructure" || record.failure === "timeout",
        );
        if (broken) {
          end = { status: "environment_error", error: broken.record.observation };
          break;
        }
        invalidTurns = results.every(({ record }) => record.failure === "invalid_arguments")
          ? invalidTurns + 1
          : 0;
      } else {
        const answers = await respond(session, message, { limits, signal: stop });
        if (!answers?.length) {
          end = { status: "completed" };
          break;
        }
        added.push(...answers);
      }

      // observe
      const observed = speaker.observe(added);
      messages.push(...added);
      appendMessages(nodes, added, observed, turn + 1);
      prompt = concatenate(prompt, tokens, observed);
    }
    outcome = await outcomeOf(session, { limits, signal });
  } catch (error) {
    end = endOf(error, { signal, wallTime });
  } finally {
    await closeQuietly(session);
  }

  const trajectory: Trajectory = {
    format: 1,
    id: `${request.group}/${request.sample}${attempt > 0 ? `~${attempt}` : ""}`,
    player: speaker.name,
    step: request.step,
    group: request.group,
    sample: request.sample,
    attempt,
    seed: request.seed,
    task: request.task,
    tools: specs,
    nodes,
    calls,
    ...(end ?? { status: "completed" }),
    ...(outcome !== undefined && { outcome }),
    rewards: {},
    reward: null,
    timing,
  };
  const gradingSince = performance.now();
  const { rewards, reward, errors } = await grade(trajectory, environment);
  timing.gradingMs = performance.now() - gradingSince;
  timing.wallMs = performance.now() - startedAt;
  return { ...trajectory, rewards, reward, ...(errors.length > 0 && { error: errors.join("; ") }) };
}

/** A failure on the world's side of the boundary: recorded as `environment_error`, never thrown further. */
class WorldError extends Error {}

async function ofWorld<Result>(work: () => Promise<Result>): Promise<Result> {
  try {
    return await work();
  } catch (error) {
    throw new WorldError((error as Error).message, { cause: error });
  }
}

function endOf(
  error: unknown,
  { signal, wallTime }: { signal: AbortSignal | undefined; wallTime: AbortSignal },
): { status: Status; error: string } {
  if (signal?.aborted) return { status: "cancelled", error: "aborted" };
  if (wallTime.aborted) return { status: "timeout", error: "the episode ran out of wall time" };
  if (error instanceof WorldError) return { status: "environment_error", error: error.message };
  throw error;
}

function reachedLimit({
  wallTime,
  prompt,
  calls,
  turn,
  limits,
  speaker,
}: {
  wallTime: AbortSignal;
  prompt: Int32Array;
  calls: readonly ToolCallRecord[];
  turn: number;
  limits: RolloutLimits;
  speaker: Speaker;
}): { status: Status; error: string } | undefined {
  if (wallTime.aborted) return { status: "timeout", error: `longer than ${limits.wallTimeMs} ms` };
  if (prompt.length >= speaker.contextLength)
    return {
      status: "context_overflow",
      error: `${prompt.length} tokens in a context of ${speaker.contextLength}`,
    };
  if (prompt.length >= limits.tokens)
    return { status: "max_tokens", error: `${prompt.length} tokens, limit ${limits.tokens}` };
  if (calls.length >= limits.toolCalls && turn >= limits.turns)
    return { status: "max_turns", error: `${calls.length} tool calls` };
  if (turn >= limits.turns) return { status: "max_turns", error: `${turn} turns` };
  return undefined;
}

async function respond(
  session: Session,
  message: AssistantMessage,
  { limits, signal }: { limits: RolloutLimits; signal: AbortSignal },
): Promise<Message[] | undefined> {
  if (!session.respond) return undefined;
  return ofWorld(() =>
    within(() => session.respond!(message), { milliseconds: limits.toolTimeoutMs, signal }),
  );
}

async function outcomeOf(
  session: Session,
  { limits, signal }: { limits: RolloutLimits; signal: AbortSignal | undefined },
): Promise<Trajectory["outcome"]> {
  if (!session.outcome) return undefined;
  return ofWorld(() => within(() => session.outcome!(), { milliseconds: limits.toolTimeoutMs, signal }));
}

/** A session that cannot be closed in time is left behind: its episode is over either way. */
async function closeQuietly(session: Session | undefined): Promise<void> {
  try {
    await within(() => session?.close?.(), { milliseconds: closeTimeoutMs });
  } catch (error) {
    if (!(error instanceof DeadlineError) && error instanceof AttuneError) throw error;
  }
}

/** Messages that were rendered together; their tokens stand on the last of them. */
function appendMessages(
  nodes: TrajectoryNode[],
  messages: readonly Message[],
  tokens: Int32Array,
  turn: number,
): void {
  for (const [index, message] of messages.entries()) {
    nodes.push({
      parent: nodes.length === 0 ? null : nodes.length - 1,
      turn,
      message,
      tokens: index === messages.length - 1 ? tokens : new Int32Array(0),
      logprobs: null,
      sampled: false,
      mask: false,
      policyVersion: null,
    });
  }
}

function concatenate(...parts: readonly Int32Array[]): Int32Array {
  const whole = new Int32Array(parts.reduce((total, { length }) => total + length, 0));
  let offset = 0;
  for (const part of parts) {
    whole.set(part, offset);
    offset += part.length;
  }
  return whole;
}
