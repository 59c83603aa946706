import type { TaskKind } from "../../environment/task-stream.ts";
import type { Random } from "../../kit/random.ts";
import { AttuneError } from "../../spec/error.ts";
import type { Catalogue, Item } from "./catalogue.ts";
import { gradePurchase, type ShopGoal } from "./purchase-reward.ts";
import { shopFor } from "./shopper.ts";
import { openVisit } from "./visit.ts";

export type ShopInput = { instruction: string };

/** How many attributes and options a kind of request has, and whether it wants one of the cheapest items of its kind. */
type Demand = { attributes: number; options: number; isCheap?: boolean };

const demands = {
  attribute: { attributes: 2, options: 0 },
  option: { attributes: 2, options: 1 },
  options: { attributes: 2, options: 2 },
  bargain: { attributes: 1, options: 1, isCheap: true },
} satisfies Record<string, Demand>;

/** The families of requests. */
export const shopKinds = Object.keys(demands);

/** Items drawn for one request before it is said that none can be found in time. */
const itemsTried = 500;

/** The kinds of task; each is drawn until the scripted shopper buys what is asked for in at most `steps` steps. */
export function shopTasks(catalogue: () => Catalogue, { steps }: { steps: number }) {
  const draw =
    (demand: Demand): TaskKind<ShopInput> =>
    (random) => {
      const shop = catalogue();
      for (let tried = 0; tried < itemsTried; tried++) {
        const item = random.pick(shop.items);
        if (Object.keys(item.options).length < demand.options) continue;
        if (demand.isCheap && !isCheap(item)) continue;
        const goal = drawGoal(random, { item, demand });
        if (stepsNeeded(shop, goal) > steps) continue;
        return {
          input: { instruction: sayGoal(random, goal) },
          answer: goal,
          key: [goal.query, ...goal.attributes.toSorted(), ...Object.values(goal.options).toSorted()].join(
            " | ",
          ),
        };
      }
      throw new AttuneError(
        "environment",
        `shop: no item in ${itemsTried} is found and bought in ${steps} steps`,
      );
    };
  return Object.fromEntries(Object.entries(demands).map(([kind, demand]) => [kind, draw(demand)]));
}

/** In the lowest fifth of what its kind can cost. */
function isCheap({ priceCents, kind: { price } }: Item): boolean {
  const [least, most] = price;
  return priceCents / 100 < least + (most - least) / 5;
}

function drawGoal(random: Random, { item, demand }: { item: Item; demand: Demand }): ShopGoal {
  const options = random.shuffle(Object.entries(item.options)).slice(0, demand.options);
  const dollars = Math.ceil(item.priceCents / 100);
  const limit = demand.isCheap ? dollars : 10 * (Math.ceil(dollars / 10) + random.integer(3));
  return {
    title: item.title,
    query: item.kind.query,
    categories: [...item.kind.categories],
    attributes: random.shuffle(item.attributes).slice(0, demand.attributes),
    options: Object.fromEntries(options.map(([option, values]) => [option, random.pick(values)])),
    limitCents: 100 * limit,
  };
}

/** A request in a customer's words. */
function sayGoal(random: Random, { query, attributes, options, limitCents }: ShopGoal): string {
  const choices = Object.entries(options).map(([option, value]) => `${option} ${value}`);
  const [what, which] = [attributes.join(", "), choices.join(" and ")];
  const limit = `$${limitCents / 100}`;
  return random.pick([
    `i am looking for ${query} (${what})${which && `, with ${which}`}, for at most ${limit}`,
    `find me ${query} that are or have: ${what}${which && `; i need ${which}`}; not more than ${limit}`,
    `i want ${query}, ${what},${which && ` in ${which},`} and will pay up to ${limit}`,
  ]);
}

/** Steps that the scripted shopper takes to a purchase of full reward, or Infinity where there is none. */
export function stepsNeeded(catalogue: Catalogue, goal: ShopGoal): number {
  const visit = openVisit(catalogue, { steps: 100 });
  const shopping = shopFor(goal);
  let page = "";
  for (let step = shopping.next(page); !step.done; step = shopping.next(page)) {
    const { tool, value } = step.value;
    if (visit.outcome().steps >= 40) return Number.POSITIVE_INFINITY;
    page = tool === "search_action" ? visit.search(value) : visit.click(value);
  }
  const { purchase, steps } = visit.outcome();
  return purchase && gradePurchase(purchase, goal).reward === 1 ? steps : Number.POSITIVE_INFINITY;
}
