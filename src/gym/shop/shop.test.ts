import { describe, expect, it } from "vitest";
import { checkEnvironment, type Play } from "../../environment/health.ts";
import { toReward } from "../../reward/to-reward.ts";
import { playWithPlayer } from "../../rollout/player.ts";
import type { Environment, Session, Task } from "../../spec/environment.ts";
import type { JsonObject } from "../../spec/json.ts";
import { environmentContract } from "../../testing/environment-contract.ts";
import { playMessages } from "../../testing/play-messages.ts";
import { toGradeContext } from "../../trajectory/grade-context.ts";
import { catalogueOf } from "./catalogue.ts";
import { productKinds } from "./product-kinds.ts";
import { gradePurchase, gradeType, type Purchase, type ShopGoal } from "./purchase-reward.ts";
import { createSearchIndex } from "./search-index.ts";
import { shop } from "./shop.ts";
import { ratio, tokenSetRatio } from "./similar-text.ts";
import { openVisit, type ShopOutcome } from "./visit.ts";

const environment = shop();
environmentContract(environment, { tasks: 60 });

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

const open = (task: Task) => environment.start(task, { seed: 1, signal: new AbortController().signal });

async function use(session: Session, name: "search_action" | "click_action", text: string): Promise<string> {
  const tool = session.tools.find((tool) => tool.name === name)!;
  const given: JsonObject = name === "search_action" ? { keywords: text } : { value: text };
  const checked = await tool.check(given);
  if (!checked.ok) throw new Error(checked.issues);
  return tool.execute(checked.value, { signal: new AbortController().signal });
}

const firstId = (page: string) => /^(B[0-9A-Z]{9}): /m.exec(page)![1]!;

const asked: ShopGoal = {
  title: "Ivaro Trail Hiking Boots, Waterproof, Lace Up",
  query: "hiking boots",
  categories: ["Clothing", "Shoes", "Outdoor"],
  attributes: ["waterproof", "lace up", "arch support"],
  options: { color: "red" },
  limitCents: 5000,
};
const bought: Purchase = {
  id: "B000000000",
  title: "Lowell Hiking Boots, Waterproof, Wide Toe",
  query: "hiking boots",
  categories: ["Clothing", "Shoes", "Outdoor"],
  attributes: ["waterproof", "wide toe", "lace up"],
  options: { color: "red", size: "9" },
  priceCents: 4999,
};
/** Goes with `asked` by one word of its seven at most, and by no query or pair of categories. */
const other = { query: "house keys", categories: ["Clothing", "Keys", "Home"] };

describe("the reward of a purchase", () => {
  it("is 4/5 for two of three attributes, the option and the price", () => {
    expect(gradePurchase(bought, asked)).toEqual({
      type: 1,
      attributes: 2,
      options: 1,
      price: 1,
      reward: 4 / 5,
    });
  });

  it("is 1 for everything, and 0.4 for 4/5 of a thing of half the right type", () => {
    const attributes = ["waterproof", "lace up", "arch support"];
    expect(gradePurchase({ ...bought, attributes }, asked).reward).toBe(1);
    const half = {
      ...bought,
      ...other,
      title: "Ivaro Keys, Waterproof",
      attributes: ["waterproof", "lace up"],
    };
    const longer = { ...asked, title: `${asked.title} One Two Three Four` };
    expect(gradePurchase(half, longer)).toMatchObject({ type: 0.5, reward: 0.4 });
  });

  it("loses a fifth each for the price and for an option that was not chosen", () => {
    expect(gradePurchase({ ...bought, priceCents: 5001 }, asked).reward).toBe(3 / 5);
    expect(gradePurchase({ ...bought, options: {} }, asked).reward).toBe(3 / 5);
    expect(gradePurchase({ ...bought, options: { color: "green" } }, asked).options).toBe(0);
  });

  it.each([
    ["the same query", { ...bought, ...other, query: "hiking boots", title: "Ivaro Keys" }, 1],
    ["two shared categories", { ...bought, query: "keys", title: "Ivaro Keys" }, 1],
    ["more than a fifth of the title", { ...bought, ...other, title: "Ivaro Trail Keys" }, 1],
    ["a seventh of the title and nothing else", { ...bought, ...other, title: "Ivaro Keys" }, 0.5],
    ["no word of the title, whatever else fits", { ...bought, title: "Keys" }, 0],
  ])("takes the type from %s", (_name, purchase, type) => {
    expect(gradeType(purchase, asked)).toBe(type);
  });

  it("takes the type as 0.1 for less than a tenth of a long title", () => {
    const title = "one two three four five six seven eight nine ten eleven";
    const words = title.replace("one", "uno").split(" ").length;
    expect(words).toBe(11);
    expect(gradeType({ ...bought, title: "Eleven" }, { ...asked, title })).toBe(0.1);
  });

  it("finds values alike by their words, and none of the shop's own for another", () => {
    expect(ratio("kitten", "sitting")).toBeCloseTo((100 * 8) / 13);
    expect(tokenSetRatio("Red, blue", "blue RED")).toBe(100);
    expect(tokenSetRatio("navy blue", "blue")).toBe(100);
    expect(tokenSetRatio("", "blue")).toBe(0);
    for (const { query, attributes, options } of productKinds)
      for (const values of [attributes, Object.values(options).flat()])
        for (const [at, value] of values.entries())
          for (const next of values.slice(at + 1))
            expect(tokenSetRatio(value, next), `${query}: ${value}, ${next}`).toBeLessThanOrEqual(85);
  });
});

describe("the search", () => {
  it("ranks rare and repeated words in short texts first, by BM25", () => {
    const index = createSearchIndex(["red boot", "red red boot of a kind", "blue boots", "hat"]);
    expect(index.search("red boots", { most: 10 })).toEqual([0, 1, 2]);
    expect(index.search("hats", { most: 10 })).toEqual([3]);
    expect(index.search("red boots", { most: 1 })).toEqual([0]);
    expect(index.search("nothing like it", { most: 10 })).toEqual([]);
    expect(index.search("red boots", { most: 10 })).toEqual([0, 1, 2]);
  });

  it("weighs a word by how rare it is and a text by how long it is", () => {
    const index = createSearchIndex(["common", "common", "common", "rare", "rare with many a word beside"]);
    // idf of rare ln(1 + 3.5/2.5) = 0.875, of common ln(1 + 2.5/3.5) = 0.539: 0.875 of a long text is worth less
    expect(index.search("common rare", { most: 5 })).toEqual([3, 0, 1, 2, 4]);
  });

  it("has the same thousands of items each time, of every kind alike, with ids of their own", () => {
    const { items, byId } = catalogueOf(5000);
    expect([items.length, byId.size]).toEqual([5000, 5000]);
    expect(catalogueOf(5000).items).toBe(items);
    const kinds = Map.groupBy(items, ({ kind }) => kind.query);
    expect(new Set([...kinds.values()].map((some) => some.length))).toEqual(new Set([200]));
    const [first] = items;
    expect(catalogueOf(600).items[0]).toEqual(first);
    expect(catalogueOf(5000).items[0]).toEqual(first);
  });
});

describe("a visit", () => {
  const [task] = take(environment, 1) as [Task];

  it("searches, turns pages, opens an item, reads, chooses and buys", async () => {
    const session = await open(task);
    expect(session.messages.at(-1)!.content).toContain("you can search");
    const first = await use(session, "search_action", "water bottle");
    expect(first).toContain("Page 1 of 5 (50 results)");
    const second = await use(session, "click_action", "[next >]");
    expect(second).toContain("Page 2 of 5");
    expect(await use(session, "click_action", "< prev")).toBe(first);
    const page = await use(session, "click_action", firstId(first).toLowerCase());
    expect(await use(session, "click_action", "Description")).toContain("Home › Kitchen › Drinkware");
    expect(await use(session, "click_action", "< Prev")).toBe(page);
    const color = /^color: ([a-z]+), ([a-z]+)/m.exec(page)!;
    await use(session, "click_action", color[1]!);
    expect(await use(session, "click_action", color[2]!)).toContain(`(chosen: ${color[2]})`);
    expect(await use(session, "click_action", "Buy Now")).toContain("You bought");
    expect(await session.outcome!()).toMatchObject({
      steps: 9,
      refused: 0,
      opened: 1,
      purchase: { query: "water bottle", options: { color: color[2] } },
    });
    await expect(use(session, "click_action", "Back to Search")).rejects.toThrow("the purchase is made");
  });

  it("refuses what is not there, in the words of a tool's error, and counts it", async () => {
    const session = await open(task);
    await expect(use(session, "click_action", "Buy Now")).rejects.toThrow(
      'nothing to click called "Buy Now"',
    );
    await expect(use(session, "click_action", "constructor")).rejects.toThrow("nothing to click");
    const none = await use(session, "search_action", "???");
    expect(none).toContain("No results");
    await expect(use(session, "search_action", "tent")).rejects.toThrow("there is no search bar here");
    await expect(use(session, "click_action", "")).rejects.toThrow("clickable: Back to Search");
    expect(await session.outcome!()).toMatchObject({ steps: 5, refused: 4, purchase: null });
    expect(await session.tools[0]!.check({ keywords: "a".repeat(301) })).toMatchObject({ ok: false });
    expect(await session.tools[1]!.check({ keywords: "a" })).toMatchObject({ ok: false });
  });

  it("ends after its steps, whatever is tried", () => {
    const visit = openVisit(catalogueOf(5000), { steps: 10 });
    let page = visit.search("tent");
    for (let count = 0; count < 9; count++) page = visit.click(count % 2 ? "< Prev" : "Next >");
    expect(page).toContain("All steps are used");
    expect(() => visit.click("Back to Search")).toThrow("all 10 steps are used");
    expect(visit.outcome().steps).toBe(10);
  });
});

describe("the players", () => {
  const tasks = take(environment, 80);
  const playAll = (name: string) =>
    Promise.all(
      tasks.map((task) =>
        playMessages(environment, { task, player: environment.experts![name]!(task, { seed: 1 }) }),
      ),
    );

  it("buy all that is asked for, buy nothing, or buy what comes first for a part of the reward", async () => {
    for (const { rewards, calls } of await playAll("careful")) {
      expect(rewards).toMatchObject({ correct: 1, success: 1, bought: 1, typeMatch: 1, refusedSteps: 0 });
      expect(calls.length).toBeLessThan(20);
    }
    for (const { rewards } of await playAll("hasty"))
      expect(rewards).toMatchObject({ correct: 0, bought: 0, typeMatch: null });
    const first = await playAll("first");
    const mean = first.reduce((total, { rewards }) => total + rewards["correct"]!, 0) / first.length;
    expect(mean).toBeGreaterThan(0.3);
    expect(mean).toBeLessThan(0.8);
  });

  it("leave an outcome from which the reward can be computed again", async () => {
    const [task] = tasks as [Task];
    const [played] = (await playAll("careful")) as [Awaited<ReturnType<typeof playMessages>>];
    const { purchase } = JSON.parse(JSON.stringify(played.outcome)) as ShopOutcome;
    expect(gradePurchase(purchase!, task.answer as ShopGoal).reward).toBe(1);
  });

  it("have no option to be graded where none is asked for", async () => {
    const only = shop({ kinds: ["attribute"] });
    const [task] = take(only, 1) as [Task];
    const { rewards } = await playMessages(only, {
      task,
      player: only.experts!["careful"]!(task, { seed: 1 }),
    });
    expect(rewards).toMatchObject({ correct: 1, optionMatch: null, attributeMatch: 1 });
  });
});

it("is healthy", async () => {
  expect(await checkEnvironment(environment, { play, tasks: 40 })).toMatchObject({ ok: true, findings: [] });
});

it("refuses options that cannot work", () => {
  expect(() => shop({ items: 10 })).toThrow("shop: expected `items` of 500 to 1000000, got 10");
  expect(() => shop({ steps: 2.5 })).toThrow("shop: expected `steps` of 10 or more, got 2.5");
  expect(() => shop({ kinds: ["gift"] })).toThrow('no kind of task "gift"');
  expect(take(shop({ items: 500, steps: 12, kinds: ["bargain"] }), 5)).toHaveLength(5);
});
