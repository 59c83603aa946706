import { describe, expect, it, vi } from "vitest";
import { defineEnvironment } from "../environment/define-environment.ts";
import { tool } from "../environment/tool.ts";
import { toReward } from "../reward/to-reward.ts";
import type { Environment, Player, RolloutLimits, Session, Task } from "../spec/environment.ts";
import type { AssistantMessage, Message } from "../spec/message.ts";
import type { Renderer } from "../spec/tokenizer.ts";
import { type Tool, ToolError } from "../spec/tool.ts";
import type { EpisodeRequest, Trajectory } from "../spec/trajectory.ts";
import { byteRenderer } from "../testing/byte-tokenizer.ts";
import { scriptedPolicy } from "../testing/scripted-policy.ts";
import { toGradeContext } from "../trajectory/grade-context.ts";
import { mainPath } from "../trajectory/path.ts";
import { type Episode, type Grade, playEpisode } from "./episode.ts";
import { toRequests } from "./groups.ts";
import { resolveLimits } from "./limits.ts";
import { playWithPlayer } from "./player.ts";
import { type Rollout, rollout } from "./rollout.ts";
import { playerSpeaker, policySpeaker } from "./speaker.ts";
import { tokenizeTrajectory } from "./tokenize.ts";

const object = {
  type: "object",
  properties: { x: { type: "number" } },
  required: ["x"],
  additionalProperties: false,
};
const task: Task = { id: "t", environment: "world", kind: "k", input: null, split: "train", answer: "42" };
const grade: Grade = (trajectory, environment) => toReward(environment.rewards, toGradeContext(trajectory));

/** A world whose tools misbehave in every way. */
function world(
  changes: Partial<Session> & {
    start?: Environment["start"];
    closed?: () => void;
    failures?: () => boolean;
  } = {},
): Environment {
  const { start, closed, failures, ...session } = changes;
  return defineEnvironment({
    name: "world",
    description: "",
    tasks: () => [task],
    rewards: { done: { weight: 1, grade: ({ status }) => (status === "completed" ? 1 : 0) } },
    start:
      start ??
      (() => ({
        messages: [{ role: "user", content: "go" }],
        close: () => closed?.(),
        tools: [
          tool<{ x: number }>({
            name: "double",
            description: "",
            input: object,
            execute: ({ x }) => String(2 * x),
          }),
          tool<{ x: number }>({
            name: "refuse",
            description: "",
            input: object,
            execute: () => {
              throw new ToolError("not today");
            },
          }),
          tool<{ x: number }>({
            name: "crash",
            description: "",
            input: object,
            execute: () => {
              if (failures?.() ?? true) throw new TypeError("no socket");
              return "fine";
            },
          }),
          tool<{ x: number }>({
            name: "nothing",
            description: "",
            input: object,
            execute: () => Promise.reject(null as unknown as Error),
          }),
          tool<{ x: number }>({
            name: "hang",
            description: "",
            input: object,
            timeoutMs: 20,
            execute: () => new Promise(() => undefined),
          }),
          tool<{ x: number }>({
            name: "number",
            description: "",
            input: object,
            execute: (() => 7) as unknown as () => string,
          }),
          tool<{ x: number }>({
            name: "megabyte",
            description: "",
            input: object,
            execute: () => "x".repeat(2 ** 20),
          }),
          tool<{ x: number }>({
            name: "slow",
            description: "",
            input: object,
            execute: async ({ x }) => {
              await new Promise((resolve) => setTimeout(resolve, x));
              return `slept ${x}`;
            },
          }),
        ],
        ...session,
      })),
  });
}

const turns = (prompt: string) => prompt.split("assistant:").length - 2;

async function play(
  say: string | ((prompt: string) => string),
  options: Partial<Rollout> & { environment?: Environment; limits?: Partial<RolloutLimits> } = {},
): Promise<Trajectory> {
  const { environment = world(), ...rest } = options;
  const policy = scriptedPolicy(typeof say === "string" ? () => say : say, { renderer: byteRenderer });
  const requests = toRequests({
    tasks: [task],
    groupSize: 1,
    step: 0,
    runSeed: 1,
    sampling: { temperature: 1 },
  });
  const [trajectory] = await rollout({
    environments: [environment],
    requests,
    policy,
    renderer: byteRenderer,
    grade,
    concurrency: 4,
    order: "free",
    ...rest,
  });
  return trajectory!;
}

/** Calls first, says done after. */
const calling = (calls: string) => (prompt: string) => (turns(prompt) === 0 ? calls : "done");

describe("an episode", () => {
  it("stores what the policy sampled, token for token, and observations outside of the loss", async () => {
    const prompts: number[][] = [];
    const base = scriptedPolicy(calling('think\n→double {"x":21}'), { renderer: byteRenderer });
    const policy = {
      ...base,
      sample: (request: Parameters<typeof base.sample>[0]) => {
        prompts.push([...request.prompt]);
        return base.sample(request);
      },
    };
    const trajectory = await play("", { policy });
    expect(trajectory).toMatchObject({ status: "completed", reward: 1, player: "scripted" });
    expect(trajectory.calls).toMatchObject([
      { name: "double", arguments: { x: 21 }, observation: "42", failure: null, turn: 0 },
    ]);
    const path = mainPath(trajectory);
    expect(path.map(({ mask, sampled }) => [mask, sampled])).toEqual([
      [false, false],
      [true, true],
      [false, false],
      [true, true],
    ]);
    // each prompt is the one before, what was sampled, and the observation: nothing was rendered again
    const joined = (nodes: number) => path.slice(0, nodes).flatMap(({ tokens }) => [...tokens]);
    expect(prompts).toEqual([joined(1), joined(3)]);
    expect(path[1]!.tokens).toEqual(byteRenderer.turn(path[1]!.message as AssistantMessage));
    expect(path[1]!.logprobs!.length).toBe(path[1]!.tokens.length);
    expect(path.filter(({ mask }) => !mask).every(({ logprobs }) => logprobs === null)).toBe(true);
  });

  it.each([
    [
      "arguments that the schema refuses",
      '→double {"x":"many"}',
      "invalid_arguments",
      "error: arguments/x must be number",
    ],
    [
      "a tool that does not exist",
      '→triple {"x":1}',
      "invalid_arguments",
      'error: no tool "triple"; tools: double',
    ],
    ["what the tool refuses", '→refuse {"x":1}', "tool_error", "error: not today"],
  ])("goes on after %s, and shows why", async (_what, call, failure, observation) => {
    const trajectory = await play(calling(call));
    expect(trajectory.status).toBe("completed");
    expect(trajectory.calls[0]!.failure).toBe(failure);
    expect(trajectory.calls[0]!.observation).toContain(observation);
  });

  it.each([
    ["throws", '→crash {"x":1}', "infrastructure", "no socket"],
    ["hangs", '→hang {"x":1}', "timeout", "longer than 20 ms"],
    ["throws nothing that can be read", '→nothing {"x":1}', "infrastructure", 'tool "nothing" failed: null'],
    ["returns no text", '→number {"x":1}', "infrastructure", "returned number, expected a string"],
  ])("has no reward when a tool %s: that is not the policy's doing", async (_what, call, failure, detail) => {
    const trajectory = await play(calling(call));
    expect(trajectory).toMatchObject({ status: "environment_error", reward: null, rewards: { done: null } });
    expect(trajectory.calls[0]!.failure).toBe(failure);
    expect(trajectory.error).toContain(detail);
  });

  it("is tried again with a fresh session when its world failed, and says which attempt it was", async () => {
    let failuresLeft = 2;
    const environment = world({ failures: () => failuresLeft-- > 0 });
    const trajectory = await play(calling('→crash {"x":1}'), {
      environment,
      retry: { attempts: 3, firstDelayMs: 1 },
    });
    expect(trajectory).toMatchObject({ status: "completed", reward: 1, attempt: 2 });
  });

  it("cuts an observation of a megabyte and says so", async () => {
    const { calls } = await play(calling('→megabyte {"x":1}'), { limits: { observationCharacters: 100 } });
    expect(calls[0]!.observation).toBe(`${"x".repeat(100)}… (1048476 more characters)`);
  });

  it("runs the calls of one turn side by side and shows results in the order of the calls", async () => {
    const { calls, timing } = await play(calling('→slow {"x":120}\n→slow {"x":60}\n→double {"x":2}'));
    expect(calls.map(({ observation }) => observation)).toEqual(["slept 120", "slept 60", "4"]);
    expect(timing.toolMs).toBeLessThan(175);
  });

  it.each<[string, string | ((prompt: string) => string), Partial<RolloutLimits>, Trajectory["status"]]>([
    ["too many turns", '→double {"x":1}', { turns: 3 }, "max_turns"],
    ["too many calls", '→double {"x":1}\n→double {"x":1}', { toolCalls: 3 }, "max_turns"],
    ["a turn that is cut", "a long speech", { tokensPerTurn: 5 }, "max_tokens"],
    ["too many tokens in all", '→double {"x":1}', { tokens: 60 }, "max_tokens"],
    ["a call that cannot be read", "→double {", {}, "parse_error"],
    ["a second call that cannot be read", "→double {", { unreadableTurns: 2 }, "parse_error"],
    ["no valid call for too long", '→triple {"x":1}\n→double {"y":1}', { invalidTurns: 3 }, "policy_error"],
  ])("ends with %s", async (_what, say, limits, status) => {
    const trajectory = await play(say, { limits });
    expect(trajectory).toMatchObject({ status, reward: 0 });
    expect(trajectory.error).toBeTruthy();
  });

  it("ends with context_overflow when the prompt no longer fits", async () => {
    const policy = scriptedPolicy(() => '→double {"x":1}', { renderer: byteRenderer, contextLength: 70 });
    expect((await play("", { policy })).status).toBe("context_overflow");
  });

  it("may try again after a broken turn where the limits allow it", async () => {
    const trajectory = await play((prompt) => (turns(prompt) === 0 ? "→double {" : "done"), {
      limits: { unreadableTurns: 2 },
    });
    expect(trajectory.status).toBe("completed");
    expect(mainPath(trajectory)[2]!.message!.content).toBe("error: a call that is not JSON");
  });

  it("is shown what was wrong with a call that is well formed but none, and goes on", async () => {
    const renderer: Renderer = {
      ...byteRenderer,
      parse(tokens) {
        const { message } = byteRenderer.parse(tokens);
        const issue = { kind: "content", detail: "a call without a name" } as const;
        return message.content === "nameless" ? { message, issue } : { message };
      },
    };
    const once = await play((prompt) => (turns(prompt) === 0 ? "nameless" : "done"), { renderer });
    expect(once.status).toBe("completed");
    expect(mainPath(once)[2]!.message!.content).toBe("error: a call without a name");
    const always = await play("nameless", { renderer, limits: { invalidTurns: 2 } });
    expect(always).toMatchObject({ status: "policy_error", reward: 0 });
  });

  it("counts only what is wrong in a row", async () => {
    const says = ["→double {", '→triple {"x":1}', '→double {"x":1}'];
    const trajectory = await play((prompt) => says[turns(prompt) % 3]!, {
      limits: { unreadableTurns: 2, invalidTurns: 2, turns: 7 },
    });
    expect(trajectory.status).toBe("max_turns");
  });

  it("runs out of wall time without a reward, whoever hangs", async () => {
    const limits = { wallTimeMs: 20 };
    const ended = { status: "timeout", reward: null, error: "the episode took longer than 20 ms" };
    const slow = scriptedPolicy(() => "done", { renderer: byteRenderer, latencyMs: 200 });
    expect(await play("", { policy: slow, limits })).toMatchObject(ended);
    const deaf = { ...slow, sample: () => new Promise<never>(() => undefined) };
    expect(await play("", { policy: deaf, limits })).toMatchObject(ended);
    const hangingTool = await play('→slow {"x":5000}', { limits });
    expect(hangingTool).toMatchObject(ended);
    const hangingStart = world({ start: () => new Promise(() => undefined) });
    expect(await play("done", { environment: hangingStart, limits })).toMatchObject(ended);
  });

  it("hears a user simulator until it has nothing more to say", async () => {
    const environment = world({
      respond: ({ content }) => (content === "done" ? undefined : [{ role: "user", content: "and then?" }]),
    });
    const trajectory = await play((prompt) => (turns(prompt) === 0 ? "first" : "done"), { environment });
    expect(mainPath(trajectory).map(({ message }) => message!.content)).toEqual([
      "go",
      "first",
      "and then?",
      "done",
    ]);
  });

  it("may be given a tool on the way, which can be called from then on", async () => {
    const late = tool<{ x: number }>({
      name: "halve",
      description: "",
      input: object,
      execute: ({ x }) => String(x / 2),
    });
    const environment = world({
      start: () => {
        const tools: Tool[] = [];
        return {
          messages: [{ role: "user", content: "go" }],
          tools,
          respond({ content }) {
            if (content === "done") return undefined;
            tools.push(late);
            return [{ role: "user", content: "there is halve now" }];
          },
        };
      },
    });
    const says = ['→halve {"x":8}', "I cannot", '→halve {"x":8}', "done"];
    const trajectory = await play((prompt) => says[turns(prompt)]!, { environment });
    expect(mainPath(trajectory).map(({ message }) => message!.content)).toEqual([
      "go",
      "",
      'error: no tool "halve"; tools: none',
      "I cannot",
      "there is halve now",
      "",
      "4",
      "done",
    ]);
    expect(trajectory.tools).toEqual([]);
  });

  it.each<[string, Partial<Session> & { start?: Environment["start"] }, string]>([
    ["cannot start", { start: () => Promise.reject(new Error("no database")) }, "no database"],
    [
      "cannot answer",
      {
        respond: () => {
          throw new Error("judge is away");
        },
      },
      "judge is away",
    ],
    [
      "cannot say what it came to",
      {
        outcome: () => {
          throw new Error("disk on fire");
        },
      },
      "disk on fire",
    ],
    ["starts with nothing", { messages: [] }, "the session starts with no message"],
    [
      "has no tools to show",
      { tools: undefined as unknown as [] },
      "the session's tools are undefined, expected a list",
    ],
    [
      "answers with nonsense",
      { respond: () => [{ role: "user" } as Message] },
      "the session's respond gave a message without text",
    ],
    ["never answers", { respond: () => new Promise(() => undefined) }, "took longer than 30 ms"],
  ])("is nobody's fault when the world %s", async (_what, changes, detail) => {
    const { start, ...session } = changes;
    const plain = world();
    const environment: Environment = {
      ...plain,
      start: start ?? (async (...given) => ({ ...(await plain.start(...given)), ...session })),
    };
    const trajectory = await play("done", { environment, limits: { toolTimeoutMs: 30 } });
    expect(trajectory).toMatchObject({ status: "environment_error", reward: null, error: detail });
  });

  it("closes its session exactly once, however it ends", async () => {
    for (const say of ["done", '→crash {"x":1}', "→double {", '→hang {"x":1}']) {
      let closed = 0;
      await play(say, { environment: world({ closed: () => closed++ }), limits: { turns: 2 } });
      expect(closed, say).toBe(1);
    }
    let closed = 0;
    const controller = new AbortController();
    const policy = scriptedPolicy(() => "done", { renderer: byteRenderer, latencyMs: 50 });
    const playing = play("", {
      policy,
      environment: world({ closed: () => closed++ }),
      signal: controller.signal,
    });
    setTimeout(() => controller.abort(new Error("stop")), 10);
    await expect(playing).rejects.toThrow("stop");
    expect(closed).toBe(1);
  });

  it("closes a session that comes after nobody waits for it any more", async () => {
    let closed = 0;
    const { start } = world({ closed: () => closed++ });
    const environment = world({
      start: async (...given) => {
        await new Promise((resolve) => setTimeout(resolve, 40));
        return start(...given);
      },
    });
    expect((await play("done", { environment, limits: { wallTimeMs: 10 } })).status).toBe("timeout");
    expect(closed).toBe(0);
    await vi.waitFor(() => expect(closed).toBe(1));
  });

  it("leaves behind a session that cannot be closed, and says so", async () => {
    const failing = await play("done", {
      environment: world({ close: () => Promise.reject(new Error("already gone")) }),
    });
    expect(failing).toMatchObject({
      status: "completed",
      reward: 1,
      error: "the session could not be closed: already gone",
    });
    vi.useFakeTimers();
    try {
      const playing = play("done", { environment: world({ close: () => new Promise(() => undefined) }) });
      await vi.advanceTimersByTimeAsync(5000);
      expect((await playing).error).toBe("the session could not be closed: took longer than 5000 ms");
    } finally {
      vi.useRealTimers();
    }
  });

  it("is over when the world says so after a call, with what it said last on record", async () => {
    let asked = 0;
    const environment = world({ ended: () => ++asked === 2 });
    const { status, calls, nodes } = await play('again\n→double {"x":2}', { environment });
    expect(status).toBe("completed");
    expect(calls).toHaveLength(2);
    expect(nodes.at(-1)!.message).toMatchObject({ role: "tool", content: "4" });
    const broken = world({
      ended: () => {
        throw new TypeError("no clock");
      },
    });
    expect(await play('once\n→double {"x":2}', { environment: broken })).toMatchObject({
      status: "environment_error",
      error: "no clock",
      reward: null,
    });
  });

  it("keeps the outcome as it was before the session closed", async () => {
    const state = { files: ["a"] };
    const environment = world({ outcome: () => state, close: () => void state.files.pop() });
    expect((await play("done", { environment })).outcome).toEqual({ files: ["a"] });
  });

  it("is cancelled by an abort, while it plays and while it is graded", async () => {
    const abortable = (options: Partial<Episode>) => {
      const controller = new AbortController();
      const [request] = toRequests({
        tasks: [task],
        groupSize: 1,
        step: 0,
        runSeed: 1,
        sampling: { temperature: 1 },
      });
      const limits = resolveLimits();
      const policy = scriptedPolicy(() => "done", { renderer: byteRenderer, latencyMs: 20 });
      const speaker = policySpeaker(policy, {
        renderer: byteRenderer,
        seed: 1,
        sampling: { temperature: 1 },
        limits,
      });
      setTimeout(() => controller.abort(new Error("stop")), 5);
      return playEpisode({
        environment: world(),
        request: request!,
        speaker,
        limits,
        grade,
        signal: controller.signal,
        ...options,
      });
    };
    const cancelled = { status: "cancelled", reward: null, error: "aborted" };
    expect(await abortable({})).toMatchObject({ ...cancelled, nodes: [{ message: { content: "go" } }] });
    const player = playerSpeaker(() => ({ role: "assistant", content: "done" }), { name: "p" });
    const judge: Grade = () => new Promise(() => undefined);
    expect(await abortable({ speaker: player, grade: judge })).toMatchObject(cancelled);
  });

  it("tells what went wrong in the world and in the grading, both", async () => {
    const environment: Environment = {
      ...world({ close: () => Promise.reject(new Error("already gone")) }),
      rewards: { broken: { weight: 1, grade: () => Number.NaN } },
    };
    const trajectory = await play("done", { environment });
    expect(trajectory.reward).toBeNull();
    expect(trajectory.error).toMatch(
      /^the session could not be closed: already gone; reward "broken" on task t: /,
    );
  });

  it("lets a failing policy fail: that is a bug, not data", async () => {
    const policy = {
      ...scriptedPolicy(() => "", { renderer: byteRenderer }),
      sample: () => Promise.reject(new Error("engine is gone")),
    };
    await expect(play("", { policy })).rejects.toThrow("engine is gone");
  });
});

describe("a player", () => {
  const player: Player = ({ messages }) =>
    messages.length === 1
      ? {
          role: "assistant",
          content: "look",
          toolCalls: [{ id: "call_0", name: "double", arguments: { x: 4 } }],
        }
      : { role: "assistant", content: "done" };
  const request: EpisodeRequest = {
    task,
    step: 0,
    group: "g",
    sample: 0,
    seed: 1,
    sampling: { temperature: 0 },
  };

  it("is not credited with an assistant turn that the world shows as an example", async () => {
    const environment = world({
      messages: [
        { role: "user", content: "go" },
        { role: "assistant", content: "an example" },
        { role: "user", content: "now you" },
      ],
    });
    const speaker: Player = () => ({ role: "assistant", content: "done" });
    const shared = { environment, request, player: speaker, playerName: "expert", grade };
    const later = tokenizeTrajectory(await playWithPlayer(shared), byteRenderer);
    expect(later.nodes.map(({ mask, tokens }) => [mask, tokens.length > 0])).toEqual([
      [false, false],
      [false, false],
      [false, true],
      [true, true],
    ]);
    expect(later.nodes).toEqual((await playWithPlayer({ ...shared, renderer: byteRenderer })).nodes);
  });

  it("is the only one whose words are made into tokens later: what was sampled is refused", async () => {
    const sampled = await play("done");
    expect(() => tokenizeTrajectory(sampled, byteRenderer)).toThrow(
      `trajectory ${sampled.id}, node 1: expected a message that a player spoke, got sampled tokens`,
    );
  });

  it("plays the same loop in messages, and its tokens can be added later or at once", async () => {
    const shared = { environment: world(), request, player, playerName: "expert", grade };
    const later = tokenizeTrajectory(await playWithPlayer(shared), byteRenderer);
    const atOnce = await playWithPlayer({ ...shared, renderer: byteRenderer });
    expect(later.nodes).toEqual(atOnce.nodes);
    expect(later.nodes.map(({ mask, sampled }) => [mask, sampled])).toEqual([
      [false, false],
      [true, false],
      [false, false],
      [true, false],
    ]);
    expect(later.reward).toBe(1);
  });
});
