import { describe, expect, it } from "vitest";
import { checkEnvironment, type Play } from "../environment/health.ts";
import { toReward } from "../reward/to-reward.ts";
import { playWithPlayer } from "../rollout/player.ts";
import type { Environment, Task } from "../spec/environment.ts";
import { environmentContract } from "../testing/environment-contract.ts";
import { toGradeContext } from "../trajectory/grade-context.ts";
import { atlas } from "./atlas/atlas.ts";
import { atlasCountries } from "./atlas/countries.ts";
import { evaluate } from "./calculator/expression.ts";
import { gym } from "./index.ts";

const play: Play = ({ environment, task, player, seed }) =>
  playWithPlayer({
    environment,
    request: { task, step: 0, group: task.id, sample: 0, seed, sampling: { temperature: 0 } },
    player,
    playerName: "test",
    grade: (trajectory, { rewards }) => toReward(rewards, toGradeContext(trajectory)),
  });

function take(environment: Environment, count: number): Task[] {
  const tasks: Task[] = [];
  for (const task of environment.tasks({ split: "train", seed: 5 })) if (tasks.push(task) >= count) break;
  return tasks;
}

for (const make of [...Object.values(gym), () => atlas({ kinds: ["capital-second-neighbor-field"] })]) environmentContract(make());

describe.each(Object.entries(gym))("%s", (_name, make) => {
  const environment = make();

  it("is healthy", async () => {
    expect(await checkEnvironment(environment, { play, tasks: 60 })).toMatchObject({
      ok: true,
      findings: [],
    });
  });

  it("has a hasty expert that is well-formed and wrong where more than one call is needed", async () => {
    const hasty = environment.experts?.["hasty"];
    if (!hasty) return expect(environment.name).toBe("echo");
    const played = await Promise.all(
      take(environment, 80).map((task) =>
        play({ environment, task, player: hasty(task, { seed: 1 }), seed: 1 }),
      ),
    );
    expect(played.every(({ rewards }) => rewards["format"] === 1)).toBe(true);
    const share = played.filter(({ rewards }) => rewards["correct"] === 1).length / played.length;
    expect(share).toBeGreaterThan(0.05);
    expect(share).toBeLessThan(0.6);
    return undefined;
  });
});

describe("the worlds", () => {
  it("know 193 countries, no two of which share a capital", () => {
    expect(atlasCountries.length).toBeGreaterThan(185);
    expect(new Set(atlasCountries.map(({ capital }) => capital)).size).toBe(atlasCountries.length);
    expect(atlasCountries.find(({ name }) => name === "Peru")).toMatchObject({
      capital: "Lima",
      currency: "PEN",
      region: "Americas",
    });
  });

  it("compute one operation and no more", () => {
    expect(evaluate(" 12 * -7")).toBe(-84);
    for (const expression of ["1+2+3", "process.exit()", "2**9", "1/2", "", "999999999999*999999999999"])
      expect(() => evaluate(expression)).toThrow();
  });
});
