import { ToolError } from "../../spec/tool.ts";
import { type Catalogue, describeItem, type Item, priceOf } from "./catalogue.ts";
import type { Purchase } from "./purchase-reward.ts";

/** What became of a visit, kept on the trajectory. */
export type ShopOutcome = {
  /** Searches and clicks, the ones that did nothing included. */
  steps: number;
  /** Searches and clicks that could not be done. */
  refused: number;
  /** Items whose page was opened. */
  opened: number;
  purchase: Purchase | null;
};

/** A customer's way through the shop, page by page. */
export type Visit = {
  page(): string;
  search(keywords: string): string;
  click(value: string): string;
  /** The purchase is made, or all steps are used. */
  ended(): boolean;
  outcome(): ShopOutcome;
};

type Results = { query: string; items: readonly Item[]; page: number };
type Page =
  | { at: "search" }
  | { at: "results"; results: Results }
  | { at: "item"; results: Results; item: Item; chosen: Record<string, string> }
  | { at: "detail"; detail: Detail; from: Extract<Page, { at: "item" }> };

/** Most items that a search finds, and how many of them a page lists. */
const [mostResults, perPage] = [50, 10];

const details = ["Description", "Features", "Reviews"] as const;
type Detail = (typeof details)[number];

/** Opens the shop on its search page. Takes at most `steps` searches and clicks; the purchase ends the visit. */
export function openVisit(catalogue: Catalogue, { steps: limit }: { steps: number }): Visit {
  const count = { steps: 0, refused: 0 };
  const opened = new Set<string>();
  let purchase: Purchase | null = null;
  let page: Page = { at: "search" };

  const show = () => {
    if (count.steps >= limit) return `${render(page)}\nAll steps are used; nothing more can be done.`;
    const searchable = page.at === "search" ? "; you can search" : "";
    return `${render(page)}\nclickable: ${clickables(page).join(" | ") || "nothing"}${searchable}`;
  };

  /** Counts a step, also one that is refused. */
  function step(next: () => Page): string {
    if (purchase) throw new ToolError("the purchase is made; nothing more can be done");
    if (count.steps >= limit) throw new ToolError(`all ${limit} steps are used; nothing more can be done`);
    count.steps++;
    try {
      page = next();
    } catch (error) {
      if (error instanceof ToolError) count.refused++;
      throw error;
    }
    return show();
  }

  return {
    page: show,
    search: (keywords) =>
      step(() => {
        if (page.at !== "search")
          throw new ToolError(`there is no search bar here; clickable: ${clickables(page).join(" | ")}`);
        const query = keywords.replace(/\s+/g, " ").trim();
        const items = catalogue.index.search(query, { most: mostResults }).map((at) => catalogue.items[at]!);
        return { at: "results", results: { query, items, page: 1 } };
      }),
    click(value) {
      const buys = page.at === "item" && same(value, "Buy Now");
      if (!buys || page.at !== "item")
        return step(() => {
          const next = follow(page, value, catalogue);
          if (next.at === "item") opened.add(next.item.id);
          return next;
        });
      const { item, chosen } = page;
      step(() => page);
      purchase = toPurchase(item, chosen);
      return `You bought ${item.id} for ${priceOf(item.priceCents)}. Nothing more can be done.`;
    },
    ended: () => purchase !== null || count.steps >= limit,
    outcome: () => ({ ...count, opened: opened.size, purchase }),
  };
}

const toPurchase = (item: Item, chosen: Record<string, string>): Purchase => ({
  id: item.id,
  title: item.title,
  query: item.kind.query,
  categories: [...item.kind.categories],
  attributes: [...item.attributes],
  options: { ...chosen },
  priceCents: item.priceCents,
});

const shown = ({ items, page }: Results) => items.slice((page - 1) * perPage, page * perPage);
const pagesOf = ({ items }: Results) => Math.max(1, Math.ceil(items.length / perPage));

/** What can be clicked on a page, in the order in which it is listed. */
function clickables(page: Page): string[] {
  switch (page.at) {
    case "search":
      return [];
    case "results": {
      const { results } = page;
      const turns = [results.page > 1 && "< Prev", results.page < pagesOf(results) && "Next >"];
      return [
        "Back to Search",
        ...turns.filter((turn) => turn !== false),
        ...shown(results).map(({ id }) => id),
      ];
    }
    case "item":
      return ["Back to Search", "< Prev", ...Object.values(page.item.options).flat(), ...details, "Buy Now"];
    case "detail":
      return ["Back to Search", "< Prev"];
  }
}

/** The page behind something clickable. Throws `ToolError` for what is not. */
function follow(page: Page, value: string, { byId }: Catalogue): Page {
  const target = clickables(page).find((clickable) => same(clickable, value));
  if (target === undefined) {
    const there = clickables(page).join(" | ") || "nothing, only a search";
    throw new ToolError(`nothing to click called "${value.slice(0, 40)}"; clickable: ${there}`);
  }
  if (target === "Back to Search") return { at: "search" };
  if (page.at === "results") {
    const { results } = page;
    const turn = { "< Prev": -1, "Next >": 1 }[target];
    if (turn) return { at: "results", results: { ...results, page: results.page + turn } };
    return { at: "item", results, item: byId.get(target)!, chosen: {} };
  }
  if (page.at === "detail") return page.from;
  if (page.at !== "item") return page;
  if (target === "< Prev") return { at: "results", results: page.results };
  const detail = details.find((name) => name === target);
  if (detail) return { at: "detail", detail, from: page };
  const [option] = Object.entries(page.item.options).find(([, values]) => values.includes(target))!;
  return { ...page, chosen: { ...page.chosen, [option]: target } };
}

/** The same label, whatever its case, spaces, brackets and arrows. */
const same = (a: string, b: string) => plain(a) === plain(b);
const plain = (text: string) =>
  text
    .toLowerCase()
    .replace(/[[\]<>]/g, " ")
    .replace(/\s+/g, " ")
    .trim();

function render(page: Page): string {
  switch (page.at) {
    case "search":
      return "Search page.";
    case "results": {
      const { results } = page;
      if (results.items.length === 0) return `No results for "${results.query.slice(0, 100)}".`;
      const head = `Page ${results.page} of ${pagesOf(results)} (${results.items.length} results)`;
      const lines = shown(results).map(
        ({ id, title, priceCents }) => `${id}: ${title}. ${priceOf(priceCents)}`,
      );
      return [head, ...lines].join("\n");
    }
    case "item": {
      const { item, chosen } = page;
      const options = Object.entries(item.options).map(([option, values]) => {
        const choice = chosen[option] === undefined ? "" : ` (chosen: ${chosen[option]})`;
        return `${option}: ${values.join(", ")}${choice}`;
      });
      const price = `price: ${priceOf(item.priceCents)}; rating: ${(item.rating / 10).toFixed(1)} of 5`;
      return [`${item.id}: ${item.title}`, price, ...options].join("\n");
    }
    case "detail":
      return renderDetail(page.detail, page.from.item);
  }
}

function renderDetail(detail: Detail, item: Item): string {
  if (detail === "Description") return describeItem(item);
  if (detail === "Features") return `Features of ${item.id}: ${item.attributes.join(", ")}`;
  return `Reviews of ${item.id}: ${(item.rating / 10).toFixed(1)} of 5 stars`;
}
