import { describe, expect, it, vi } from "vitest";
import type { Environment, Task } from "../spec/environment.ts";
import type { Policy, SampleRequest } from "../spec/policy.ts";
import type { Tool } from "../spec/tool.ts";
import { byteRenderer } from "../testing/byte-tokenizer.ts";
import { scriptedPolicy } from "../testing/scripted-policy.ts";
import { messagesOf } from "../trajectory/path.ts";
import type { Grade } from "./episode.ts";
import { toGroups, toRequests } from "./groups.ts";
import { type Rollout, rollout } from "./rollout.ts";

const grade: Grade = async () => ({ rewards: {}, reward: 1, errors: [] });
const randomWait = (mostMs: number) => new Promise((resolve) => setTimeout(resolve, mostMs * Math.random()));

const jitter: Tool = {
  name: "jitter",
  description: "takes its time",
  parameters: { type: "object" },
  check: (value) => ({ ok: true, value }),
  execute: async () => {
    await randomWait(6);
    return "slept";
  },
};

/** A world that takes a random time for everything. */
const world: Environment = {
  name: "world",
  description: "",
  tasks: () => [],
  rewards: {},
  async start({ input }) {
    await randomWait(4);
    return {
      messages: [{ role: "user", content: `${input as number}` }],
      tools: [jitter],
      close: async () => void (await randomWait(2)),
    };
  },
};

const tasks = Array.from(
  { length: 12 },
  (_, index): Task => ({
    id: `t${index}`,
    environment: "world",
    kind: "k",
    input: index,
    split: "train",
  }),
);
const requests = toRequests({ tasks, groupSize: 2, step: 3, runSeed: 1, sampling: { temperature: 1 } });

/** Calls the tool as many times as the task's number asks, modulo 4, then says done. */
const say = (prompt: string) => {
  const calls = Number(/^user:(\d+)/.exec(prompt)![1]) % 4;
  return prompt.split("assistant:").length - 2 < calls ? "→jitter {}" : "done";
};

/** The scripted policy at random speed; `onSample` hears every request and how many came before it. */
function jittery(onSample?: (request: SampleRequest, before: number) => void): Policy {
  const policy = scriptedPolicy(say, { renderer: byteRenderer, latencyMs: () => 5 * Math.random() });
  let before = 0;
  return {
    ...policy,
    async sample(request) {
      onSample?.(request, before++);
      return policy.sample(request);
    },
  };
}

const play = (options: Partial<Rollout> & Pick<Rollout, "policy">) =>
  rollout({
    environments: [world],
    requests,
    renderer: byteRenderer,
    grade,
    concurrency: 5,
    order: "lockstep",
    ...options,
  });

describe("rollout", () => {
  it("in lockstep asks for the same samples in the same waves, whatever the timing of the world", async () => {
    const record = async () => {
      const asked: string[] = [];
      const waves: number[] = [];
      let waveOpen = false;
      const policy = jittery(({ params, prompt }) => {
        asked.push(`${params.seed} after ${prompt.length}`);
        if (!waveOpen) {
          waves.push(0);
          waveOpen = true;
          queueMicrotask(() => queueMicrotask(() => (waveOpen = false)));
        }
        waves[waves.length - 1]!++;
      });
      await play({ policy });
      return { asked, waves };
    };
    const first = await record();
    expect(first.asked).toHaveLength(2 * 3 * (1 + 2 + 3 + 4));
    // 24 episodes of 1, 1, 2, 2, 3, 3, 4, 4, 1, … turns in five places, each filled again before the next wave
    expect(first.waves).toEqual([...Array<number>(10).fill(5), 4, 3, 2, 1]);
    expect(await record()).toEqual(first);
  });

  it.each(["lockstep", "free"] as const)(
    "in %s order returns trajectories in the order of the requests, and tells of each as it ends",
    async (order) => {
      const told = new Set<string>();
      const trajectories = await play({
        policy: jittery(),
        order,
        onEpisode: ({ id }) => told.add(id),
      });
      expect(trajectories.map(({ task, sample }) => [task.id, sample])).toEqual(
        requests.map(({ task, sample }) => [task.id, sample]),
      );
      expect(trajectories.map((trajectory) => messagesOf(trajectory).length)).toEqual(
        requests.map(({ task }) => 2 + 2 * ((task.input as number) % 4)),
      );
      expect(told.size).toBe(24);
    },
  );

  it("never plays more episodes at a time than it is told to", async () => {
    let open = 0;
    let most = 0;
    const counting: Environment = {
      ...world,
      start: async (task, context) => {
        most = Math.max(most, ++open);
        const session = await world.start(task, context);
        return { ...session, close: () => void open-- };
      },
    };
    await play({ policy: jittery(), environments: [counting], concurrency: 3 });
    expect([open, most]).toEqual([0, 3]);
  });

  it.each(["lockstep", "free"] as const)(
    "in %s order stops every episode when the policy fails, and throws why",
    async (order) => {
      let started = 0;
      let closed = 0;
      const counted: Environment = {
        ...world,
        async start(task, context) {
          started++;
          return { ...(await world.start(task, context)), close: () => void closed++ };
        },
      };
      const policy = jittery((_request, before) => {
        if (before === 13) throw new Error("engine is gone");
      });
      await expect(play({ policy, order, environments: [counted] })).rejects.toThrow("engine is gone");
      expect(started).toBeLessThan(24);
      // a session that was still starting is closed when it comes
      await vi.waitFor(() => expect(closed).toBe(started));
    },
  );

  it.each(["lockstep", "free"] as const)("in %s order stops when aborted in the middle", async (order) => {
    const controller = new AbortController();
    const policy = jittery((_request, before) => {
      if (before === 17) controller.abort(new Error("enough"));
    });
    await expect(play({ policy, order, signal: controller.signal })).rejects.toThrow("enough");
  });

  it("frees the others of a wave from an episode that runs out of time while they wait", async () => {
    const hanging: Environment = {
      ...world,
      start: async (task, context) => {
        const session = await world.start(task, context);
        const stuck: Tool = { ...jitter, execute: () => new Promise<never>(() => undefined) };
        return { ...session, tools: [task.input === 3 ? stuck : jitter] };
      },
    };
    const trajectories = await play({
      policy: jittery(),
      environments: [hanging],
      limits: { toolTimeoutMs: 30 },
    });
    const failed = trajectories.filter(({ status }) => status === "environment_error");
    expect(failed.map(({ task }) => task.id)).toEqual(["t3", "t3"]);
    expect(trajectories.filter(({ status }) => status === "completed")).toHaveLength(22);
  });

  it("says which environment a task is missing", async () => {
    await expect(play({ policy: jittery(), environments: [] })).rejects.toThrow(
      'environment "world", which is not part of this rollout',
    );
  });
});

describe("groups", () => {
  it("hold every attempt at a task, each with a seed of its own that repeats", () => {
    expect(new Set(requests.map(({ seed }) => seed)).size).toBe(24);
    const again = toRequests({ tasks, groupSize: 2, step: 3, runSeed: 1, sampling: { temperature: 1 } });
    expect(again).toEqual(requests);
    const other = toRequests({ tasks, groupSize: 2, step: 4, runSeed: 1, sampling: { temperature: 1 } });
    expect(other.filter(({ seed }, index) => seed === requests[index]!.seed)).toEqual([]);
  });

  it("stay apart when the same task comes twice in a step", async () => {
    const twice = toRequests({
      tasks: [tasks[0]!, tasks[0]!],
      groupSize: 3,
      step: 0,
      runSeed: 1,
      sampling: { temperature: 1 },
    });
    const trajectories = await play({ policy: jittery(), requests: twice });
    expect(toGroups(trajectories).map((group) => group.map(({ sample }) => sample))).toEqual([
      [0, 1, 2],
      [0, 1, 2],
    ]);
  });
});
