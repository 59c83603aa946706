import { describe, expect, it } from "vitest";
import { limitDefaults, reachedLimit, resolveLimits } from "./limits.ts";

describe("limits", () => {
  it("of the run win over those of the environment, which win over the defaults", () => {
    expect(resolveLimits()).toEqual(limitDefaults);
    expect(resolveLimits({ turns: 3, tokens: 100 }, undefined, { turns: 5 })).toEqual({
      ...limitDefaults,
      turns: 5,
      tokens: 100,
    });
    expect(resolveLimits({ turns: 3 }, { turns: undefined }).turns).toBe(3);
    expect(resolveLimits({ wallTimeMs: Number.POSITIVE_INFINITY }).wallTimeMs).toBe(Number.POSITIVE_INFINITY);
  });

  it.each([0, -1, 2.5, Number.NaN, "8" as unknown as number])("refuse %s", (turns) => {
    expect(() => resolveLimits({ turns })).toThrow(
      `limit turns: expected a whole number above 0, got ${turns}`,
    );
  });

  it("refuse a name that is none", () => {
    expect(() => resolveLimits({ turn: 3 } as object)).toThrow(
      "limit turn: there is no such limit; there are turns",
    );
  });

  it("give the status of the first that is reached: context, tokens, turns", () => {
    const bounds = { limits: resolveLimits({ tokens: 100, turns: 4 }), contextLength: 200 };
    expect(reachedLimit({ tokens: 200, turns: 4 }, bounds)?.status).toBe("context_overflow");
    expect(reachedLimit({ tokens: 199, turns: 4 }, bounds)?.status).toBe("max_tokens");
    expect(reachedLimit({ tokens: 99, turns: 4 }, bounds)?.status).toBe("max_turns");
    expect(reachedLimit({ tokens: 99, turns: 3 }, bounds)).toBeUndefined();
  });
});
