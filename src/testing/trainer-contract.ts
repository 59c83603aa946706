import { existsSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, afterEach, describe, expect, it } from "vitest";
import { createRandom } from "../kit/random.ts";
import type { Loss, OptimizerParams, Trainer, TrainRow } from "../spec/trainer.ts";
import { type BuiltInLoss, lossOf } from "./loss-formulas.ts";

export type TrainerContractOptions = {
  /**
   * A new trainer of a small model: random weights that depend on the seed alone, a context of at least 32 tokens,
   * and a vocabulary of at least 32. The suite closes it.
   */
  create(options: { seed: number }): Promise<Trainer>;
  /** Largest difference between a sampled log-probability and the same one from a forward pass. */
  logprobTolerance?: number;
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

const crossEntropy: BuiltInLoss = { name: "cross_entropy" };

/** The cross entropy as a caller would write it, with its derivative. */
const customCrossEntropy: Loss = {
  name: "custom",
  evaluate: (rows, logprobs) => ({
    loss: rows.reduce((total, row, index) => total + lossOf(crossEntropy, row, logprobs[index]!), 0),
    gradients: rows.map((row) => row.weights.map((weight) => -weight)),
  }),
};

/** Declares the suite that every `Trainer` must pass. Call it from the driver's test file. */
export function trainerContract(name: string, { create, logprobTolerance = 1e-5 }: TrainerContractOptions) {
  const opened: Trainer[] = [];
  const start = async (seed = 1) => {
    const trainer = await create({ seed });
    opened.push(trainer);
    return trainer;
  };
  const root = mkdtempSync(join(tmpdir(), "attune-contract-"));
  let directories = 0;
  const freshDirectory = () => join(root, String(directories++));

  /** Two steps of learning, and the log-probabilities afterwards: equal only if everything before was. */
  const learn = async (trainer: Trainer, params: OptimizerParams = adamw) => {
    for (const seed of [11, 12]) {
      await trainer.forwardBackward([randomRow(seed, 9)], crossEntropy);
      await trainer.optimStep(params);
    }
    return look(trainer);
  };

  describe(`${name} keeps the trainer contract`, () => {
    afterEach(async () => {
      await Promise.all(opened.splice(0).map((trainer) => trainer.close()));
    });
    afterAll(() => rmSync(root, { recursive: true, force: true }));

    it("lowers the loss of a row that it is trained on", async () => {
      const trainer = await start();
      const row = randomRow(1, 12);
      const losses: number[] = [];
      for (let step = 0; step < 20; step++) {
        losses.push((await trainer.forwardBackward([row], crossEntropy)).loss);
        await trainer.optimStep(adamw);
      }
      expect(losses.at(-1)!).toBeLessThan(losses[0]! / 2);
    });

    it("raises what had a good advantage and lowers what had a bad one", async () => {
      const trainer = await start();
      const good = onPolicy(randomRow(2, 8), await look(trainer, [randomRow(2, 8)]), 1);
      const bad = onPolicy(randomRow(3, 8), await look(trainer, [randomRow(3, 8)]), -1);
      await trainer.forwardBackward([good, bad], { name: "importance_sampling" });
      await trainer.optimStep({ ...adamw, learningRate: 1e-3 });
      const [better, worse] = await look(trainer, [good, bad]);
      expect(total(better!)).toBeGreaterThan(total(good.logprobs!));
      expect(total(worse!)).toBeLessThan(total(bad.logprobs!));
    });

    it.each<BuiltInLoss>([
      crossEntropy,
      { name: "importance_sampling" },
      { name: "ppo", clipLow: 0.8, clipHigh: 1.28 },
      { name: "ppo", clipLow: 0.8, clipHigh: 1.2, dualClip: 3 },
      { name: "cispo", clipLow: 0.7, clipHigh: 1.4 },
      { name: "dro", beta: 0.3 },
    ])("reports for $name the sum that its formula gives", async (loss) => {
      const trainer = await start();
      const rows = [randomRow(4, 10, { from: 3 }), randomRow(5, 6)];
      const own = await look(trainer, rows);
      const scored = rows.map((row, index) => offPolicy(row, own[index]!));
      const result = await trainer.forwardBackward(scored, loss);
      const expected = scored.reduce(
        (sum, row, index) => sum + lossOf(loss, row, result.logprobs[index]!),
        0,
      );
      expect(Math.abs(result.loss - expected)).toBeLessThan(1e-4 * Math.max(1, Math.abs(expected)));
    });

    it("adds gradients up over calls until the step", async () => {
      const [together, apart] = [await start(), await start()];
      const rows = [randomRow(6, 12), randomRow(7, 5), randomRow(8, 9)];
      await together.forwardBackward(rows, crossEntropy);
      for (const row of rows) await apart.forwardBackward([row], crossEntropy);
      const [one, other] = [await together.optimStep(adamw), await apart.optimStep(adamw)];
      expect(one.gradientNorm).toBeGreaterThan(0);
      expect(Math.abs(one.gradientNorm / other.gradientNorm - 1)).toBeLessThan(1e-4);
      expectClose(await look(together), await look(apart), 1e-3);
    });

    it("starts from no gradient after a step", async () => {
      const trainer = await start();
      await trainer.forwardBackward([randomRow(6, 12)], crossEntropy);
      await trainer.optimStep({ ...adamw, learningRate: 0 });
      expect((await trainer.optimStep({ ...adamw, learningRate: 0 })).gradientNorm).toBe(0);
    });

    it("leaves positions of weight 0 out altogether", async () => {
      const [plain, disturbed] = [await start(), await start()];
      const row = randomRow(9, 12, { from: 5 });
      const other = {
        ...row,
        targets: row.targets.map((target, at) => (at < 5 ? (target + 7) % 32 : target)),
      };
      const first = await plain.forwardBackward([row], crossEntropy);
      const second = await disturbed.forwardBackward([other], crossEntropy);
      expect(second).toEqual(first);
      expect([...first.logprobs[0]!.subarray(0, 5)]).toEqual([0, 0, 0, 0, 0]);
      expect(await disturbed.optimStep(adamw)).toEqual(await plain.optimStep(adamw));
    });

    it("gives a custom loss what it gives a built-in one", async () => {
      const [builtIn, custom] = [await start(), await start()];
      const rows = [randomRow(10, 11, { from: 4 }), randomRow(11, 7)];
      const first = await builtIn.forwardBackward(rows, crossEntropy);
      const second = await custom.forwardBackward(rows, customCrossEntropy);
      expect(Math.abs(second.loss - first.loss)).toBeLessThan(1e-3);
      expectClose(second.logprobs, first.logprobs, 1e-5);
      const [one, other] = [await builtIn.optimStep(adamw), await custom.optimStep(adamw)];
      expect(Math.abs(one.gradientNorm / other.gradientNorm - 1)).toBeLessThan(1e-5);
      expectClose(await look(custom), await look(builtIn), 1e-3);
    });

    it("takes calls in the order they were made, awaited or not", async () => {
      const [patient, hasty] = [await start(), await start()];
      await patient.forwardBackward([randomRow(12, 8)], customCrossEntropy);
      await patient.optimStep(adamw);
      await Promise.all([
        hasty.forwardBackward([randomRow(12, 8)], customCrossEntropy),
        hasty.optimStep(adamw),
      ]);
      expect(await look(hasty)).toEqual(await look(patient));
    });

    it("repeats bit for bit from a seed, and differs from another", async () => {
      const [first, second, third] = [await start(5), await start(5), await start(6)];
      const expected = await learn(first);
      expect(await learn(second)).toEqual(expected);
      expect(await learn(third)).not.toEqual(expected);
    });

    it.each(["adamw", "muon"] as const)(
      "goes on from a saved %s run as if never interrupted",
      async (kind) => {
        const params = { ...adamw, kind };
        const trainer = await start();
        await learn(trainer, params);
        const directory = freshDirectory();
        await trainer.save(directory);
        const expected = await learn(trainer, params);
        const resumed = await start(99);
        await resumed.load(directory);
        expect(await learn(resumed, params)).toEqual(expected);
      },
    );

    it("forgets a pending gradient when it loads", async () => {
      const trainer = await start();
      const directory = freshDirectory();
      await trainer.save(directory);
      await trainer.forwardBackward([randomRow(1, 9)], crossEntropy);
      await trainer.load(directory);
      expect((await trainer.optimStep(adamw)).gradientNorm).toBe(0);
    });

    it("forgets optimizer state, and nothing else, when asked to", async () => {
      const [kept, reset] = [await start(), await start()];
      expect(await learn(reset)).toEqual(await learn(kept));
      await reset.resetOptimizer();
      expect(await look(reset)).toEqual(await look(kept));
      expect(await learn(reset)).not.toEqual(await learn(kept));
    });

    it("refuses to save over what exists, and to load what does not", async () => {
      const trainer = await start();
      const directory = freshDirectory();
      await trainer.save(directory);
      await expect(trainer.save(directory)).rejects.toThrow(directory);
      const missing = freshDirectory();
      await expect(trainer.load(missing)).rejects.toThrow(missing);
      expect(existsSync(missing)).toBe(false);
    });

    it("makes policies that stay what they are while it learns", async () => {
      const trainer = await start();
      const before = await trainer.policy();
      const request = { prompt: Int32Array.of(1, 2, 3), params: { maxTokens: 6, temperature: 0, seed: 0 } };
      const [first] = await before.sample(request);
      await learn(trainer);
      const after = await trainer.policy();
      expect(after.version).toBeGreaterThan(before.version);
      expectClose([(await before.sample(request))[0]!.logprobs], [first!.logprobs], logprobTolerance);
      expect((await after.sample(request))[0]!.logprobs).not.toEqual(first!.logprobs);
    });

    it("scores what its policy sampled as the policy did", async () => {
      const trainer = await start();
      await learn(trainer);
      const policy = await trainer.policy();
      const prompt = Int32Array.of(4, 5, 6, 7);
      const samples = await policy.sample({
        prompt,
        count: 4,
        params: { maxTokens: 12, temperature: 1, seed: 3 },
      });
      const rows = samples.map(({ tokens }) => toRow([...prompt, ...tokens], { from: prompt.length - 1 }));
      const { logprobs } = await trainer.forwardBackward(rows, crossEntropy);
      expectClose(
        logprobs.map((row) => row.slice(prompt.length - 1)),
        samples.map((sample) => sample.logprobs),
        logprobTolerance,
      );
    });

    it("refuses what is not finite before any weight is touched, and goes on", async () => {
      const [trainer, untouched] = [await start(), await start()];
      const row = randomRow(13, 8);
      const poisoned = { ...row, weights: row.weights.map((weight, at) => (at === 4 ? Number.NaN : weight)) };
      const attempt = async () => {
        await trainer.forwardBackward([poisoned], crossEntropy);
        await trainer.optimStep(adamw);
      };
      await expect(attempt()).rejects.toThrow(/finite/);
      expect(await learn(trainer)).toEqual(await learn(untouched));
    });

    it.each<[string, Partial<TrainRow>, RegExp]>([
      ["a token outside of the vocabulary", { tokens: Int32Array.of(1, 2, 10_000_000) }, /10000000/],
      ["a negative target", { targets: Int32Array.of(1, -1, 2) }, /-1/],
      ["weights of another length", { weights: Float32Array.of(1, 1) }, /3 weights, got 2/],
    ])("refuses a row with %s", async (_what, broken, message) => {
      const trainer = await start();
      await expect(
        trainer.forwardBackward([{ ...toRow([1, 2, 3, 4]), ...broken }], crossEntropy),
      ).rejects.toThrow(message);
    });

    it("adds nothing to the gradient in a call that was aborted", async () => {
      const [trainer, untouched] = [await start(), await start()];
      const reason = new Error("enough");
      await expect(
        trainer.forwardBackward([randomRow(14, 8)], crossEntropy, { signal: AbortSignal.abort(reason) }),
      ).rejects.toBe(reason);
      expect(await learn(trainer)).toEqual(await learn(untouched));
    });

    it("closes more than once, and refuses what comes after", async () => {
      const trainer = await start();
      const policy = await trainer.policy();
      await Promise.all([trainer.close(), trainer.close()]);
      await trainer.close();
      await expect(trainer.forwardBackward([randomRow(1, 4)], crossEntropy)).rejects.toThrow(/closed/);
      await expect(trainer.policy()).rejects.toThrow(/closed/);
      await expect(
        policy.sample({ prompt: Int32Array.of(1), params: { maxTokens: 1, temperature: 1, seed: 0 } }),
      ).rejects.toThrow(/closed/);
    });
  });
}

/** Log-probabilities of fixed rows under the weights as they are; the gradient it leaves is thrown away. */
async function look(trainer: Trainer, rows = [randomRow(21, 10), randomRow(22, 5)]): Promise<Float32Array[]> {
  const { logprobs } = await trainer.forwardBackward(
    rows.map(({ tokens, targets, weights }) => ({ tokens, targets, weights })),
    { name: "custom", evaluate: () => ({ loss: 0, gradients: rows.map((row) => row.weights.map(() => 0)) }) },
  );
  return logprobs;
}

/** A row over ids below 32; positions before `from` have weight 0. */
function randomRow(seed: number, length: number, { from = 0 }: { from?: number } = {}): TrainRow {
  const random = createRandom(seed);
  const row = toRow(Array.from({ length: length + 1 }, () => random.integer(32)));
  return { ...row, weights: row.weights.map((_, at) => (at < from ? 0 : 0.5 + random.next())) };
}

function toRow(ids: readonly number[], { from = 0 }: { from?: number } = {}): TrainRow {
  return {
    tokens: Int32Array.from(ids.slice(0, -1)),
    targets: Int32Array.from(ids.slice(1)),
    weights: Float32Array.from({ length: ids.length - 1 }, (_, at) => (at < from ? 0 : 1)),
  };
}

function onPolicy(row: TrainRow, [logprobs]: readonly Float32Array[], advantage: number): TrainRow {
  return { ...row, logprobs: logprobs!, advantages: row.weights.map(() => advantage) };
}

/** As if sampled by a policy some way off, so that ratios fall on both sides of every clip bound. */
function offPolicy(row: TrainRow, own: Float32Array): TrainRow {
  const random = createRandom(own.length);
  return {
    ...row,
    logprobs: own.map((logprob) => logprob + 0.8 * random.normal()),
    advantages: own.map(() => random.normal()),
  };
}

function expectClose(got: readonly Float32Array[], expected: readonly Float32Array[], tolerance: number) {
  expect(got.map((row) => row.length)).toEqual(expected.map((row) => row.length));
  const worst = Math.max(
    ...got.flatMap((row, index) => [...row].map((value, at) => Math.abs(value - expected[index]![at]!))),
  );
  expect(worst).toBeLessThan(tolerance);
}

const total = (values: Float32Array) => values.reduce((sum, value) => sum + value, 0);
