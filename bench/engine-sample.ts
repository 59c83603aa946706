// Speed of sampling: 64 tokens of prompt, then so many at temperature 1, at three batch sizes; and a conversation of
// six turns with its cache kept, against the same one prefilled anew each turn. Beside it a PyTorch loop with a
// key-value cache, in turn. Tokens are those sampled, the prompt's time left out on both sides.
import { createModel, type ModelPreset, modelPresets } from "../src/engine/model.ts";
import { createSampler, type Sampler } from "../src/engine/sampler.ts";
import { createRandom } from "../src/kit/random.ts";
import { median } from "../src/kit/statistics.ts";
import { startPythonPeer } from "./python-peer.ts";
import type { Bench, BenchRow } from "./report.ts";

const threads = 2;
const promptTokens = 64;
const rounds = 4;
const cases: { preset: ModelPreset; batch: number; tokens: number }[] = [
  { preset: "S", batch: 1, tokens: 128 },
  { preset: "S", batch: 8, tokens: 96 },
  { preset: "S", batch: 32, tokens: 96 },
  { preset: "L", batch: 1, tokens: 64 },
  { preset: "L", batch: 32, tokens: 64 },
];

const randomPrompt = (preset: ModelPreset, seed: number, length = promptTokens) => {
  const random = createRandom(seed);
  return Int32Array.from({ length }, () => random.integer(modelPresets[preset].vocabularySize));
};

const open = (preset: ModelPreset, { slots, cacheBytes = 0 }: { slots: number; cacheBytes?: number }) =>
  createSampler(createModel(modelPresets[preset], { seed: 1, deviation: 0.02 }), {
    threads,
    slots,
    cacheBytes,
  });

async function secondsOf(
  sampler: Sampler,
  { preset, batch, tokens, seed }: (typeof cases)[number] & { seed: number },
): Promise<number> {
  const draw = async (maxTokens: number) => {
    const startedAt = performance.now();
    const requests = Array.from({ length: batch }, (_, stream) => ({
      prompt: randomPrompt(preset, seed * 100 + stream),
      stream,
      params: { maxTokens, temperature: 1, seed },
    }));
    await Promise.all(sampler.sample(requests));
    return (performance.now() - startedAt) / 1000;
  };
  // one token costs the prompt and a draw: what more tokens cost beyond it is sampling alone
  const prefill = await draw(1);
  return (await draw(tokens + 1)) - prefill;
}

export const run: Bench = async ({ say, only }) => {
  const peer = startPythonPeer("engine_sample.py", ["torch"]);
  if ("skipped" in peer) say(`PyTorch: skipped, ${peer.skipped}`);
  const rows: BenchRow[] = [];
  try {
    for (const one of cases) {
      const name = `${one.preset}, batch ${one.batch}`;
      if (only !== undefined && !name.startsWith(only)) continue;
      const sampler = await open(one.preset, { slots: one.batch });
      const request = {
        model: modelPresets[one.preset],
        batch: one.batch,
        prompt: promptTokens,
        tokens: one.tokens,
        threads,
      };
      const [own, torch]: [number[], number[]] = [[], []];
      let version = "";
      for (let round = 0; round <= rounds; round++) {
        const seconds = await secondsOf(sampler, { ...one, seed: round });
        const answer =
          "skipped" in peer ? undefined : await peer.ask<{ seconds: number; torch: string }>(request);
        if (round === 0) continue; // both allocate
        own.push(seconds);
        if (answer) torch.push(answer.seconds);
        version = answer?.torch ?? "";
      }
      await sampler.close();
      const sampled = one.batch * one.tokens;
      const value = sampled / median(own);
      const row: BenchRow = { case: name, unit: "tokens/s", value };
      if ("skipped" in peer) rows.push({ ...row, skipped: peer.skipped });
      else
        rows.push({
          ...row,
          peer: `PyTorch ${version}`,
          peerValue: sampled / median(torch),
          ratio: (value * median(torch)) / sampled,
        });
      say(`${name}: ${value.toFixed(0)} tokens/s`);
    }
  } finally {
    if (!("skipped" in peer)) peer.close();
  }
  if (only === undefined || only === "conversation") rows.push(await conversation());
  return rows;
};

/** Six short turns with observations of 24 tokens after a prompt of 64, for 8 conversations side by side. */
async function conversation(): Promise<BenchRow> {
  const samplers = {
    kept: await open("S", { slots: 8, cacheBytes: 2 ** 28 }),
    again: await open("S", { slots: 8 }),
  };
  const play = async (sampler: Sampler, round: number) => {
    let prompts = Array.from({ length: 8 }, (_, index) => randomPrompt("S", round * 10 + index));
    const startedAt = performance.now();
    for (let turn = 0; turn < 6; turn++) {
      const params = { maxTokens: 2, temperature: 1, seed: turn };
      const requests = prompts.map((prompt, stream) => ({ prompt, stream, params }));
      const samples = await Promise.all(sampler.sample(requests));
      prompts = prompts.map((prompt, index) =>
        Int32Array.from([...prompt, ...samples[index]!.tokens, ...randomPrompt("S", turn, 24)]),
      );
    }
    return (performance.now() - startedAt) / 1000;
  };
  const seconds: { kept: number[]; again: number[] } = { kept: [], again: [] };
  for (let round = 0; round <= 3 * rounds; round++) {
    for (const way of ["kept", "again"] as const) {
      const taken = await play(samplers[way], round);
      if (round > 0) seconds[way].push(taken); // the first allocates
    }
  }
  for (const sampler of Object.values(samplers)) await sampler.close();
  const [kept, again] = [median(seconds.kept), median(seconds.again)];
  return {
    case: "6-turn conversation, cache kept",
    unit: "conversations/s",
    value: 8 / kept,
    peer: "prefilled each turn",
    peerValue: 8 / again,
    ratio: again / kept,
  };
}
