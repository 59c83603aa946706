import { describe, expect, it } from "vitest";
import { mapPool } from "./pool.ts";

const tick = () => new Promise((resolve) => setImmediate(resolve));

describe("mapPool", () => {
  it("keeps the order of the items and never runs more than the limit", async () => {
    let running = 0;
    let most = 0;
    const results = await mapPool([5, 1, 4, 2, 3], 2, async (item) => {
      most = Math.max(most, ++running);
      for (let index = 0; index < item; index++) await tick();
      running--;
      return item * 10;
    });
    expect(results).toEqual([50, 10, 40, 20, 30]);
    expect(most).toBe(2);
  });

  it("throws the first failure after what was running has ended", async () => {
    let ended = 0;
    const run = mapPool([1, 2, 3, 4, 5, 6], 2, async (item) => {
      await tick();
      ended++;
      if (item === 2) throw new Error("item 2 failed");
    });
    await expect(run).rejects.toThrow("item 2 failed");
    expect(ended).toBeLessThan(6);
  });

  it("stops when aborted", async () => {
    const controller = new AbortController();
    controller.abort(new Error("stop"));
    await expect(mapPool([1], 1, async () => 1, controller.signal)).rejects.toThrow("stop");
  });
});
