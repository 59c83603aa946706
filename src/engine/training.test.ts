import { readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { createRandom } from "../kit/random.ts";
import type { Loss, OptimizerParams, TrainRow } from "../spec/trainer.ts";
import { adamWStep } from "./adamw.ts";
import { createModel, type ModelConfig, modelPresets } from "./model.ts";
import { packRows } from "./pack.ts";
import { createTraining } from "./training.ts";

const tiny: ModelConfig = {
  ...modelPresets.nano,
  vocabularySize: 40,
  hiddenSize: 16,
  layers: 2,
  heads: 4,
  keyValueHeads: 2,
  headSize: 4,
  feedForwardSize: 24,
  contextLength: 64,
};

const adamw: OptimizerParams = {
  kind: "adamw",
  learningRate: 1e-2,
  beta1: 0.9,
  beta2: 0.95,
  epsilon: 1e-8,
  weightDecay: 0.01,
  gradientClip: 1,
};

function randomRow(seed: number, length: number, { from = 0 }: { from?: number } = {}): TrainRow {
  const random = createRandom(seed);
  const ids = Int32Array.from({ length: length + 1 }, () => random.integer(tiny.vocabularySize));
  return {
    tokens: ids.slice(0, -1),
    targets: ids.slice(1),
    weights: Float32Array.from({ length }, (_, index) => (index < from ? 0 : 0.5 + random.next())),
    logprobs: Float32Array.from({ length }, () => -3 + 0.5 * random.normal()),
    advantages: Float32Array.from({ length }, random.normal),
  };
}

const start = (seed = 1) => {
  const model = createModel(tiny, { seed, deviation: 0.2 });
  return { model, training: createTraining(model, { threads: 1 }) };
};

const norm = (values: Float32Array) => Math.hypot(...values);

describe("the whole model", () => {
  const losses: Loss[] = [
    { name: "cross_entropy" },
    { name: "importance_sampling" },
    { name: "ppo", clipLow: 0.5, clipHigh: 2 },
    { name: "dro", beta: 0.1 },
    {
      name: "custom",
      evaluate: (rows, logprobs) => ({
        loss: logprobs.reduce(
          (total, row, index) =>
            total + row.reduce((sum, p, at) => sum + (rows[index]!.weights[at] ? p * p : 0), 0),
          0,
        ),
        gradients: logprobs.map((row, index) => row.map((p, at) => (rows[index]!.weights[at] ? 2 * p : 0))),
      }),
    },
  ];

  it.each(losses.map((loss) => [loss.name, loss] as const))(
    "has under %s the gradient of central differences",
    async (_name, loss) => {
      const { model, training } = start();
      const rows = [randomRow(1, 9, { from: 3 }), randomRow(2, 14), randomRow(3, 5)];
      await training.forwardBackward(rows, loss);
      const gradient = new Map([...training.gradient()].map(([name, values]) => [name, values.slice()]));
      const random = createRandom(9);
      for (let round = 0; round < 4; round++) {
        const directions = new Map(
          [...model.parameters].map(([name, { data }]) => [name, Float32Array.from(data, random.normal)]),
        );
        const move = (by: number) => {
          for (const [name, direction] of directions) {
            const { data } = model.parameters.get(name)!;
            for (let index = 0; index < data.length; index++)
              data[index] = data[index]! + by * direction[index]!;
          }
        };
        const before = new Map([...model.parameters].map(([name, { data }]) => [name, data.slice()]));
        const lossAt = async (by: number) => {
          move(by);
          const { loss: value } = await training.forwardBackward(rows, loss);
          for (const [name, data] of before) model.parameters.get(name)!.data.set(data);
          return value;
        };
        const slope = async (step: number) => ((await lossAt(step)) - (await lossAt(-step))) / (2 * step);
        // Richardson: the error of second order cancels
        const numeric = (4 * (await slope(3e-4)) - (await slope(6e-4))) / 3;
        let emitted = 0;
        for (const [name, direction] of directions)
          emitted += direction.reduce((sum, value, index) => sum + value * gradient.get(name)![index]!, 0);
        expect(Math.abs(numeric - emitted) / Math.max(1, Math.abs(numeric))).toBeLessThan(1e-2);
      }
      await training.close();
    },
  );

  it("gets no gradient at all from tokens the loss does not look at", async () => {
    const { training } = start();
    const row = randomRow(1, 12, { from: 12 });
    await training.forwardBackward([row], { name: "cross_entropy" });
    expect(training.gradient().size).toBe(0);

    const scored = randomRow(1, 12, { from: 6 });
    await training.forwardBackward([scored], { name: "cross_entropy" });
    const first = new Map([...training.gradient()].map(([name, values]) => [name, values.slice()]));
    training.resetOptimizer();
    const targets = scored.targets.map((target, index) => (index < 6 ? (target + 1) % 40 : target));
    await training.forwardBackward([{ ...scored, targets }], { name: "cross_entropy" });
    for (const [name, values] of training.gradient()) expect(values).toEqual(first.get(name));
    await training.close();
  });

  it("learns the same from a row packed beside others as from the row alone", async () => {
    const { training } = start();
    const rows = [randomRow(1, 20), randomRow(2, 7), randomRow(3, 31), randomRow(4, 3)];
    const together = await training.forwardBackward(rows, { name: "cross_entropy" });
    const joint = new Map([...training.gradient()].map(([name, values]) => [name, values.slice()]));
    training.resetOptimizer();
    let total = 0;
    for (const [index, row] of rows.entries()) {
      const { loss, logprobs } = await training.forwardBackward([row], { name: "cross_entropy" });
      total += loss;
      for (const [at, value] of logprobs[0]!.entries())
        expect(Math.abs(value - together.logprobs[index]![at]!)).toBeLessThan(1e-5);
    }
    expect(total).toBeCloseTo(together.loss, 3);
    for (const [name, values] of training.gradient()) {
      const difference = values.map((value, index) => value - joint.get(name)![index]!);
      expect(norm(difference) / norm(values)).toBeLessThan(1e-5);
    }
    await training.close();
  });

  it("ends with the same weights bit for bit when it is trained again", async () => {
    const weights = [];
    for (let round = 0; round < 2; round++) {
      const { model, training } = start();
      for (let step = 0; step < 4; step++) {
        await training.forwardBackward([randomRow(step, 20), randomRow(step + 9, 11)], {
          name: "cross_entropy",
        });
        await training.optimStep({ ...adamw, kind: "muon" });
      }
      await training.close();
      weights.push([...model.parameters.values()].map(({ data }) => data));
    }
    expect(weights[0]).toEqual(weights[1]);
  });

  it("learns a row by heart with either optimizer", async () => {
    for (const kind of ["adamw", "muon"] as const) {
      const { training } = start();
      const row = { ...randomRow(1, 12), weights: new Float32Array(12).fill(1 / 12) };
      const losses: number[] = [];
      for (let step = 0; step < 60; step++) {
        losses.push((await training.forwardBackward([row], { name: "cross_entropy" })).loss);
        await training.optimStep({ ...adamw, kind });
      }
      expect(losses[0]).toBeGreaterThan(3);
      expect(losses.at(-1)).toBeLessThan(0.2);
      await training.close();
    }
  });
});

describe("training refuses", () => {
  it.each([
    [
      "a row longer than the context",
      { ...randomRow(1, 65) },
      "training row 0: 65 tokens, and the model's context is 64",
    ],
    [
      "a token outside the vocabulary",
      { ...randomRow(1, 3), tokens: Int32Array.of(1, 40, 2) },
      "token id 40 in tokens, and the vocabulary has 40",
    ],
    [
      "arrays of different lengths",
      { ...randomRow(1, 3), weights: new Float32Array(2) },
      "expected 3 weights, got 2",
    ],
  ])("%s", async (_what, row, message) => {
    const { training } = start();
    await expect(training.forwardBackward([row], { name: "cross_entropy" })).rejects.toThrow(message);
    await training.close();
  });

  it("a loss that needs what the row does not have", async () => {
    const { training } = start();
    const { tokens, targets, weights } = randomRow(1, 4);
    await expect(
      training.forwardBackward([{ tokens, targets, weights }], { name: "importance_sampling" }),
    ).rejects.toThrow("expected 4 logprobs, got none");
    await training.close();
  });

  it("a loss that is not finite, with the weights untouched", async () => {
    const { model, training } = start();
    const before = [...model.parameters.values()].map(({ data }) => data.slice());
    const row = { ...randomRow(1, 4), advantages: Float32Array.of(1, Number.POSITIVE_INFINITY, 0, 0) };
    await expect(training.forwardBackward([row], { name: "importance_sampling" })).rejects.toThrow(
      "expected a finite loss",
    );
    await training.optimStep(adamw);
    expect([...model.parameters.values()].map(({ data }) => data)).toEqual(before);
    await training.close();
  });

  it("to change the optimizer in the middle", async () => {
    const { training } = start();
    await training.forwardBackward([randomRow(1, 4)], { name: "cross_entropy" });
    await training.optimStep(adamw);
    await expect(training.optimStep({ ...adamw, kind: "muon" })).rejects.toThrow(
      "optimizer was adamw and is asked for muon",
    );
    await training.close();
  });
});

describe("optimizers", () => {
  it("take AdamW's steps as PyTorch does", () => {
    const path = join(import.meta.dirname, "fixtures/figures.json");
    const { adamw: figures } = JSON.parse(readFileSync(path, "utf8")) as {
      adamw: { start: number[]; gradients: number[][]; steps: number[][] };
    };
    const weights = Float32Array.from(figures.start);
    const moments = { first: new Float32Array(4), second: new Float32Array(4) };
    for (const [index, gradient] of figures.gradients.entries()) {
      adamWStep(weights, Float32Array.from(gradient), moments, {
        learningRate: 0.01,
        beta1: 0.9,
        beta2: 0.95,
        epsilon: 1e-8,
        weightDecay: 0.1,
        step: index + 1,
        gradientScale: 1,
      });
      for (const [at, value] of figures.steps[index]!.entries()) expect(weights[at]!).toBeCloseTo(value, 6);
    }
  });

  it("move matrices by nearly orthogonal updates with Muon", async () => {
    const { model, training } = start();
    const name = "model.layers.0.mlp.up_proj.weight";
    const { data, shape } = model.parameters.get(name)!;
    const [rows, columns] = shape as [number, number];
    const before = data.slice();
    await training.forwardBackward([randomRow(1, 30)], { name: "cross_entropy" });
    await training.optimStep({ ...adamw, kind: "muon", weightDecay: 0, learningRate: 1 });
    const update = data.map(
      (value, index) => (before[index]! - value) / (0.2 * Math.sqrt(Math.max(rows, columns))),
    );
    // columns of a tall matrix: nearly unit length, nearly at right angles
    for (let a = 0; a < columns; a++) {
      for (let b = a; b < columns; b++) {
        let dot = 0;
        for (let row = 0; row < rows; row++) dot += update[row * columns + a]! * update[row * columns + b]!;
        if (a === b) expect(dot).toBeGreaterThan(0.3);
        expect(Math.abs(dot - (a === b ? 1 : 0))).toBeLessThan(0.6);
      }
    }
    await training.close();
  });
});

describe("packRows", () => {
  it("loses no scored position, keeps rows apart, and stays within the budget", () => {
    const rows = Array.from({ length: 40 }, (_, index) =>
      randomRow(index, 1 + ((index * 7) % 60), { from: index % 5 }),
    );
    const packed = packRows(rows, tiny, { cellBudget: 256 });
    const scored = packed.flatMap(({ originRow, originPosition }) =>
      [...originRow].map((row, index) => `${row}:${originPosition[index]}`),
    );
    const expected = rows.flatMap(({ weights }, row) =>
      [...weights].flatMap((weight, position) => (weight === 0 ? [] : [`${row}:${position}`])),
    );
    expect(scored.sort()).toEqual(expected.sort());
    for (const { bins, length } of packed) expect(bins * length).toBeLessThanOrEqual(256);
  });

  it("may lay rows in grids that are longer than the context, and gives them the same log-probabilities", async () => {
    const config = { ...tiny, contextLength: 40 };
    const rows = [39, 31, 22, 17, 9, 7].map((length, index) => randomRow(index, length));
    const lengths = packRows(rows, config, { cellBudget: 4096 }).map(({ length }) => length);
    expect(Math.max(...lengths)).toBeGreaterThan(40);
    const training = createTraining(createModel(config, { seed: 1 }), { threads: 1 });
    const together = await training.forward(rows);
    for (const [index, row] of rows.entries()) {
      const [alone] = await training.forward([row]);
      for (const [at, logprob] of alone!.entries())
        expect(Math.abs(logprob - together[index]![at]!)).toBeLessThan(1e-5);
    }
    await training.close();
  });

  it("wastes less than a fifth of its cells on ragged rows", () => {
    const rows = Array.from({ length: 64 }, (_, index) => randomRow(index, 5 + ((index * 13) % 40)));
    const packed = packRows(rows, { ...tiny, contextLength: 256 }, { cellBudget: 4096 });
    const cells = packed.reduce((total, { bins, length }) => total + bins * length, 0);
    const tokens = rows.reduce((total, { tokens }) => total + tokens.length, 0);
    expect(tokens / cells).toBeGreaterThan(0.8);
  });
});
