import type { Environment, RolloutLimits, Session } from "../spec/environment.ts";
import type { Message } from "../spec/message.ts";
import type { ToolSpec } from "../spec/tool.ts";
import type {
  EpisodeRequest,
  Status,
  ToolCallRecord,
  Trajectory,
  TrajectoryNode,
} from "../spec/trajectory.ts";
import { Clock, DeadlineError, isPromise, within } from "./deadline.ts";
import { reachedLimit } from "./limits.ts";
import { createPromptTokens } from "./prompt-tokens.ts";
import { runTools } from "./run-tools.ts";
import type { Speaker } from "./speaker.ts";
import { closeSession, hasEnded, offeredBy, openSession, outcomeOf, respond, WorldError } from "./world.ts";

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

type End = { status: Status; error?: string };

/**
 * Plays one episode: open, speak, act, observe, until it ends or a limit is reached, then close and grade. Whatever
 * the world does (throws, hangs, returns nonsense) and an abort come back as a status; only a failing speaker or
 * grader throws.
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
  const { contextLength } = speaker;
  const startedAt = performance.now();
  const timing = { samplingMs: 0, toolMs: 0, gradingMs: 0, wallMs: 0 };
  const clock = new Clock().start({ milliseconds: limits.wallTimeMs, outer: signal });
  const nodes: TrajectoryNode[] = [];
  const calls: ToolCallRecord[] = [];
  let specs: ToolSpec[] = [];
  let session: Session | undefined;
  let outcome: Trajectory["outcome"];
  let end: End;
  let closing: string | undefined;

  try {
    // open
    session = await openSession(environment, { request, attempt, clock });
    const { messages, tools } = offeredBy(session);
    specs = tools.map(({ name, description, parameters }) => ({ name, description, parameters }));
    const opening = speaker.open(messages, specs);
    const prompt = createPromptTokens(opening);
    appendMessages(nodes, messages, opening, 0);
    let unreadableTurns = 0;
    let invalidTurns = 0;

    for (let turn = 0; ; turn++) {
      const full = reachedLimit({ turns: turn, tokens: prompt.length }, { limits, contextLength });
      if (full) {
        end = full;
        break;
      }

      // speak
      const speakingSince = performance.now();
      const room = Math.min(limits.tokens, contextLength) - prompt.length;
      const { message, issue, tokens, logprobs, stopReason } = await within(
        (inner) => speaker.speak({ turn, messages, tools: specs, prompt: prompt.view(), room, clock: inner }),
        { outer: clock },
      );
      timing.samplingMs += performance.now() - speakingSince;
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
        const status = prompt.length + tokens.length >= contextLength ? "context_overflow" : "max_tokens";
        end = { status, error: `turn ${turn} was cut after ${tokens.length} tokens` };
        break;
      }

      // act
      const added: Message[] = [];
      const requested = message.toolCalls ?? [];
      unreadableTurns = issue?.kind === "structure" ? unreadableTurns + 1 : 0;
      if (issue) {
        if (unreadableTurns >= limits.unreadableTurns) {
          end = { status: "parse_error", error: issue.detail };
          break;
        }
        if (issue.kind === "content") invalidTurns++;
        added.push({ role: "user", content: `error: ${issue.detail}` });
      } else if (requested.length > 0) {
        if (calls.length + requested.length > limits.toolCalls) {
          end = { status: "max_turns", error: `more than ${limits.toolCalls} tool calls` };
          break;
        }
        const actingSince = performance.now();
        const running = runTools(requested, { tools, turn, limits, clock });
        const results = isPromise(running) ? await running : running;
        timing.toolMs += performance.now() - actingSince;
        added.push(...results.map((result) => result.message));
        calls.push(...results.map(({ record }) => record));
        const broken = results.find(
          ({ record }) => record.failure === "infrastructure" || record.failure === "timeout",
        );
        if (broken) {
          end = { status: "environment_error", error: broken.record.observation };
          break;
        }
        const valid = results.some(({ record }) => record.failure !== "invalid_arguments");
        invalidTurns = valid ? 0 : invalidTurns + 1;
      } else {
        added.push(...(await respond(session, message, { limits, clock })));
        if (added.length === 0) {
          end = { status: "completed" };
          break;
        }
        invalidTurns = 0;
      }
      if (invalidTurns >= limits.invalidTurns) {
        end = { status: "policy_error", error: `${invalidTurns} turns in a row without a valid call` };
        break;
      }

      // observe
      const observed = speaker.observe(added);
      messages.push(...added);
      appendMessages(nodes, added, observed, turn + 1);
      if (hasEnded(session)) {
        end = { status: "completed" };
        break;
      }
      prompt.append(tokens);
      prompt.append(observed);
    }

    if (end.status !== "environment_error") outcome = await outcomeOf(session, { limits, clock });
  } catch (error) {
    if (clock.stopped) end = stoppedBy(clock.stopped.reason);
    else if (error instanceof WorldError) end = { status: "environment_error", error: error.message };
    else throw error;
  } finally {
    clock.stop();
    closing = await closeSession(session);
  }

  // grade
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
    status: end.status,
    ...(outcome !== undefined && { outcome }),
    rewards: {},
    reward: null,
    timing,
  };
  const gradingSince = performance.now();
  const score = await gradedWithin(() => grade(trajectory, environment), signal);
  timing.gradingMs = performance.now() - gradingSince;
  timing.wallMs = performance.now() - startedAt;
  if (!score) return { ...trajectory, status: "cancelled", error: "aborted" };
  const { rewards, reward, errors } = score;
  const error = [end.error, closing, ...errors].filter((line) => line !== undefined).join("; ");
  return { ...trajectory, ...(error && { error }), rewards, reward };
}

/** The score, or nothing where grading was aborted. */
async function gradedWithin(grading: () => ReturnType<Grade>, signal: AbortSignal | undefined) {
  try {
    return await within(grading, { outer: signal });
  } catch (error) {
    if (!signal?.aborted) throw error;
    return undefined;
  }
}

function stoppedBy(reason: unknown): End {
  return reason instanceof DeadlineError
    ? { status: "timeout", error: `the episode ${reason.message}` }
    : { status: "cancelled", error: "aborted" };
}

const noTokens = new Int32Array(0);

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
      tokens: index === messages.length - 1 ? tokens : noTokens,
      logprobs: null,
      sampled: false,
      mask: false,
      policyVersion: null,
    });
  }
}
