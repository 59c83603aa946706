import { describe, expect, it } from "vitest";
import { checkEnvironment, type Play } from "../../environment/health.ts";
import { toReward } from "../../reward/to-reward.ts";
import { playWithPlayer } from "../../rollout/player.ts";
import type { Environment, Task } from "../../spec/environment.ts";
import { environmentContract } from "../../testing/environment-contract.ts";
import { playMessages } from "../../testing/play-messages.ts";
import { toGradeContext } from "../../trajectory/grade-context.ts";
import { rooms } from "./catalogue.ts";
import { openGame } from "./game.ts";
import type { Goal } from "./goal.ts";
import { createHouse, type Layout } from "./house.ts";
import { household } from "./household.ts";
import { editLikeness, nearestAction, wordLikeness } from "./nearest-action.ts";
import { actionsNeeded, type HouseholdInput } from "./tasks.ts";

const environment = household();
environmentContract(environment, { tasks: 100 });

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

const kitchen: Layout = {
  room: "kitchen",
  receptacles: {
    "countertop 1": ["mug 1", "bread 1"],
    "cabinet 1": ["mug 2"],
    "fridge 1": ["egg 1"],
    "microwave 1": [],
    "sinkbasin 1": ["spoon 1"],
    "diningtable 1": [],
    "shelf 1": [],
  },
};
const bedroom: Layout = {
  room: "bedroom",
  receptacles: { "desk 1": ["desklamp 1", "pen 1"], "bed 1": ["book 1"], "drawer 1": [] },
};
const settings = { steps: 20, repeats: 3, repair: "none" } as const;
const gameOf = (
  goal: Goal,
  layout: Layout = kitchen,
  options: Partial<Parameters<typeof openGame>[1]> = {},
) => openGame({ goal, task: "as said", layout }, { ...settings, ...options });
const mugOnTable: Goal = { kind: "place", object: "mug", receptacle: "diningtable" };

describe("a house", () => {
  it("shows what is in a closed receptacle only once it is open", () => {
    const house = createHouse(kitchen);
    expect(house.entered).toContain("cabinet 1");
    expect(house.act("open cabinet 1")).toBeUndefined();
    expect(house.act("go to cabinet 1")).toBe("You are at the cabinet 1. The cabinet 1 is closed.");
    expect(house.act("take mug 2 from cabinet 1")).toBeUndefined();
    expect(house.act("open cabinet 1")).toContain("In it you see a mug 2.");
    expect(house.act("close cabinet 1")).toContain("closed");
    expect(house.act("take mug 2 from cabinet 1")).toBeUndefined();
  });

  it("lets one thing be carried", () => {
    const house = createHouse(kitchen);
    house.act("go to countertop 1");
    expect(house.admissible()).toContain("take bread 1 from countertop 1");
    house.act("take mug 1 from countertop 1");
    expect(house.admissible().filter((action) => action.startsWith("take "))).toEqual([]);
    expect(house.act("inventory")).toBe("You carry a mug 1.");
    expect(house.act("put mug 1 in/on countertop 1")).toBeDefined();
    expect(house.act("inventory")).toBe("You carry nothing.");
  });

  it("cleans, heats and cools what can be, and what was heated is no longer cool", () => {
    const house = createHouse(kitchen);
    house.act("go to countertop 1");
    house.act("take mug 1 from countertop 1");
    expect(house.act("heat mug 1 with microwave 1")).toBeUndefined();
    house.act("go to fridge 1");
    house.act("cool mug 1 with fridge 1");
    house.act("go to sinkbasin 1");
    house.act("clean mug 1 with sinkbasin 1");
    expect(house.act("examine mug 1")).toBe("A mug 1; it is clean and cool.");
    house.act("go to microwave 1");
    house.act("heat mug 1 with microwave 1");
    expect(house.act("examine mug 1")).toBe("A mug 1; it is clean and hot.");
    house.act("go to countertop 1");
    house.act("put mug 1 in/on countertop 1");
    house.act("take bread 1 from countertop 1");
    house.act("go to sinkbasin 1");
    expect(house.act("clean bread 1 with sinkbasin 1")).toBeUndefined();
  });

  it("can do all that it lists, and nothing else", () => {
    for (const task of take(environment, 30)) {
      const { layout } = task.input as HouseholdInput;
      const house = createHouse(layout);
      for (const action of ["go to nowhere 1", "", "look around", "toString"])
        expect(house.act(action)).toBeUndefined();
      for (let step = 0; step < 30; step++) {
        const listed = house.admissible();
        expect(new Set(listed).size).toBe(listed.length);
        const action = listed[(step * 7) % listed.length]!;
        expect(house.act(action), action).toMatch(/\.$/);
      }
    }
  });
});

describe("a goal", () => {
  it("is reached by bringing the thing, and counts how far it got", () => {
    const game = gameOf(mugOnTable);
    game.act("go to countertop 1");
    expect(game.outcome()).toMatchObject({ won: false, reached: ["found"] });
    game.act("take mug 1 from countertop 1");
    game.act("go to diningtable 1");
    expect(game.outcome()).toMatchObject({ won: false, reached: ["found", "taken"] });
    expect(game.act("put mug 1 on diningtable 1")).toContain("The task is done");
    expect(game.outcome()).toEqual({
      won: true,
      steps: 4,
      invalid: 0,
      repaired: 0,
      reached: ["found", "taken", "placed"],
      ended: "won",
    });
    expect(() => game.act("look")).toThrow("The task is done");
  });

  it.each(["clean", "heat", "cool"] as const)("to %s is not reached by the thing as it was", (kind) => {
    const appliance = { clean: "sinkbasin 1", heat: "microwave 1", cool: "fridge 1" }[kind];
    const game = gameOf({ ...mugOnTable, kind });
    const bring = ["go to diningtable 1", "put mug 1 in/on diningtable 1"];
    for (const action of ["go to countertop 1", "take mug 1 from countertop 1", ...bring]) game.act(action);
    expect(game.outcome()).toMatchObject({ won: false, reached: ["found", "taken"] });
    for (const action of ["take mug 1 from diningtable 1", `go to ${appliance}`]) game.act(action);
    game.act(`${kind} mug 1 with ${appliance}`);
    for (const action of bring) game.act(action);
    expect(game.outcome().won).toBe(true);
  });

  it("of two needs both on the same receptacle, not one of them twice", () => {
    const layout: Layout = {
      room: "kitchen",
      receptacles: { "countertop 1": ["mug 1", "mug 2"], "shelf 1": [], "shelf 2": [] },
    };
    const game = gameOf({ kind: "two", object: "mug", receptacle: "shelf" }, layout);
    const bring = (mug: string, from: string, to: string) => {
      for (const action of [
        `go to ${from}`,
        `take ${mug} from ${from}`,
        `go to ${to}`,
        `put ${mug} in ${to}`,
      ])
        game.act(action);
    };
    bring("mug 1", "countertop 1", "shelf 1");
    bring("mug 2", "countertop 1", "shelf 2");
    expect(game.outcome()).toMatchObject({ won: false, invalid: 0 });
    expect(game.outcome().reached).not.toContain("placed both");
    bring("mug 2", "shelf 2", "shelf 1");
    // one action less: it was beside shelf 2 already
    expect(game.outcome()).toMatchObject({ won: true, invalid: 1 });
  });

  it("under a lamp needs the thing in hand and the lamp on", () => {
    const game = gameOf({ kind: "light", object: "book", receptacle: null }, bedroom);
    for (const action of ["go to desk 1", "use desklamp 1", "go to bed 1", "take book 1 from bed 1"])
      game.act(action);
    expect(game.outcome()).toMatchObject({ won: false, reached: ["found", "taken"] });
    game.act("go to desk 1");
    expect(game.outcome().won).toBe(true);
    expect(() => game.act("take desklamp 1 from desk 1")).toThrow();
  });
});

describe("actions that are not admissible", () => {
  it("do nothing, are listed again, and count", () => {
    const game = gameOf(mugOnTable);
    for (const action of ["take mug 1", "dance", "put mug 1 in/on diningtable 1"])
      expect(game.act(action)).toMatch(/^Nothing happens\.\nadmissible actions: go to countertop 1; /);
    expect(game.outcome()).toMatchObject({ steps: 3, invalid: 3, reached: [] });
  });

  it("may be written with other case, spaces, a full stop and a plain in, on or to", () => {
    const game = gameOf(mugOnTable);
    for (const action of [" Go to  Countertop 1. ", "TAKE mug 1 from countertop 1", "go to shelf 1"])
      game.act(action);
    expect(game.act("move mug 1 to shelf 1")).toContain("You put the mug 1");
    expect(game.outcome().invalid).toBe(0);
  });

  it("end the game when they are repeated, and so do all other actions", () => {
    const game = gameOf(mugOnTable);
    game.act("dance");
    game.act("dance");
    game.act("look");
    game.act("dance");
    game.act("dance");
    expect(game.act("Dance.")).toContain("repeated too often");
    expect(game.outcome().ended).toBe("repeats");
    expect(() => game.act("look")).toThrow("repeated too often");
    const patient = gameOf(mugOnTable, kitchen, { repeats: Number.POSITIVE_INFINITY });
    for (let step = 0; step < 20; step++) patient.act("look");
    expect(patient.outcome()).toMatchObject({ ended: "steps", steps: 20 });
  });

  it("are mended by letters or by words where that is asked for, and the observation says so", () => {
    const edits = gameOf(mugOnTable, kitchen, { repair: "edits" });
    expect(edits.act("go too countertopp 1")).toMatch(/^\(taken as: go to countertop 1\) You are at/);
    const words = gameOf(mugOnTable, kitchen, { repair: "words" });
    expect(words.act("countertop 1: go to it")).toMatch(/^\(taken as: go to countertop 1\)/);
    expect(words.act("please write a poem")).toMatch(/^Nothing happens/);
    expect(words.outcome()).toMatchObject({ steps: 2, invalid: 1, repaired: 1 });
  });

  it("are as like one another as their letters and words", () => {
    expect(editLikeness("kitten", "sitting")).toBeCloseTo(1 - 3 / 7);
    expect(editLikeness("", "")).toBe(1);
    expect(wordLikeness("go to shelf 1", "go to desk 1")).toBe(0.75);
    expect(wordLikeness("go go", "go")).toBeCloseTo(2 / 3);
    const admissible = ["go to shelf 1", "go to shelf 2"];
    expect(nearestAction("go to shelf", { admissible, repair: "edits" })).toBe("go to shelf 1");
    expect(nearestAction("go to shelf", { admissible, repair: "none" })).toBeUndefined();
    expect(nearestAction("", { admissible, repair: "words" })).toBeUndefined();
  });
});

describe("the tasks", () => {
  const tasks = take(environment, 300);

  it("can be done by looking through the room in less than twenty actions, and are not done at the start", () => {
    for (const task of tasks) {
      const needed = actionsNeeded(task.input as HouseholdInput);
      expect(needed).toBeGreaterThan(2);
      expect(needed).toBeLessThan(20);
    }
  });

  it("are of six kinds in all four rooms, about things and receptacles that the room has", () => {
    expect(new Set(tasks.map(({ kind }) => kind)).size).toBe(6);
    expect(new Set(tasks.map(({ input }) => (input as HouseholdInput).layout.room))).toEqual(
      new Set(Object.keys(rooms)),
    );
    for (const { input } of tasks) {
      const { goal, layout } = input as HouseholdInput;
      const there = Object.keys(layout.receptacles);
      if (goal.receptacle) expect(there).toContain(`${goal.receptacle} 1`);
      expect(Object.values(layout.receptacles).flat()).toContain(`${goal.object} 1`);
    }
  });

  it("are solved by the careful player and left one action short by the hasty one", async () => {
    for (const task of tasks.slice(0, 60)) {
      const [careful, hasty] = await Promise.all(
        ["careful", "hasty"].map((name) =>
          playMessages(environment, { task, player: environment.experts![name]!(task, { seed: 1 }) }),
        ),
      );
      expect(careful!.rewards).toMatchObject({
        correct: 1,
        progress: 1,
        invalidActions: 0,
        repairedActions: null,
      });
      expect(hasty!.rewards).toMatchObject({ correct: 0 });
      expect(hasty!.rewards["progress"]).toBeLessThan(1);
      expect(hasty!.calls.length).toBe(careful!.calls.length - 1);
    }
  });

  it("refuse an action of more than 200 characters", async () => {
    const session = await environment.start(tasks[0]!, { seed: 1, signal: new AbortController().signal });
    expect(await session.tools[0]!.check({ action: "a".repeat(201) })).toMatchObject({ ok: false });
    expect(await session.outcome!()).toMatchObject({ steps: 0, won: false, ended: null });
  });
});

it("is healthy, also where actions are mended", async () => {
  for (const repair of ["none", "edits", "words"] as const)
    expect(await checkEnvironment(household({ repair }), { play, tasks: 40 })).toMatchObject({
      ok: true,
      findings: [],
    });
});

it("refuses options that cannot work", () => {
  expect(() => household({ steps: 3 })).toThrow("household: expected `steps` of 12 or more, got 3");
  expect(() => household({ repeats: 1 })).toThrow("household: expected `repeats` of 2 or more, got 1");
  expect(() => household({ repair: "guess" as "edits" })).toThrow("expected `repair` of none, edits, words");
  expect(() => household({ kinds: ["cook"] })).toThrow('no kind of task "cook"');
  expect(take(household({ steps: 12, kinds: ["two"] }), 5)).toHaveLength(5);
});
