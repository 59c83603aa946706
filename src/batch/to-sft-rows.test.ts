import { describe, expect, it } from "vitest";
import { branchedTrajectory, conversation, observed, said } from "../testing/trajectories.ts";
import { toSftRows } from "./to-sft-rows.ts";

describe("SFT rows", () => {
  it("weigh every token that a player wrote alike, and no other", () => {
    const expert = conversation({
      reward: 1,
      nodes: [observed(1, 2), said([3], null), observed(4), said([5, 6], null)],
    });
    const short = conversation({ reward: null, nodes: [observed(1), said([7], null)] });
    const rows = toSftRows([expert, short]);
    expect(rows.map(({ weights }) => [...weights])).toEqual([[0, 0.25, 0, 0.25, 0.25], [0.25]]);
    expect(rows.every(({ logprobs, advantages }) => logprobs === undefined && advantages === undefined)).toBe(
      true,
    );
  });

  it("have a total weight of 1, branches or not, so that the loss is a mean", () => {
    const rows = toSftRows([branchedTrajectory({ reward: 1 }), branchedTrajectory({ reward: 0 })]);
    const total = rows.flatMap(({ weights }) => [...weights]).reduce((sum, weight) => sum + weight, 0);
    expect(total).toBeCloseTo(1, 6);
  });

  it("leave out a conversation in which nobody wrote, and refuse when there is none but those", () => {
    const silent = conversation({ reward: 1, nodes: [observed(1, 2)] });
    expect(toSftRows([silent, conversation({ reward: 1, nodes: [observed(1), said([2])] })])).toHaveLength(1);
    expect(() => toSftRows([silent])).toThrow("everything is masked: none of 1 trajectories");
  });

  it("refuse a trajectory that was never tokenised, by name", () => {
    const wordless = conversation({ id: "d/3", reward: 1, nodes: [observed(), said([], null)] });
    expect(() => toSftRows([wordless])).toThrow("trajectory d/3: expected tokens");
  });

  it("refuse words whose tokens were not observed, say what helps, and take a prompt known by its words", () => {
    const captured = conversation({ id: "e/0", reward: 1, nodes: [observed(1), said([2], null)] });
    captured.nodes[1]!.gap = ["prompt", "logprobs"];
    expect(toSftRows([captured])).toHaveLength(1);
    Object.assign(captured.nodes[0]!, { gap: ["tokens"], tokens: new Int32Array(0) });
    expect(() => toSftRows([captured])).toThrow(
      'trajectory e/0, node 0 (turn 0): its tokens are not known (gap "tokens"); re-tokenise it from its messages',
    );
  });
});
