import { mkdtempSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, it } from "vitest";
import { calculator, echo, embedded, grpo, train } from "../src/index.ts";

it("learns from random weights: demonstrations first, then reinforcement adds to them", {
  timeout: 400_000,
}, async () => {
  const optimizer = { kind: "muon", learningRate: 4e-3 } as const;
  const { environments } = await train(
    {
      name: "learning",
      environments: [calculator()],
      trainer: embedded({ model: "nano" }),
      evaluation: { tasks: 100 },
      limits: { turns: 7, tokensPerTurn: 64, tokens: 256 },
      stages: [
        {
          name: "drill",
          sft: {
            demonstrations: { environments: [echo()], count: 1600 },
            steps: 120,
            batchSize: 16,
            optimizer,
            schedule: { kind: "constant", warmupSteps: 20 },
          },
        },
        {
          name: "sft",
          evaluate: true,
          sft: {
            demonstrations: { count: 1500, experts: { careful: 0.5, hasty: 0.5 } },
            steps: 250,
            optimizer,
            schedule: { kind: "cosine", warmupSteps: 20, floor: 0.05 },
          },
        },
        {
          name: "rl",
          evaluate: true,
          rl: {
            algorithm: grpo(),
            steps: 20,
            optimizer: { ...optimizer, learningRate: 4e-4 },
            schedule: { kind: "constant", warmupSteps: 3 },
          },
        },
      ],
    },
    {
      root: mkdtempSync(join(tmpdir(), "attune-learning-")),
      now: () => new Date(),
      version: "test",
      onEvent: () => {},
    },
  );
  const { untrained, sft, rl } = environments["calculator"]!;
  expect(untrained!.success).toBeLessThan(0.05);
  expect(sft!.success).toBeGreaterThan(0.25);
  expect(rl!.success).toBeGreaterThan(sft!.success + 0.05);
});
