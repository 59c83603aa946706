import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { dapo } from "./dapo.ts";
import { drGrpo } from "./dr-grpo.ts";
import { grpo } from "./grpo.ts";
import { reinforce } from "./reinforce.ts";
import { reinforcePlusPlus, reinforcePlusPlusBaseline } from "./reinforce-plus-plus.ts";
import { rloo } from "./rloo.ts";

const directory = join(import.meta.dirname, "../../docs/algorithms");
const index = readFileSync(join(directory, "README.md"), "utf8");

describe("the algorithms' pages", () => {
  it.each([
    ["grpo()", grpo()],
    ["rloo()", rloo()],
    ["reinforce()", reinforce()],
    ["reinforcePlusPlus()", reinforcePlusPlus()],
    ["reinforcePlusPlusBaseline()", reinforcePlusPlusBaseline()],
    ["drGrpo({ maxTokens })", drGrpo({ maxTokens: 64 })],
    ["dapo()", dapo()],
  ])("say of %s what its defaults are", (call, { loss, aggregation, learnsFromTies }) => {
    const row = index.split("\n").find((line) => line.startsWith(`| [\`${call}\`]`));
    const [, , , ties, lossCell, aggregationCell] = row!.split("|").map((cell) => cell.trim());
    expect(ties!.startsWith(learnsFromTies ? "yes" : "no")).toBe(true);
    expect(lossCell!.startsWith(loss.name)).toBe(true);
    if (loss.name === "ppo") expect(lossCell!.endsWith(`${loss.clipLow} to ${loss.clipHigh}`)).toBe(true);
    expect(aggregationCell).toBe(
      aggregation.name === "token-mean" ? "averaged over tokens" : "summed over a constant length",
    );
  });

  it("are all in the index, and name no page or file that is not there", () => {
    for (const page of readdirSync(directory)) {
      if (page !== "README.md") expect(index).toContain(`(${page})`);
      const text = readFileSync(join(directory, page), "utf8");
      const links = [...text.matchAll(/\]\(([^)#]+)/g)].map((match) => join(directory, match[1]!));
      const paths = [...text.matchAll(/`(src\/[^`]+)`/g)].map((match) => join(directory, "../..", match[1]!));
      for (const path of [...links, ...paths]) expect([path, existsSync(path)]).toEqual([path, true]);
    }
  });
});
