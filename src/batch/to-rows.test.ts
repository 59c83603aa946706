import { describe, expect, it } from "vitest";
import { dapo } from "../algorithm/dapo.ts";
import { grpo } from "../algorithm/grpo.ts";
import { reinforce } from "../algorithm/reinforce.ts";
import { createRandom } from "../kit/random.ts";
import type { Aggregation, Algorithm } from "../spec/algorithm.ts";
import type { TrainRow } from "../spec/trainer.ts";
import type { Gap, Trajectory, TrajectoryNode } from "../spec/trajectory.ts";
import { branchedTrajectory, conversation, observed, said } from "../testing/trajectories.ts";
import { leavesOf, pathTo } from "../trajectory/path.ts";
import { isTied, toRows } from "./to-rows.ts";

const plain = reinforce();

/** Whether these tokens are those that a path begins with. */
function isPrefix(tokens: readonly number[], path: readonly TrajectoryNode[]): boolean {
  const whole = path.flatMap((node) => [...node.tokens]);
  return tokens.every((token, index) => token === whole[index]);
}

/** Every scored target of a batch with what the row says of it. */
const scored = (rows: readonly TrainRow[]) =>
  rows.flatMap(({ targets, weights, logprobs, advantages }) =>
    [...targets.keys()]
      .filter((index) => weights[index]! > 0)
      .map((index) => ({
        target: targets[index]!,
        weight: weights[index]!,
        logprob: logprobs![index]!,
        advantage: advantages![index]!,
      })),
  );

describe("rows", () => {
  it("predict the next token: inputs are all but the last, targets all but the first", () => {
    const trajectory = conversation({
      reward: 1,
      nodes: [observed(1, 2), said([3, 4]), observed(5), said([6])],
    });
    const { rows } = toRows({ groups: [[trajectory]], algorithm: plain });
    expect(rows).toHaveLength(1);
    expect([...rows[0]!.tokens]).toEqual([1, 2, 3, 4, 5]);
    expect([...rows[0]!.targets]).toEqual([2, 3, 4, 5, 6]);
  });

  it("score only what the policy wrote, with the log-probability it was sampled with", () => {
    const nodes = [observed(1, 2), said([3, 4], [-0.5, -0.25]), observed(5), said([6], [-2])];
    const { rows } = toRows({ groups: [[conversation({ reward: 2, nodes })]], algorithm: plain });
    expect(scored(rows).map(({ target, logprob }) => [target, logprob])).toEqual([
      [3, -0.5],
      [4, -0.25],
      [6, -2],
    ]);
    expect([...rows[0]!.weights].filter((weight) => weight === 0)).toHaveLength(2);
    expect([...rows[0]!.advantages!]).toEqual([0, 2, 2, 0, 2]);
  });

  it("carry a trajectory's credit, a turn's, or a token's, to the tokens it belongs to", () => {
    const nodes = [observed(1), said([2, 3]), observed(4), said([5, 6, 7])];
    const advantagesOf = (credit: Algorithm["credit"]) => {
      const groups = [[conversation({ reward: 1, nodes })]];
      return scored(toRows({ groups, algorithm: { ...plain, credit } }).rows).map(
        ({ advantage }) => advantage,
      );
    };
    expect(advantagesOf(() => [{ level: "trajectory", value: 3 }])).toEqual([3, 3, 3, 3, 3]);
    expect(advantagesOf(() => [{ level: "turn", values: [1, -1] }])).toEqual([1, 1, -1, -1, -1]);
    expect(advantagesOf(() => [{ level: "token", values: Float32Array.of(1, 2, 3, 4, 5) }])).toEqual([
      1, 2, 3, 4, 5,
    ]);
    expect(() => advantagesOf(() => [{ level: "turn", values: [1] }])).toThrow(
      "expected credit for 2 turns, got 1",
    );
  });

  it("weigh token losses as the aggregation says: the vector of [1] and [2, 2, 5]", () => {
    const lossOf = (aggregation: Aggregation) => {
      const groups = [
        [conversation({ reward: 1, nodes: [observed(9), said([1])] })],
        [conversation({ reward: 1, nodes: [observed(9), said([2, 2, 5])] })],
      ];
      const { rows } = toRows({ groups, algorithm: { ...plain, aggregation } });
      return scored(rows).reduce((total, { target, weight }) => total + target * weight, 0);
    };
    expect(lossOf({ name: "token-mean" })).toBeCloseTo(2.5, 6);
    expect(lossOf({ name: "trajectory-mean-token-sum" })).toBeCloseTo(5, 6);
    expect(lossOf({ name: "trajectory-mean-token-mean" })).toBeCloseTo(2, 6);
    expect(lossOf({ name: "trajectory-mean-token-sum-norm", length: 8 })).toBeCloseTo(0.625, 6);
  });

  it("count what two branches share once, and let them share their rollout's weight", () => {
    const straight = conversation({ reward: 1, nodes: [observed(1), said([2, 3, 4, 5])] });
    const groups = [[branchedTrajectory({ reward: 1 })], [straight]];
    const aggregation = { name: "trajectory-mean-token-mean" } as const;
    const { rows, metrics } = toRows({ groups, algorithm: { ...plain, aggregation } });
    expect(rows.map(({ tokens }) => tokens.length)).toEqual([4, 4, 4]);
    const sumOf = (row: TrainRow) => row.weights.reduce((total, weight) => total + weight, 0);
    expect(sumOf(rows[0]!) + sumOf(rows[1]!)).toBeCloseTo(0.5, 6);
    expect(sumOf(rows[2]!)).toBeCloseTo(0.5, 6);
    expect(scored(rows.slice(0, 2)).map(({ target }) => target)).toEqual([2, 3, 5, 7]);
    expect(metrics.scoredTokens).toBe(8);
  });

  it("score every token of a tree exactly once, however it forks, and give its rollout a weight of 1", () => {
    for (let seed = 0; seed < 200; seed++) {
      const random = createRandom(seed);
      const written: number[] = [];
      const nodes = Array.from({ length: 2 + random.integer(12) }, (_, index) => {
        // token ids are unique, so that each can be found again
        const tokens = Array.from(
          { length: 1 + random.integer(3) },
          (_each, position) => 10 * index + position,
        );
        const parent = index === 0 || random.integer(8) === 0 ? null : random.integer(index);
        if (parent === null || random.integer(2) === 0) return { ...observed(...tokens), parent };
        written.push(...tokens);
        return {
          ...said(
            tokens,
            tokens.map((token) => -token / 8),
          ),
          parent,
        };
      });
      const tree = conversation({ reward: 1, nodes: [] });
      tree.nodes = nodes.map((node) => ({ ...node, turn: 0, message: null, policyVersion: 0 }));
      const { rows } = toRows({
        groups: [[tree]],
        algorithm: { ...plain, aggregation: { name: "trajectory-mean-token-mean" } },
      });
      const found = scored(rows);
      expect(found.map(({ target }) => target).sort((a, b) => a - b)).toEqual(written);
      for (const { target, logprob } of found) expect(logprob).toBe(-target / 8);
      if (written.length > 0)
        expect(found.reduce((total, { weight }) => total + weight, 0)).toBeCloseTo(1, 5);
      for (const { tokens, targets } of rows) {
        const path = [...tokens, targets.at(-1)!];
        expect(leavesOf(tree).some((leaf) => isPrefix(path, pathTo(tree, leaf)))).toBe(true);
      }
    }
  });
});

describe("what is left out of a batch", () => {
  const attempt = (reward: number | null, status: "completed" | "environment_error" = "completed") =>
    conversation({ reward, status, nodes: [observed(1), said([2])] });

  it("is a trajectory without a reward, before credit is computed: the world's failure is no zero", () => {
    const groups = [[attempt(1), attempt(0), attempt(null, "environment_error")]];
    const { rows, metrics } = toRows({ groups, algorithm: grpo() });
    expect(metrics.dropped).toBe(1);
    expect(scored(rows).map(({ advantage }) => advantage)).toEqual([
      expect.closeTo(Math.SQRT1_2, 5),
      expect.closeTo(-Math.SQRT1_2, 5),
    ]);
  });

  it("is a tied group, for an algorithm that learns nothing from it", () => {
    const groups = [
      [attempt(1), attempt(1)],
      [attempt(1), attempt(0)],
    ];
    expect(toRows({ groups, algorithm: dapo() }).rows).toHaveLength(2);
    expect(toRows({ groups, algorithm: dapo() }).metrics).toMatchObject({ groups: 2, tiedGroups: 1 });
    expect(toRows({ groups, algorithm: plain }).rows).toHaveLength(4);
  });

  it("tells a tie by the attempts that have a reward: a failure of the world breaks none", () => {
    expect(isTied([attempt(1), attempt(null), attempt(1)])).toBe(true);
    expect(isTied([attempt(null), attempt(null)])).toBe(true);
    expect(isTied([attempt(1), attempt(null), attempt(0)])).toBe(false);
  });

  it("makes an empty batch say why it is empty, in one sentence", () => {
    const reasonOf = (groups: Parameters<typeof toRows>[0]["groups"]) => {
      const { rows, reason } = toRows({ groups, algorithm: grpo() });
      expect(rows).toEqual([]);
      return reason;
    };
    expect(reasonOf([])).toMatch(/no group/);
    expect(reasonOf([[attempt(null), attempt(null)]])).toMatch(/no trajectory has a reward/);
    expect(reasonOf([[attempt(1), attempt(1)]])).toMatch(/all groups are tied/);
    const silent = (reward: number) => conversation({ reward, nodes: [observed(1, 2, 3)] });
    expect(reasonOf([[silent(1), silent(0)]])).toMatch(/everything is masked/);
    expect(toRows({ groups: [[attempt(0)], [attempt(0)]], algorithm: plain })).toMatchObject({
      rows: [],
      reason: "all credit is zero: reinforce found no attempt better or worse",
    });
  });

  it("is never a trajectory that cannot be learned from: those are refused by name", () => {
    const wordless = conversation({ id: "a/0", reward: 1, nodes: [observed(), said([])] });
    expect(() => toRows({ groups: [[wordless]], algorithm: plain })).toThrow(/a\/0: expected tokens/);
    const played = conversation({ id: "b/0", reward: 1, nodes: [observed(1), said([2], null)] });
    expect(() => toRows({ groups: [[played]], algorithm: plain })).toThrow(
      /b\/0: expected log-probabilities/,
    );
  });

  it("is never a row of which something was not observed: the node and what is missing are named", () => {
    const nodes = [observed(1), said([2, 3]), observed(4), said([5])];
    const withGap = (index: number, gap: Gap[]) => {
      const trajectory = conversation({ id: "c/0", reward: 1, nodes });
      Object.assign(
        trajectory.nodes[index]!,
        { gap },
        gap.includes("tokens") && { tokens: new Int32Array(0) },
      );
      return [[trajectory]];
    };
    const rowsOf = (groups: Trajectory[][]) => toRows({ groups, algorithm: plain }).rows;
    const refusal =
      'trajectory c/0, node 2 (turn 0): its tokens are not known (gap "tokens"); it cannot be reinforced';
    expect(() => rowsOf(withGap(2, ["tokens"]))).toThrow(refusal);
    expect(() => rowsOf(withGap(3, ["prompt"]))).toThrow(/node 3 .* by its messages and not by its tokens/);
    expect(() => rowsOf(withGap(1, ["logprobs"]))).toThrow(/node 1 .* log-probabilities .* are not known/);
    expect(rowsOf(withGap(3, ["rest"]))).toHaveLength(1);
    // what nothing that was written stands behind is not needed
    const [[tail]] = withGap(3, ["tokens"]) as [[Trajectory]];
    tail.nodes[3]!.mask = false;
    expect(rowsOf([[tail]])).toHaveLength(1);
  });
});

describe("batch metrics", () => {
  it("say how far apart rewards are within groups and credit over the batch", () => {
    const attempt = (reward: number) => conversation({ reward, nodes: [observed(1), said([2])] });
    const { metrics } = toRows({
      groups: [
        [attempt(1), attempt(0), attempt(0), attempt(1)],
        [attempt(5), attempt(5)],
      ],
      algorithm: grpo(),
    });
    expect(metrics.rewardDeviation).toBeCloseTo(0.57735 / 2, 5);
    expect(metrics.advantageDeviation).toBeCloseTo(1, 5);
  });
});
