// Speed of a training step: forward, backward, clipping and optimizer. Dense batches of the presets S and L, a ragged
// multi-turn batch with loss on the policy's tokens only, and the two batches of the quickstart (`nano`, Muon).
// Beside it PyTorch on the same batch, in turn. Tokens are those of the rows, without padding.
import { createModel, type ModelPreset, modelPresets } from "../src/engine/model.ts";
import { createTraining } from "../src/engine/training.ts";
import { createRandom } from "../src/kit/random.ts";
import { median } from "../src/kit/statistics.ts";
import type { OptimizerParams, TrainRow } from "../src/spec/trainer.ts";
import { startPythonPeer } from "./python-peer.ts";
import type { Bench, BenchRow } from "./report.ts";

const threads = 2;
const rounds = 4;

type Case = {
  name: string;
  preset: ModelPreset;
  optimizer: OptimizerParams["kind"];
  rows: TrainRow[];
  stepsPerRound: number;
};

const cases: Case[] = [
  { name: "S dense 8×256", preset: "S", optimizer: "adamw", rows: dense("S"), stepsPerRound: 5 },
  { name: "L dense 8×256", preset: "L", optimizer: "adamw", rows: dense("L"), stepsPerRound: 2 },
  {
    name: "S ragged 16 rows of 60–250",
    preset: "S",
    optimizer: "adamw",
    rows: multiTurn("S", { count: 16, shortest: 60, longest: 250 }),
    stepsPerRound: 5,
  },
  {
    name: "L ragged 16 rows of 60–250",
    preset: "L",
    optimizer: "adamw",
    rows: multiTurn("L", { count: 16, shortest: 60, longest: 250 }),
    stepsPerRound: 2,
  },
  {
    name: "nano 8 rows of about 70",
    preset: "nano",
    optimizer: "muon",
    rows: multiTurn("nano", { count: 8, shortest: 40, longest: 100 }),
    stepsPerRound: 30,
  },
  {
    name: "nano 64 rows of about 85",
    preset: "nano",
    optimizer: "muon",
    rows: multiTurn("nano", { count: 64, shortest: 40, longest: 130 }),
    stepsPerRound: 8,
  },
];

export const run: Bench = async ({ say, only }) => {
  const peer = startPythonPeer("engine_train.py", ["torch"]);
  if ("skipped" in peer) say(`PyTorch: skipped, ${peer.skipped}`);
  const rows: BenchRow[] = [];
  try {
    for (const one of cases) {
      if (only !== undefined && !one.name.startsWith(only)) continue;
      const tokens = one.rows.reduce((total, row) => total + row.tokens.length, 0);
      const own = startOwn(one);
      let torch = "";
      if (!("skipped" in peer)) torch = (await peer.ask<{ torch: string }>(peerRequest(one))).torch;
      const step = async (steps: number) => ("skipped" in peer ? [] : peerSeconds(peer, steps));

      // the first steps create sessions and let both allocate
      await own.seconds(2);
      await step(2);
      const [ownSeconds, peerTimes]: [number[], number[]] = [[], []];
      for (let round = 0; round < rounds; round++) {
        ownSeconds.push(...(await own.seconds(one.stepsPerRound)));
        peerTimes.push(...(await step(one.stepsPerRound)));
      }
      await own.close();

      const value = tokens / median(ownSeconds);
      const row: BenchRow = { case: `${one.name}, ${one.optimizer}`, unit: "tokens/s", value };
      if ("skipped" in peer) rows.push(row);
      else {
        const peerValue = tokens / median(peerTimes);
        rows.push({ ...row, peer: `PyTorch ${torch}`, peerValue, ratio: value / peerValue });
      }
      say(`${one.name}: ${value.toFixed(0)} tokens/s, ${(1000 * median(ownSeconds)).toFixed(1)} ms a step`);
    }
  } finally {
    if (!("skipped" in peer)) peer.close();
  }
  return rows;
};

function startOwn({ preset, optimizer, rows }: Case) {
  const training = createTraining(createModel(modelPresets[preset], { seed: 1, deviation: 0.02 }), {
    threads,
  });
  const params: OptimizerParams = {
    kind: optimizer,
    learningRate: 3e-4,
    beta1: 0.9,
    beta2: 0.95,
    epsilon: 1e-8,
    weightDecay: 0.01,
    gradientClip: 1,
  };
  return {
    async seconds(steps: number): Promise<number[]> {
      const times: number[] = [];
      for (let step = 0; step < steps; step++) {
        const start = performance.now();
        await training.forwardBackward(rows, { name: "cross_entropy" });
        await training.optimStep(params);
        times.push((performance.now() - start) / 1000);
      }
      return times;
    },
    close: () => training.close(),
  };
}

function peerRequest({ preset, optimizer, rows }: Case) {
  const plain = rows.map(({ tokens, targets, weights }) => ({
    tokens: [...tokens],
    targets: [...targets],
    weights: [...weights],
  }));
  return { model: modelPresets[preset], rows: plain, optimizer, threads };
}

async function peerSeconds(
  peer: { ask<Answer>(request: unknown): Promise<Answer> },
  steps: number,
): Promise<number[]> {
  return (await peer.ask<{ seconds: number[] }>({ steps })).seconds;
}

/** 8 rows of 256 tokens, all of them scored. */
function dense(preset: ModelPreset): TrainRow[] {
  return Array.from({ length: 8 }, (_, row) => randomRow(preset, row, 256, () => 1 / 2048));
}

/** Conversations: observations and actions take turns, and the actions, about two tokens in five, are scored. */
function multiTurn(
  preset: ModelPreset,
  { count, shortest, longest }: { count: number; shortest: number; longest: number },
): TrainRow[] {
  const random = createRandom(5);
  return Array.from({ length: count }, (_, row) => {
    const length = shortest + random.integer(longest - shortest + 1);
    const turn = 20 + random.integer(10);
    return randomRow(preset, row, length, (position) => (position % turn >= 0.6 * turn ? 1 / length : 0));
  });
}

function randomRow(
  preset: ModelPreset,
  seed: number,
  length: number,
  weightAt: (position: number) => number,
): TrainRow {
  const random = createRandom(seed);
  const ids = Int32Array.from({ length: length + 1 }, () =>
    random.integer(modelPresets[preset].vocabularySize),
  );
  return {
    tokens: ids.slice(0, -1),
    targets: ids.slice(1),
    weights: Float32Array.from({ length }, (_, position) => weightAt(position)),
  };
}
