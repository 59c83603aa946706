import type { ShopGoal } from "./purchase-reward.ts";

export type ShopStep = { thought: string; tool: "search_action" | "click_action"; value: string };

/** Gives steps and is given the page after each. Ends when something was bought or nothing is left to be looked at. */
export type Shopping = Generator<ShopStep, void, string>;

type Candidate = { id: string; priceCents: number; inTitle: number };

/**
 * Searches for all that is asked for, looks at what is not too dear on each page of results, items first whose title
 * says most of it, and buys the first that has every attribute and offers every option.
 */
export function* shopFor(goal: ShopGoal): Shopping {
  const wanted = Object.values(goal.options);
  const keywords = [goal.query, ...goal.attributes, ...wanted].join(" ");
  let page = yield { thought: "search", tool: "search_action", value: keywords };
  for (;;) {
    const results = page;
    for (const { id } of candidatesOn(results, goal)) {
      page = yield click("open", id);
      const missing = goal.attributes.filter((attribute) => !page.toLowerCase().includes(attribute));
      let fits = wanted.every((value) => clickablesOn(page).includes(value));
      if (fits && missing.length > 0) {
        const features = yield click("check", "Features");
        fits = missing.every((attribute) => features.includes(attribute));
        page = yield click("back", "< Prev");
      }
      if (fits) {
        for (const value of wanted) yield click("choose", value);
        yield click("buy", "Buy Now");
        return;
      }
      page = yield click("back", "< Prev");
    }
    if (!clickablesOn(results).includes("Next >")) return;
    page = yield click("next", "Next >");
  }
}

const click = (thought: string, value: string): ShopStep => ({ thought, tool: "click_action", value });

/** Items on a page of results that cost no more than they may, those first whose title names most attributes. */
function candidatesOn(page: string, { attributes, limitCents }: ShopGoal): Candidate[] {
  return Array.from(
    page.matchAll(/^(B[0-9A-Z]{9}): (.*)\. \$(\d+)\.(\d\d)$/gm),
    ([, id, title, dollars, cents]) => ({
      id: id!,
      priceCents: Number(dollars) * 100 + Number(cents),
      inTitle: attributes.filter((attribute) => title!.toLowerCase().includes(attribute)).length,
    }),
  )
    .filter(({ priceCents }) => priceCents <= limitCents)
    .sort((a, b) => b.inTitle - a.inTitle);
}

const clickablesOn = (page: string): string[] => /^clickable: (.*)$/m.exec(page)?.[1]?.split(" | ") ?? [];
