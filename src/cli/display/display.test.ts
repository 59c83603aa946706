import { stripVTControlCharacters } from "node:util";
import { describe, expect, it } from "vitest";
import { drawCurve } from "./curve.ts";
import { count, duration, percent } from "./format.ts";
import { drawView, emptyView, follow } from "./progress.ts";
import { drawReports } from "./report.ts";
import { drawTable } from "./table.ts";

describe("what is drawn", () => {
  it("is a curve that rises from the bottom left to the top right", () => {
    const lines = drawCurve([0, 0.25, 0.5, 0.75, 1], { width: 30, height: 3, low: 0, high: 1 });
    expect(lines).toEqual(
      ["1 ┤ ⢀⠎", "  ┤⢀⠎", "0 ┤⠎"].map((line) => expect.stringContaining(line.slice(0, 3))),
    );
    expect(lines[0]!.trimEnd().length).toBeGreaterThan(lines[2]!.trimEnd().length - 1);
  });

  it("fits its width whatever the number of values", () => {
    for (const length of [0, 1, 2, 7, 1000]) {
      const values = Array.from({ length }, (_, index) => Math.sin(index / 9));
      for (const line of drawCurve(values, { width: 40, height: 5, low: -1, high: 1 }))
        expect(Array.from(line).length).toBeLessThanOrEqual(40);
    }
  });

  it("is a table whose numbers stand under each other", () => {
    expect(
      drawTable(
        ["name", "value"],
        [
          ["a", "1"],
          ["long name", "100"],
        ],
      ),
    ).toEqual(["name       value", "─────────  ─────", "a              1", "long name    100"]);
  });

  it("says numbers as people do", () => {
    expect([duration(4.6), duration(65), duration(3700)]).toEqual(["5s", "1m 05s", "1h 01m"]);
    expect([count(12), count(12_345), count(1_800_000)]).toEqual(["12", "12.3k", "1.8M"]);
    expect(percent(0.935)).toBe("94 %");
  });
});

describe("the view of a run", () => {
  const started = follow(emptyView(), {
    type: "run-start",
    directory: "r",
    resumed: false,
    stages: [
      { name: "sft", steps: 4 },
      { name: "rl", steps: 2 },
    ],
  });
  const metrics = { reward: 0.5, turns: 2, tokensTrained: 100, tokensSampled: 50, seconds: 0.1 };

  it("follows stages, steps and the time that is left", () => {
    let view = follow(started, { type: "stage-start", stage: "rl", steps: 2, stepsDone: 0 });
    for (const step of [0, 1])
      view = follow(view, { type: "step", stage: "rl", step, steps: 2, metrics, secondsLeft: 65 });
    expect(view.stages.map(({ stepsDone }) => stepsDone)).toEqual([4, 2]);
    const text = stripVTControlCharacters(drawView(view, { width: 60 }).join("\n"));
    expect(text).toContain("✓ sft");
    expect(text).toContain("rl 2/2 · reward 0.50 · turns 2.0 · 1500 tokens/s · 1m 05s left");
    for (const line of text.split("\n")) expect(Array.from(line).length).toBeLessThanOrEqual(72);
  });

  it("ends in a table of environments and policies", () => {
    const own = {
      success: 0.5,
      low: 0.4,
      high: 0.6,
      episodes: 100,
      dropped: 0,
      turns: 2,
      toolCalls: 1.25,
      toolFailures: 0.1,
      sampledTokens: 30,
      reward: 0.5,
      kinds: {},
      statuses: {},
    };
    const report = { environments: { atlas: own, files: own }, success: 0.5, tokensSampled: 1 };
    const lines = drawReports(
      new Map([
        ["sft", report],
        ["rl", report],
      ]),
    );
    expect(lines[0]).toMatch(
      /environment +policy +success +95 % interval +turns +calls +failed calls +episodes/,
    );
    expect(lines.filter((line) => line.includes("40 % – 60 %"))).toHaveLength(4);
    expect(lines.at(-1)).toMatch(/^mean +rl +50 %/);
  });
});
