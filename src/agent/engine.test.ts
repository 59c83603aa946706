import { generateText } from "ai";
import OpenAI from "openai";
import { expect, it } from "vitest";
import { reinforce } from "../algorithm/reinforce.ts";
import { toRows } from "../batch/to-rows.ts";
import { createEmbeddedTrainer } from "../engine/embedded.ts";
import { createModel, modelPresets } from "../engine/model.ts";
import { toTask } from "../environment/task.ts";
import { toRequests } from "../rollout/groups.ts";
import { rollout } from "../rollout/rollout.ts";
import { byteRenderer, byteTokenizer } from "../testing/byte-tokenizer.ts";
import { grade } from "../train/grade.ts";
import { leavesOf } from "../trajectory/path.ts";
import { defineAgent } from "./define-agent.ts";

const task = toTask({ environment: "chatter", kind: "k", input: "Tell me.", split: "train" });

it("what clients' calls recorded runs through the engine again with the log-probabilities that it was sampled with", async () => {
  const shape = {
    vocabularySize: 257,
    hiddenSize: 32,
    heads: 2,
    headSize: 16,
    keyValueHeads: 1,
    feedForwardSize: 48,
  };
  const config = { ...modelPresets.nano, ...shape, layers: 2, contextLength: 512 };
  const trainer = await createEmbeddedTrainer({
    source: { model: createModel(config, { seed: 1, deviation: 0.2 }) },
    tokenizer: byteTokenizer,
    threads: 1,
    slots: 8,
  });
  const agent = defineAgent<string>({
    name: "chatter",
    tasks: () => [task],
    rewards: { long: { weight: 1, grade: ({ sampledTokens }) => sampledTokens } },
    // an AI SDK agent and an OpenAI one in turns, over one conversation that is cut, goes on, and is begun anew
    async run({ model, fetch, input }) {
      const client = new OpenAI({ fetch, apiKey: "-" });
      const messages: { role: "user" | "assistant"; content: string }[] = [{ role: "user", content: input }];
      for (let turn = 0; turn < 3; turn++) {
        const { text } = await generateText({ model, messages, maxOutputTokens: 12 });
        messages.push(
          { role: "assistant", content: text },
          { role: "user", content: `Turn ${turn}, go on.` },
        );
        const reply = await client.chat.completions.create({ model: "m", messages, max_tokens: 12 });
        messages.push(
          { role: "assistant", content: reply.choices[0]!.message.content! },
          { role: "user", content: "And?" },
        );
      }
      await generateText({ model, prompt: "Something else.", maxOutputTokens: 12 });
      return "done";
    },
  });
  try {
    const policy = await trainer.policy();
    const trajectories = await rollout({
      environments: [agent],
      requests: toRequests({
        tasks: [task],
        groupSize: 2,
        step: 0,
        runSeed: 0,
        sampling: { temperature: 1 },
      }),
      policy,
      renderer: byteRenderer,
      grade,
      concurrency: 2,
      order: "free",
    });
    expect(trajectories.map(({ status, error }) => [status, error])).toEqual([
      ["completed", undefined],
      ["completed", undefined],
    ]);
    for (const trajectory of trajectories) {
      expect(trajectory.nodes.filter(({ sampled }) => sampled)).toHaveLength(7);
      expect(leavesOf(trajectory)).toHaveLength(2);
    }
    const { rows } = toRows({ groups: [trajectories], algorithm: reinforce() });
    expect(rows).toHaveLength(4);
    const { logprobs } = await trainer.forwardBackward(
      rows.map(({ tokens, targets, weights }) => ({ tokens, targets, weights })),
      { name: "cross_entropy" },
    );
    let compared = 0;
    for (const [index, { weights, logprobs: recorded }] of rows.entries()) {
      for (const [position, weight] of weights.entries()) {
        if (weight === 0) continue;
        expect(logprobs[index]![position]).toBeCloseTo(recorded![position]!, 4);
        compared++;
      }
    }
    expect(compared).toBeGreaterThan(100);
  } finally {
    await trainer.close();
  }
});
