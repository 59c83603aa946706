import { describe, expect, it } from "vitest";
import { createRandom } from "../kit/random.ts";
import { createTape } from "./autodiff.ts";
import { gradientError } from "./gradient-check.ts";
import { emitLoss, type GraphLoss } from "./losses.ts";
import { createSession, floats } from "./session.ts";

const losses: GraphLoss[] = [
  { name: "cross_entropy" },
  { name: "importance_sampling" },
  { name: "ppo", clipLow: 0.8, clipHigh: 1.28 },
  { name: "ppo", clipLow: 0.8, clipHigh: 1.2, dualClip: 3 },
  { name: "dro", beta: 0.05 },
];

/** One token with weight 1. */
async function evaluate(loss: GraphLoss, { logRatio, advantage }: { logRatio: number; advantage: number }) {
  const tape = createTape();
  const current = tape.parameter("current", [1]);
  const [weights, sampled, advantages] = ["weights", "sampled", "advantages"].map((name) =>
    tape.input(name, "float32", [1]),
  );
  const total = emitLoss(tape, loss, {
    current,
    weights: weights!,
    sampled: sampled!,
    advantages: advantages!,
  });
  tape.backward(total);
  tape.graph.output(total.name, "loss", "float32", []);
  tape.graph.output(tape.gradient(current)!.name, "gradient", "float32", [1]);
  const session = await createSession(tape.graph, { threads: 1 });
  const one = (value: number) => floats(Float32Array.of(value), [1]);
  const all = { current: one(logRatio - 2), weights: one(1), sampled: one(-2), advantages: one(advantage) };
  const feeds = Object.fromEntries(session.inputNames.map((name) => [name, all[name as keyof typeof all]]));
  const results = await session.run(feeds);
  await session.release();
  return {
    loss: (results["loss"]!.data as Float32Array)[0]!,
    gradient: (results["gradient"]!.data as Float32Array)[0]!,
  };
}

describe("a loss", () => {
  it.each(losses.map((loss) => [JSON.stringify(loss), loss] as const))(
    "%s has the gradient of central differences",
    async (_name, loss) => {
      const random = createRandom(4);
      const error = await gradientError({ current: { shape: [12], scale: 0.3 } }, (tape, { current }) => {
        const constant = (draw: () => number) => ({
          name: tape.graph.constant(Float32Array.from({ length: 12 }, draw), [12]),
          shape: [12],
          tracked: false,
        });
        const weights = constant(() => 1 + 0.1 * random.normal());
        const sampled = constant(() => 0.3 * random.normal());
        return emitLoss(tape, loss, {
          current: current!,
          weights,
          sampled,
          advantages: constant(random.normal),
        });
      });
      expect(error).toBeLessThan(5e-3);
    },
  );

  it.each([
    [{ name: "ppo", clipLow: 0.8, clipHigh: 1.2 }, 0.5, 1, -1.2],
    [{ name: "ppo", clipLow: 0.8, clipHigh: 1.28 }, 0.5, 1, -1.28],
    [{ name: "ppo", clipLow: 0.8, clipHigh: 1.2 }, -0.5, 1, -0.60653],
    [{ name: "ppo", clipLow: 0.8, clipHigh: 1.2 }, 0.5, -1, 1.64872],
    [{ name: "ppo", clipLow: 0.8, clipHigh: 1.2 }, -0.5, -1, 0.8],
    [{ name: "ppo", clipLow: 0.8, clipHigh: 1.2, dualClip: 3 }, 1.5, -1, 3.0],
    [{ name: "importance_sampling" }, 0.5, 2, -2 * Math.exp(0.5)],
    [{ name: "dro", beta: 0.1 }, 0.5, 2, -(-1.5 * 2 - 0.05 * 0.25)],
  ] as [GraphLoss, number, number, number][])(
    "%j at log-ratio %d and advantage %d is %d",
    async (loss, logRatio, advantage, expected) => {
      expect((await evaluate(loss, { logRatio, advantage })).loss).toBeCloseTo(expected, 4);
    },
  );

  it("has no gradient where ppo clips, and cispo keeps one there", async () => {
    const clipped = await evaluate(
      { name: "ppo", clipLow: 0.8, clipHigh: 1.2 },
      { logRatio: 0.5, advantage: 1 },
    );
    expect(clipped.gradient).toBeCloseTo(0, 6);
    const cispo = await evaluate(
      { name: "cispo", clipLow: 0.8, clipHigh: 1.2 },
      { logRatio: 0.5, advantage: 1 },
    );
    expect(cispo.gradient).toBeCloseTo(-1.2, 5);
  });

  it("stays finite at any log-ratio", async () => {
    const { loss, gradient } = await evaluate(
      { name: "importance_sampling" },
      { logRatio: 500, advantage: 1 },
    );
    expect(Number.isFinite(loss) && Number.isFinite(gradient)).toBe(true);
  });
});
