import { defineEnvironment } from "../environment/define-environment.ts";
import {
  type AiSdkLanguageModel,
  type AiSdkLanguageModelV2,
  toAiSdkModel,
  toAiSdkModelV2,
} from "../gateway/ai-sdk.ts";
import { type Conversation, createConversation } from "../gateway/conversation.ts";
import { toFetch } from "../gateway/fetch.ts";
import { createSpokenConversation } from "../gateway/spoken-conversation.ts";
import type {
  Environment,
  Expert,
  GradeContext,
  OwnEpisode,
  RewardComponent,
  RolloutLimits,
  Task,
} from "../spec/environment.ts";
import type { Json } from "../spec/json.ts";
import type { Status, Trajectory } from "../spec/trajectory.ts";
import { createRecorder } from "../trajectory/recorder.ts";

/** What an agent is run with: its task, and its model in the shapes that agents take. */
export type AgentContext<Input extends Json = Json> = {
  task: Task<Input>;
  input: Input;
  /** A language model of the AI SDK, versions 6 and 7. Every call is recorded. */
  model: AiSdkLanguageModel;
  /** The same for version 5. */
  modelV2: AiSdkLanguageModelV2;
  /** What a vendor's SDK takes as `fetch`: `new OpenAI({ fetch, apiKey: "-" })`, `new Anthropic({ fetch, … })`. */
  fetch: typeof globalThis.fetch;
  /** The conversation itself, for loops of your own. */
  conversation: Conversation;
  seed: number;
  /** Fires when the episode is over, whatever the agent is doing. */
  signal: AbortSignal;
};

/** The answer, or what the world has come to; rewards see a text as the answer and anything else as the outcome. */
export type AgentResult = string | Json | undefined;

export type AgentDefinition<Input extends Json> = {
  name: string;
  description?: string;
  tasks: Environment<Input>["tasks"];
  /** The agent: your code, with your loop and your tools. */
  run(context: AgentContext<Input>): Promise<AgentResult>;
  rewards: Record<string, RewardComponent>;
  limits?: Partial<RolloutLimits>;
  /** Who shows how the tasks are done, by taking the model's turns in the agent's own loop. */
  experts?: Record<string, Expert>;
  /**
   * Whether an error of the agent is the policy's doing (an unusable answer) and not its world's. An attempt that
   * failed by the world's doing has no reward and is made again. Absent, every error is the world's.
   */
  isPolicyError?(error: unknown): boolean;
};

/**
 * An agent that exists as an environment: it can be collected from, evaluated, and trained by any policy, beside any
 * other world. Its own loop asks the policy, and each call is recorded token by token.
 */
export function defineAgent<Input extends Json>(definition: AgentDefinition<Input>): Environment {
  const { name, description = "An agent with a loop of its own.", tasks, rewards } = definition;
  const { limits, experts } = definition;
  const environment = defineEnvironment<Input>({
    name,
    description,
    tasks,
    rewards: Object.fromEntries(Object.entries(rewards).map(([each, given]) => [each, seeingAnswers(given)])),
    ...(limits && { limits }),
    ...(experts && { experts }),
    // what the agent is given, to those who look at a session: nobody plays it
    start: ({ input }) => ({
      messages: [{ role: "user", content: typeof input === "string" ? input : JSON.stringify(input) }],
      tools: [],
    }),
  });
  return { ...environment, play: (episode) => playAgent(definition, episode) };
}

async function playAgent<Input extends Json>(
  { run, isPolicyError }: AgentDefinition<Input>,
  { request, speaker, limits, attempt, signal: outer }: OwnEpisode,
): Promise<Trajectory> {
  const { task, step, group, sample, seed, sampling } = request;
  const player = "policy" in speaker ? speaker.policy.name : speaker.name;
  const recorder = createRecorder({
    id: `${group}/${sample}${attempt > 0 ? `~${attempt}` : ""}`,
    player,
    step,
    group,
    sample,
    attempt,
    seed,
    task,
  });
  const conversation =
    "policy" in speaker
      ? createConversation({ ...speaker, recorder, limits, sampling, seed })
      : createSpokenConversation({ ...speaker, recorder, limits });
  const over = new AbortController();
  const signal = AbortSignal.any([outer, over.signal]);
  const guarded: Conversation = {
    name: player,
    ...(conversation.tokenizer && { tokenizer: conversation.tokenizer }),
    ask: (call) =>
      conversation.ask({ ...call, signal: call.signal ? AbortSignal.any([signal, call.signal]) : signal }),
    get ended() {
      return conversation.ended;
    },
    get failure() {
      return conversation.failure;
    },
  };
  const timer = Number.isFinite(limits.wallTimeMs)
    ? setTimeout(() => over.abort(new Error(`took longer than ${limits.wallTimeMs} ms`)), limits.wallTimeMs)
    : undefined;
  let end: { status: Status; error?: string; outcome?: Json };
  try {
    const result = await untilAborted(
      run({
        task: task as Task<Input>,
        input: task.input as Input,
        model: toAiSdkModel(guarded),
        modelV2: toAiSdkModelV2(guarded),
        fetch: toFetch(guarded),
        conversation: guarded,
        seed,
        signal,
      }),
      signal,
    );
    end = { status: "completed", ...(result !== undefined && { outcome: toOutcome(result) }) };
  } catch (error) {
    const line = lineOf(error);
    if (outer.aborted) end = { status: "cancelled", error: "aborted" };
    else if (over.signal.aborted)
      end = { status: "timeout", error: `the episode ${lineOf(over.signal.reason)}` };
    else if (isPolicyError?.(error)) end = { status: "policy_error", error: line };
    else end = { status: "environment_error", error: `the agent failed: ${line}` };
  } finally {
    clearTimeout(timer);
    // what the agent left running may not go on talking
    over.abort(new Error("the episode is over"));
  }
  if (conversation.failure && !outer.aborted) throw conversation.failure.error;
  // an agent that was refused more turns may have ended in an error of its own, or have made do
  return recorder.seal(conversation.ended ? { ...end, ...conversation.ended } : end);
}

/** An agent that does not listen is left behind; what becomes of it is heard by nobody. */
async function untilAborted<Result>(work: Promise<Result>, signal: AbortSignal): Promise<Result> {
  const aborted = Promise.withResolvers<never>();
  const stop = () => aborted.reject(signal.reason);
  signal.addEventListener("abort", stop, { once: true });
  if (signal.aborted) stop();
  try {
    return await Promise.race([work, aborted.promise]);
  } finally {
    signal.removeEventListener("abort", stop);
    work.catch(() => {});
    aborted.promise.catch(() => {});
  }
}

const toOutcome = (result: Json): Json =>
  typeof result === "string" ? { answer: result } : (JSON.parse(JSON.stringify(result)) as Json);

/** What an agent gave as its answer is what is graded, not the last thing that its model said. */
function seeingAnswers(component: RewardComponent): RewardComponent {
  return {
    ...component,
    grade(context: GradeContext) {
      const { outcome } = context;
      const given =
        typeof outcome === "object" && outcome !== null && !Array.isArray(outcome)
          ? outcome["answer"]
          : undefined;
      return component.grade(typeof given === "string" ? { ...context, answer: given } : context);
    },
  };
}

function lineOf(thrown: unknown): string {
  const text = thrown instanceof Error ? thrown.message || thrown.name : String(thrown);
  return text.split("\n", 1)[0]!;
}
