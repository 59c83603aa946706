import { z } from "zod";
import { defineEnvironment } from "../../environment/define-environment.ts";
import { type Move, scripted } from "../../environment/script.ts";
import { pickKinds, taskStream } from "../../environment/task-stream.ts";
import { tool } from "../../environment/tool.ts";
import type { Environment, GradeContext, RewardComponent, Task } from "../../spec/environment.ts";
import { AttuneError } from "../../spec/error.ts";
import type { JsonObject } from "../../spec/json.ts";
import { catalogueOf } from "./catalogue.ts";
import { gradePurchase, type PurchaseGrade, type ShopGoal } from "./purchase-reward.ts";
import { shopFor } from "./shopper.ts";
import { type ShopInput, shopKinds, shopTasks } from "./tasks.ts";
import { openVisit, type ShopOutcome } from "./visit.ts";

export type ShopOptions = {
  /** Families of requests: attribute, option, options, bargain. */
  kinds?: readonly string[];
  /** How many items the shop sells. They are made once, when the first task or session needs them. */
  items?: number;
  /** Searches and clicks that an episode may take. */
  steps?: number;
};

const search = z.object({ keywords: z.string().max(300) });
const click = z.object({ value: z.string().max(100).describe("something clickable on the page") });

/**
 * A shop after WebShop (arXiv 2207.01206), with the tools of AgentBench's function-calling edition: find an item of
 * the right kind with the attributes and options that are asked for, within a price, and buy it. Graded on what was
 * bought.
 */
export function shop({ kinds: only = shopKinds, items = 5_000, steps = 20 }: ShopOptions = {}): Environment {
  checkOptions({ items, steps });
  const catalogue = () => catalogueOf(items);
  // one less than there are: the shopper has a step to spare
  const asked = pickKinds(shopTasks(catalogue, { steps: steps - 1 }), { only, environment: "shop" });
  return defineEnvironment<ShopInput>({
    name: "shop",
    description: "Find what a customer asks for among thousands of items, choose its options and buy it.",
    tasks: ({ split, seed }) =>
      taskStream({ environment: "shop", kinds: asked, salt: "shop-1", split, seed }),
    start({ input }) {
      const visit = openVisit(catalogue(), { steps });
      return {
        messages: [
          { role: "system", content: instructions(steps) },
          { role: "user", content: `${input.instruction}\n\n${visit.page()}` },
        ],
        tools: [
          tool({
            name: "search_action",
            description: "Searches the shop from its search page.",
            input: search,
            execute: ({ keywords }) => visit.search(keywords),
          }),
          tool({
            name: "click_action",
            description: "Clicks something on the page.",
            input: click,
            execute: ({ value }) => visit.click(value),
          }),
        ],
        ended: visit.ended,
        outcome: visit.outcome,
      };
    },
    rewards: {
      correct: { weight: 1, grade: (context) => gradeOf(context)?.reward ?? 0 },
      success: { weight: 0, grade: (context) => (gradeOf(context)?.reward === 1 ? 1 : 0) },
      bought: { weight: 0, grade: (context) => (gradeOf(context) ? 1 : 0) },
      typeMatch: part(({ type }) => type),
      attributeMatch: part(({ attributes }, goal) => share(attributes, goal.attributes.length)),
      optionMatch: part(({ options }, goal) => share(options, Object.keys(goal.options).length)),
      priceMatch: part(({ price }) => price),
      steps: { weight: 0, grade: (context) => outcomeOf(context)?.steps ?? null },
      refusedSteps: {
        weight: 0,
        grade: (context) => {
          const outcome = outcomeOf(context);
          return outcome ? share(outcome.refused, outcome.steps) : null;
        },
      },
    },
    experts: {
      careful: (task) => play(task, { buys: true }),
      hasty: (task) => play(task, { buys: false }),
      first: (task) => buyFirst(task),
    },
    limits: { turns: steps + 1, toolCalls: 2 * steps, tokens: 32_768 },
  });
}

const instructions = (steps: number) =>
  `You shop for a customer. Search with search_action, click what a page offers with click_action. Find an item that is what the customer asks for, with every attribute (the Features page lists them) and within the price; click each option that was asked for, then Buy Now. You have ${steps} steps; the purchase ends the visit.`;

const outcomeOf = ({ outcome }: GradeContext) => outcome as ShopOutcome | undefined;

function gradeOf(context: GradeContext): PurchaseGrade | null {
  const purchase = outcomeOf(context)?.purchase;
  return purchase ? gradePurchase(purchase, context.task.answer as ShopGoal) : null;
}

/** A part of the reward as a metric; null where nothing was bought or nothing of the kind was asked for. */
function part(grade: (grade: PurchaseGrade, goal: ShopGoal) => number | null): RewardComponent {
  return {
    weight: 0,
    grade: (context) => {
      const purchase = gradeOf(context);
      return purchase && grade(purchase, context.task.answer as ShopGoal);
    },
  };
}

const share = (some: number, all: number) => (all === 0 ? null : some / all);

/** Careful buys what it found; hasty says that it is done without having bought it. */
function play(task: Task, { buys }: { buys: boolean }) {
  return scripted((pages): Move => {
    const shopping = shopFor(task.answer as ShopGoal);
    let step = shopping.next("");
    for (const page of pages) step = shopping.next(page);
    if (step.done || (!buys && step.value.thought === "buy")) return { answer: "done" };
    const { thought, tool: name, value } = step.value;
    const given: JsonObject = name === "search_action" ? { keywords: value } : { value };
    return { thought, call: { name, arguments: given } };
  });
}

/** Buys the first thing that a search for the customer's own words finds, as it is. */
function buyFirst(task: Task) {
  const { instruction } = task.input as ShopInput;
  return scripted((pages): Move => {
    const clicking = (thought: string, value: string): Move => ({
      thought,
      call: { name: "click_action", arguments: { value } },
    });
    if (pages.length === 0)
      return { thought: "search", call: { name: "search_action", arguments: { keywords: instruction } } };
    const found = /^(B[0-9A-Z]{9}): /m.exec(pages[0]!)?.[1];
    if (pages.length === 1 && found) return clicking("open", found);
    return pages.length === 2 ? clicking("buy", "Buy Now") : { answer: "done" };
  });
}

function checkOptions({ items, steps }: { items: number; steps: number }): void {
  const refuse = (message: string): never => {
    throw new AttuneError("usage", `shop: ${message}`);
  };
  if (!Number.isInteger(items) || items < 500 || items > 1_000_000)
    refuse(`expected \`items\` of 500 to 1000000, got ${items}`);
  if (!Number.isInteger(steps) || steps < 10) refuse(`expected \`steps\` of 10 or more, got ${steps}`);
}
