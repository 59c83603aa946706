import type { TaskKind } from "../../environment/task-stream.ts";
import { creates, twoSteps, updates } from "./change-templates.ts";
import { outcomeOf, type Step } from "./plan.ts";
import { filters, follows, lookUps } from "./question-templates.ts";
import { createShop, statuses } from "./shop.ts";
import { call, loneOrder, type Template } from "./template.ts";

/** `shop` seeds the data; `plan` is a right solution and `answer` what it ends with (null: only that it is done). */
export type Text2ApiInput = { question: string; shop: number; plan: Step[]; answer: string | null };

/** Two searches, the second by what the first gave, then a call. */
const chains: Template[] = [
  (shop, random) => {
    const order = loneOrder(shop, random, "open");
    if (!order) return undefined;
    const { name } = shop.customers.get(order.customer_id)!;
    return {
      question: `Delete the open order of ${name}.`,
      plan: [
        call("listCustomers", { name }),
        call("listOrders", { customer_id: "$0.id", status: "open" }),
        call("deleteOrder", { order_id: "$1.id" }),
      ],
      key: `delete ${name}`,
    };
  },
  (shop, random) => {
    const status = random.pick(statuses);
    const order = loneOrder(shop, random, status);
    if (!order) return undefined;
    const { name } = shop.customers.get(order.customer_id)!;
    return {
      question: `Which product is in the ${status} order of ${name}? Give the product's name.`,
      plan: [
        call("listCustomers", { name }),
        call("listOrders", { customer_id: "$0.id", status }),
        call("getProduct", { product_id: "$1.product_id" }),
      ],
      answer: "$2.name",
      key: `${status} ${name}`,
    };
  },
];

/** Draws shops until one has what the template needs and the plan goes through. */
const toKind =
  (templates: Template[]): TaskKind<Text2ApiInput> =>
  (random) => {
    for (;;) {
      const seed = random.integer(2 ** 31);
      const draft = random.pick(templates)(createShop(seed), random);
      if (!draft) continue;
      const { question, plan, answer = null, key } = draft;
      const expected = outcomeOf(plan, { shop: seed, answer });
      if (expected) return { input: { question, shop: seed, plan, answer }, answer: expected, key };
    }
  };

export const kinds: Record<string, TaskKind<Text2ApiInput>> = {
  "look-up": toKind(lookUps),
  filter: toKind(filters),
  create: toKind(creates),
  update: toKind(updates),
  follow: toKind(follows),
  "two-step": toKind(twoSteps),
  chain: toKind(chains),
};
