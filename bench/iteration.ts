// One GRPO iteration on model S: 64 episodes of about 128 sampled tokens, several turns with a tool in between, then
// one update. Where does the time go?
import { grpo } from "../src/algorithm/grpo.ts";
import { toRows } from "../src/batch/to-rows.ts";
import { takeTasks } from "../src/data/tasks.ts";
import { createEmbeddedTrainer } from "../src/engine/embedded.ts";
import { defineEnvironment } from "../src/environment/define-environment.ts";
import { taskStream } from "../src/environment/task-stream.ts";
import { tool } from "../src/environment/tool.ts";
import { median } from "../src/kit/statistics.ts";
import { toGroups, toRequests } from "../src/rollout/groups.ts";
import { rollout } from "../src/rollout/rollout.ts";
import type { Policy } from "../src/spec/policy.ts";
import type { Renderer } from "../src/spec/tokenizer.ts";
import { byteRenderer, byteTokenizer } from "../src/testing/byte-tokenizer.ts";
import { grade } from "../src/train/grade.ts";
import type { Bench } from "./report.ts";

const turns = 4;
const tokensPerTurn = 32;
const repetitions = 5;

/** A random model never ends a turn by itself: here a turn is its 32 tokens, and three of four call a tool. */
const renderer: Renderer = {
  ...byteRenderer,
  parse: (tokens) => {
    const content = byteTokenizer.decode(tokens);
    return {
      message: {
        role: "assistant",
        content,
        toolCalls: [{ id: "call_0", name: "look", arguments: { x: content.length } }],
      },
    };
  },
};

const world = defineEnvironment({
  name: "iteration",
  description: "A tool that answers at once.",
  tasks: ({ split, seed }) =>
    taskStream({
      environment: "iteration",
      salt: "iteration",
      split,
      seed,
      kinds: {
        any: (random) => ({ input: random.integer(1e6), answer: null, key: String(random.integer(1e6)) }),
      },
    }),
  start: ({ input }) => ({
    messages: [{ role: "user", content: `look into ${input}` }],
    tools: [
      tool<{ x: number }>({
        name: "look",
        description: "Shows something.",
        input: { type: "object", properties: { x: { type: "number" } } },
        execute: ({ x }) => `seen ${x} of 100 things`,
      }),
    ],
  }),
  // what is sampled differs within a group, so every group has a gradient
  rewards: {
    varied: {
      weight: 1,
      grade: ({ answer }) => Buffer.from(answer).reduce((sum, byte) => sum + byte, 0) % 7,
    },
  },
});

export const run: Bench = async ({ say }) => {
  const trainer = await createEmbeddedTrainer({
    source: { preset: "S", seed: 1, vocabularySize: 512 },
    tokenizer: byteTokenizer,
  });
  const seconds: Record<string, number[]> = {
    whole: [],
    sample: [],
    tools: [],
    reward: [],
    batch: [],
    update: [],
    share: [],
  };
  let tokens = 0;
  const sampling = createStopwatch();
  for (let step = 0; step <= repetitions; step++) {
    const startedAt = performance.now();
    sampling.reset();
    const policy = await trainer.policy();
    const tasks = takeTasks({ environments: [world], split: "train", count: 8, seed: step });
    const requests = toRequests({
      tasks,
      groupSize: 8,
      step,
      runSeed: 1,
      sampling: { temperature: 1, stopTokens: [] },
    });
    const limits = { turns, tokensPerTurn: tokensPerTurn, tokens: 250 };
    const played = await rollout({
      environments: [world],
      requests,
      policy: toWholeTurns(policy, sampling),
      renderer,
      limits,
      grade,
      concurrency: 64,
      order: "lockstep",
    });
    await policy.close?.();
    const playedAt = performance.now();
    const batch = toRows({ groups: toGroups(played), algorithm: grpo() });
    const batchedAt = performance.now();
    await trainer.forwardBackward(batch.rows, grpo().loss);
    await trainer.optimStep({
      kind: "adamw",
      learningRate: 1e-4,
      beta1: 0.9,
      beta2: 0.95,
      epsilon: 1e-8,
      weightDecay: 0,
      gradientClip: 1,
    });
    const endedAt = performance.now();
    if (step === 0) continue; // the first iteration builds its graphs
    tokens =
      played.reduce(
        (total, { nodes }) =>
          total + nodes.reduce((sum, node) => sum + (node.sampled ? node.tokens.length : 0), 0),
        0,
      ) / 64;
    // tools and grading of an episode run beside other episodes' sampling; what they cost is the processor time they took
    const own = (part: "toolMs" | "gradingMs") =>
      played.reduce((total, { timing }) => total + timing[part], 0) / played.length / 1000;
    seconds["whole"]!.push((endedAt - startedAt) / 1000);
    seconds["tools"]!.push(own("toolMs"));
    seconds["reward"]!.push(own("gradingMs"));
    seconds["sample"]!.push(sampling.seconds());
    seconds["batch"]!.push((batchedAt - playedAt) / 1000);
    seconds["update"]!.push((endedAt - batchedAt) / 1000);
    seconds["share"]!.push(
      (sampling.seconds() + (endedAt - batchedAt) / 1000) / ((endedAt - startedAt) / 1000),
    );
    say(`iteration ${step}: ${((endedAt - startedAt) / 1000).toFixed(2)} s`);
  }
  await trainer.close();
  const { share, ...parts } = seconds;
  return [
    ...Object.entries(parts).map(([name, values]) => ({ case: name, unit: "s", value: median(values) })),
    { case: "sampled tokens an episode", unit: "tokens", value: tokens },
    { case: "sampling and update, share of the whole", unit: "share", value: median(share!) },
  ];
};

/** Measures how long at least one of several calls was under way. */
function createStopwatch() {
  let [running, total, since] = [0, 0, 0];
  return {
    async time<T>(work: () => Promise<T>): Promise<T> {
      if (running++ === 0) since = performance.now();
      try {
        return await work();
      } finally {
        if (--running === 0) total += performance.now() - since;
      }
    },
    seconds: () => total / 1000,
    reset: () => {
      total = 0;
    },
  };
}

/** Calls a cut turn a whole one, since a random model's turns have no end of their own, and times the sampling. */
function toWholeTurns(policy: Policy, stopwatch: ReturnType<typeof createStopwatch>): Policy {
  return {
    ...policy,
    sample: async (request) =>
      (await stopwatch.time(() => policy.sample(request))).map((sample) => ({
        ...sample,
        stopReason: "stop",
      })),
  };
}
