import { describe, expect, it } from "vitest";
import type { Environment, Session, Task } from "../spec/environment.ts";
import type { Tool } from "../spec/tool.ts";
import { drawFault, type FaultRates, faults, parseFaultRates } from "./faults.ts";

const task: Task = { id: "t", environment: "world", kind: "k", input: null, split: "train" };
const signal = new AbortController().signal;

const bell: Tool = {
  name: "bell",
  description: "",
  parameters: { type: "object" },
  check: (value) => ("bad" in value ? { ok: false, issues: "bad" } : { ok: true, value }),
  execute: () => "ring",
};

const world: Environment = {
  name: "world",
  description: "",
  tasks: () => [task],
  rewards: {},
  start: () => ({
    messages: [{ role: "user", content: "go" }],
    tools: [bell],
    respond: () => [{ role: "user", content: "and?" }],
    outcome: () => "whole",
  }),
};

const sick = (rates: Partial<FaultRates>, seed = 1) => faults(world, { seed, rates, delayMs: 4 });

/** What the calls of a session came to, one after the other. */
async function course(environment: Environment, context: { seed: number; attempt?: number }, calls = 12) {
  const asked = { signal, ...context };
  let session: Session;
  try {
    session = await environment.start(task, asked);
  } catch (error) {
    return [(error as Error).message];
  }
  const heard: string[] = [];
  for (let call = 0; call < calls; call++) {
    const ringing = (async () => session.tools[0]!.execute({}, { signal }))();
    const text = await Promise.race([
      ringing.then(
        (value) => (value === "ring" ? "ring" : "garbage"),
        (error: Error) => error.message,
      ),
      new Promise<string>((resolve) => setTimeout(resolve, 25, "nothing")),
    ]);
    heard.push(text);
  }
  return heard;
}

describe("faults", () => {
  it("strike where the seed says: the same session, attempt and call, the same fault", async () => {
    const rates = { fail: 0.2, delay: 0.1, garbage: 0.2, crash: 0.1 };
    const first = await course(sick(rates), { seed: 5 });
    expect(await course(sick(rates), { seed: 5 })).toEqual(first);
    expect(new Set(first).size).toBeGreaterThan(1);
    expect(await course(sick(rates, 2), { seed: 5 })).not.toEqual(first);
    expect(await course(sick(rates), { seed: 6 })).not.toEqual(first);
    expect(await course(sick(rates), { seed: 5, attempt: 1 })).not.toEqual(first);
  });

  it("strike as often as they are told to", () => {
    const rates = { fail: 0.1, delay: 0.2, hang: 0.05, garbage: 0.15, crash: 0.3 };
    const count: Record<string, number> = {};
    for (let call = 0; call < 20_000; call++) {
      const point = { environment: "world", task: "t", session: call, attempt: 0 };
      const { fault = "none" } = drawFault({ seed: 1, rates }, { ...point, call: 0 });
      count[fault] = (count[fault] ?? 0) + 1;
      if (drawFault({ seed: 1, rates }, { ...point, call: "start" }).fault === "crash")
        count["crash"] = (count["crash"] ?? 0) + 1;
    }
    for (const [name, rate] of Object.entries({ ...rates, none: 0.5 }))
      expect(count[name]! / 20_000, name).toBeCloseTo(rate, 1.5);
  });

  it("are failures, delays, hangs, garbage and crashes at the start", async () => {
    expect(await course(sick({ fail: 1 }), { seed: 1 }, 2)).toEqual(["injected failure", "injected failure"]);
    expect(await course(sick({ delay: 1 }), { seed: 1 }, 2)).toEqual(["ring", "ring"]);
    expect(await course(sick({ hang: 1 }), { seed: 1 }, 1)).toEqual(["nothing"]);
    expect(await course(sick({ garbage: 1 }), { seed: 1 }, 2)).toEqual(["garbage", "garbage"]);
    expect(await course(sick({ crash: 1 }), { seed: 1 })).toEqual(["injected crash at the start"]);
    expect(await course(sick({}), { seed: 1 }, 3)).toEqual(["ring", "ring", "ring"]);
  });

  it("strike answers as well as tools, with garbage that cannot be taken for the end", async () => {
    for (let seed = 0; seed < 20; seed++) {
      const session = await sick({ garbage: 1 }).start(task, { seed, signal });
      const answer: unknown = await session.respond!({ role: "assistant", content: "hello" });
      expect(answer).toBeDefined();
      expect(answer).not.toEqual([]);
      expect(answer).not.toMatchObject([{ content: expect.any(String) }]);
    }
    const failing = await sick({ fail: 1 }).start(task, { seed: 1, signal });
    await expect(failing.respond!({ role: "assistant", content: "hello" })).rejects.toThrow("injected");
  });

  it("leave the policy's own mistakes and the outcome as they are", async () => {
    const session = await sick({ fail: 1 }).start(task, { seed: 1, signal });
    expect(await session.tools[0]!.check({ bad: 1 })).toEqual({ ok: false, issues: "bad" });
    expect(await session.outcome!()).toBe("whole");
  });

  it.each<[Partial<FaultRates>, string]>([
    [{ fail: 1.5 }, "faults: expected fail between 0 and 1, got 1.5"],
    [{ fail: 0.6, hang: 0.6 }, "exclude each other, expected at most 1 together, got 1.2"],
    [{ rain: 0.1 } as Partial<FaultRates>, 'no fault "rain"; there are fail, delay, hang, crash, garbage'],
  ])("refuse chances that are none: %j", (rates, message) => {
    expect(() => faults(world, { seed: 0, rates })).toThrow(message);
  });

  it("are read from a line", () => {
    expect(parseFaultRates("fail=0.1, hang=0.05")).toEqual({ fail: 0.1, hang: 0.05 });
    expect(() => parseFaultRates("fail")).toThrow('faults: expected NAME=CHANCE, got "fail"');
    expect(() => parseFaultRates("fail=often")).toThrow("expected fail between 0 and 1, got NaN");
    expect(() => parseFaultRates("snow=1")).toThrow('no fault "snow"');
  });
});
