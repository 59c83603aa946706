import { describe, expect, it } from "vitest";
import type { EpisodeRequest, Trajectory } from "../spec/trajectory.ts";
import { conversation, observed, said } from "../testing/trajectories.ts";
import { createLedger } from "./ledger.ts";
import { lostEpisode, readFailure, writeFailure } from "./lost-episode.ts";
import {
  decodeJob,
  decodeResult,
  type EpisodeJob,
  type EpisodeResult,
  encodeJob,
  encodeResult,
} from "./wire.ts";

const request = (sample: number): EpisodeRequest => ({
  task: { id: "t", environment: "bell", kind: "any", input: 1, answer: null, split: "train" },
  step: 3,
  group: "3-0-t",
  sample,
  seed: 40 + sample,
  sampling: { temperature: 0.7, stop: ["\n"] },
});

const trajectoryOf = (sample: number, changes: Partial<Trajectory> = {}): Trajectory => {
  const { sampling: _sampling, ...identity } = request(sample);
  const nodes = [observed(1), said([2, 3])];
  return { ...conversation({ id: `e${sample}`, reward: 1, nodes }), ...identity, ...changes };
};

/** With tokens of its own, said by a version of the policy. */
const saidBy = (policyVersion: number, tokens: number[]): Partial<Trajectory> => ({
  nodes: [{ ...said(tokens), parent: null, turn: 0, message: null, policyVersion }],
});

const resultOf = (sample: number, changes: Partial<EpisodeResult> = {}): EpisodeResult => ({
  run: "r-1",
  play: "p",
  worker: "w",
  policyVersion: 0,
  starts: 1,
  sessions: { environment: "bell", opened: 1, leaked: 0, leakedByTool: {} },
  trajectory: trajectoryOf(sample),
  thrownAway: [],
  ...changes,
});

const ledgerOf = (count: number) =>
  createLedger({
    run: "r-1",
    play: "p",
    requests: Array.from({ length: count }, (_, sample) => request(sample)),
    policyVersion: 0,
    vocabularySize: 300,
  });

describe("a ledger", () => {
  it("takes the first result of an episode and no other, in the order of the requests", () => {
    const ledger = ledgerOf(2);
    expect(ledger.accept(resultOf(1))).toMatchObject({ first: true });
    const again = resultOf(1, { worker: "another", trajectory: trajectoryOf(1, { reward: 0 }) });
    expect(ledger.accept(again)).toMatchObject({ first: false });
    expect([ledger.isComplete(), ledger.outstanding()]).toEqual([false, [0]]);
    ledger.accept(resultOf(0));
    expect(ledger.isComplete()).toBe(true);
    expect(ledger.trajectories().map(({ sample, reward }) => [sample, reward])).toEqual([
      [0, 1],
      [1, 1],
    ]);
  });

  it("keeps an episode that was given up, or its result if that came first", () => {
    const ledger = ledgerOf(2);
    const lost = lostEpisode(request(0), "p", "gone");
    ledger.accept(resultOf(1));
    expect([ledger.giveUp(0, lost), ledger.giveUp(1, lost)]).toEqual([true, false]);
    expect(ledger.accept(resultOf(0))).toMatchObject({ first: false });
    expect(ledger.trajectories().map(({ reward }) => reward)).toEqual([null, 1]);
  });

  it.each([
    ["another play's", resultOf(0, { play: "q" }), "of play q, expected p"],
    ["another run's", resultOf(0, { run: "r-2" }), "no such episode was asked for"],
    ["nobody's", resultOf(7), "no such episode was asked for"],
    ["another step's", resultOf(0, { trajectory: trajectoryOf(0, { step: 2 }) }), "no such episode"],
    ["another seed's", resultOf(0, { trajectory: trajectoryOf(0, { seed: 1 }) }), "seed 1, expected 40"],
    ["a stale policy's", resultOf(0, { policyVersion: 4 }), "played by policy version 4, expected 0"],
    [
      "partly a stale policy's",
      resultOf(0, { trajectory: trajectoryOf(0, saidBy(4, [1])) }),
      "sampled by policy version 4, expected 0",
    ],
    [
      "of another vocabulary",
      resultOf(0, { trajectory: trajectoryOf(0, saidBy(0, [300])) }),
      "token 300 is not in a vocabulary of 300",
    ],
  ])("refuses a result that is %s", (_, result, message) => {
    const ledger = ledgerOf(1);
    expect(() => ledger.accept(result)).toThrow(message);
    expect(ledger.outstanding()).toEqual([0]);
  });

  it("refuses to be asked for the same episode twice", () => {
    expect(() =>
      createLedger({
        run: "r",
        play: "p",
        requests: [request(1), request(1)],
        policyVersion: 0,
        vocabularySize: 1,
      }),
    ).toThrow("sample 1 of group 3-0-t is there twice");
  });
});

const limits = {
  turns: 8,
  tokensPerTurn: 256,
  tokens: Number.POSITIVE_INFINITY,
  toolCalls: 32,
  observationCharacters: 4000,
  toolTimeoutMs: 1000,
  wallTimeMs: 5000,
  unreadableTurns: 1,
  invalidTurns: 8,
};

const job: EpisodeJob = {
  format: 1,
  run: "r-1",
  play: "p",
  results: "q.results.1",
  request: request(2),
  limits,
  retry: { attempts: 3, totalMs: 1000, firstDelayMs: 10, mostDelayMs: 100 },
  policy: { url: "http://127.0.0.1:8000", key: "k", number: 0, version: 5, name: "p@5", contextLength: 256 },
};

const sent = encodeJob(job) as object;

describe("on the wire", () => {
  it("a job comes back as it was, with limits that are lifted", () => {
    const text = JSON.stringify(encodeJob(job));
    expect(decodeJob(JSON.parse(text))).toEqual(job);
  });

  it("a result comes back as it was, its arrays as bytes with a checksum", () => {
    const result = resultOf(0, { thrownAway: [trajectoryOf(0, { status: "timeout", reward: null })] });
    const came = JSON.parse(JSON.stringify(encodeResult(result))) as { trajectory: { arrays: string } };
    expect(Buffer.from(came.trajectory.arrays, "base64")).toHaveLength(4 * (1 + 2 + 2));
    expect(decodeResult(came)).toEqual(result);
    came.trajectory.arrays = Buffer.alloc(20).toString("base64");
    expect(() => decodeResult(came)).toThrow(
      "result: trajectory: its tokens at byte 0 beside it are missing or damaged",
    );
  });

  it.each([
    [decodeJob, null, "job: whole: "],
    [decodeJob, { ...sent, format: 2 }, "job: format: expected 1, got 2"],
    [decodeJob, { ...sent, policy: { ...job.policy, url: "file:///etc" } }, "job: policy.url: "],
    [decodeJob, { ...sent, play: "a:b" }, "job: play: "],
    [decodeJob, { ...sent, limits: { ...limits, turns: -1 } }, "job: limits.turns: "],
    [decodeResult, { play: "p" }, "result: format: expected 1, got undefined"],
    [
      decodeResult,
      { ...(encodeResult(resultOf(0)) as object), trajectory: { line: "{", arrays: "" } },
      "not JSON",
    ],
  ])("nonsense is refused with its place (%#)", (decode, data, message) => {
    expect(() => decode(data)).toThrow(message);
  });

  it("a job's last words keep their kind", () => {
    const words = writeFailure(new Error("broken\nhere"), "usage", "host, process 1");
    expect(readFailure(words)).toMatchObject({ kind: "usage", message: "broken (host, process 1)" });
    expect(readFailure("job stalled more than allowable limit").kind).toBe("environment");
    expect(readFailure("[nonsense] x").kind).toBe("engine");
    expect(readFailure(undefined).message).toBe("a worker failed without a word");
  });
});
