import { describe, expect, it } from "vitest";
import { createRandom } from "../kit/random.ts";
import type { GradeContext, RewardComponent } from "../spec/environment.ts";
import { correct, economy, format, toolFailures, toolUse } from "./components.ts";
import { toReward } from "./to-reward.ts";

type Played = Partial<Omit<GradeContext, "calls">> & { calls?: number; failures?: number };

function played({ calls = 0, failures = 0, ...rest }: Played): GradeContext {
  return {
    task: { id: "1", environment: "quiz", kind: "sum", input: "6*7", answer: "42", split: "train" },
    messages: [],
    answer: "<answer>42</answer>",
    calls: Array.from({ length: calls }, (_, turn) => ({
      turn,
      id: "call_0",
      name: "calc",
      arguments: {},
      observation: "42",
      failure: turn < failures ? "tool_error" : null,
      latencyMs: 1,
    })),
    turns: calls + 1,
    sampledTokens: 10,
    status: "completed",
    outcome: undefined,
    ...rest,
  };
}

const wrong = "<answer>41</answer>";

describe("correct", () => {
  it.each([
    ["<answer>42</answer>", 1],
    ["the sum is <answer> 42.0 </answer>, I think", 1],
    ["<answer>41</answer> no: <answer>42</answer>", 1],
    ["<answer>42</answer> no: <answer>41</answer>", 0],
    ["42", 1],
    ["it is 42", 0],
    ["<answer></answer>", 0],
    ["", 0],
  ])("reads the answer of %j", (answer, reward) => {
    expect(correct().grade(played({ answer }))).toBe(reward);
  });

  it.each(["max_turns", "max_tokens", "parse_error", "policy_error"] as const)(
    "is 0 for an episode that did not end by itself (%s)",
    (status) => {
      expect(correct().grade(played({ status }))).toBe(0);
    },
  );

  it("is 0 where a task has no answer", () => {
    const { answer: _, ...task } = played({}).task;
    expect(correct().grade(played({ task, answer: "undefined" }))).toBe(0);
  });
});

describe("format", () => {
  it("asks for the tags and for an end, not for a right answer", () => {
    expect(format().grade(played({ answer: wrong }))).toBe(1);
    expect(format().grade(played({ answer: "42" }))).toBe(0);
    expect(format().grade(played({ status: "max_turns" }))).toBe(0);
  });
});

describe("toolUse", () => {
  // OTC-PPO with c = 3 and m = 0 … 4 calls
  it.each([
    [0, 1],
    [1, 0.809],
    [2, 0.6235],
    [3, 0.5],
    [4, 0.4154],
  ])("gives a correct episode of %d calls the paper's factor", (calls, factor) => {
    expect(toolUse().grade(played({ calls }))).toBeCloseTo(factor, 4);
    expect(toolUse().grade(played({ calls, answer: wrong }))).toBe(0);
  });
});

describe("toolFailures", () => {
  it("is the share of failed calls, and nothing where none was made", () => {
    expect(toolFailures().grade(played({ calls: 4, failures: 1 }))).toBe(0.25);
    expect(toolFailures().grade(played({ calls: 0 }))).toBeNull();
  });
});

describe("economy", () => {
  it("costs about its price while little was used", () => {
    expect(economy({ perCall: 0.001 }).grade(played({ calls: 2 }))).toBeCloseTo(-0.002, 5);
    expect(economy({ perToken: 0.0001 }).grade(played({ sampledTokens: 10 }))).toBeCloseTo(-0.001, 5);
  });

  it.each([{ most: 1 }, { most: 0 }, { perCall: -1 }, { perToken: Number.NaN }])(
    "refuses a price that could turn the order round (%j)",
    (options) => {
      expect(() => economy(options)).toThrow(expect.objectContaining({ kind: "usage" }));
    },
  );
});

it("never puts a correct answer below a wrong one, however many calls and tokens it took", async () => {
  const random = createRandom(11);
  for (let trial = 0; trial < 3000; trial++) {
    const most = 0.05 + 0.9 * random.next();
    const weight = 0.1 + 3 * random.next();
    const components: Record<string, RewardComponent> = {
      correct: correct({ weight }),
      // what a wrong answer may earn beside: less than (1 − most)·weight
      format: format({ weight: random.next() * (1 - most) * weight * 0.99 }),
      toolUse: toolUse({ weight: random.next(), smoothing: 1 + random.integer(10) }),
      economy: economy({
        weight,
        most,
        perCall: 10 ** (random.integer(8) - 5),
        perToken: 10 ** (random.integer(8) - 7),
      }),
    };
    const use = () => ({
      calls: random.integer(2 ** random.integer(12)),
      sampledTokens: 10 ** random.integer(9),
    });
    const right = await toReward(components, played({ ...use(), answer: "42" }));
    const mistaken = await toReward(components, played({ ...use(), answer: wrong }));
    const tagged = await toReward(components, played({ ...use() }));
    expect(tagged.reward).toBeGreaterThan(mistaken.reward!);
    expect(right.reward).toBeGreaterThan(mistaken.reward! - components["format"]!.weight);
  }
});

it("prefers fewer calls and fewer tokens among correct answers", async () => {
  const components = { correct: correct(), economy: economy({ perCall: 0.02, perToken: 0.0005 }) };
  const reward = async (use: Played) => (await toReward(components, played(use))).reward!;
  expect(await reward({ calls: 1 })).toBeGreaterThan(await reward({ calls: 2 }));
  expect(await reward({ sampledTokens: 20 })).toBeGreaterThan(await reward({ sampledTokens: 90 }));
});
