import { termsOf } from "./search-index.ts";
import { tokenSetRatio } from "./similar-text.ts";

/** What was asked for. `title`, `query` and `categories` are those of the item that the request was made from. */
export type ShopGoal = {
  title: string;
  query: string;
  categories: string[];
  attributes: string[];
  /** Values by option. */
  options: Record<string, string>;
  /** The most that it may cost. */
  limitCents: number;
};

/** What was bought, with the options that were chosen. */
export type Purchase = {
  id: string;
  title: string;
  query: string;
  categories: string[];
  attributes: string[];
  options: Record<string, string>;
  priceCents: number;
};

export type PurchaseGrade = {
  /** 1, 0.5, 0.1 or 0: whether it is the right kind of thing at all. */
  type: number;
  /** How many of the attributes and options that were asked for it has. */
  attributes: number;
  options: number;
  price: 0 | 1;
  /** In 0 to 1. */
  reward: number;
};

/** Above this token set ratio two attributes or two option values are the same. */
const alike = 85;

/**
 * The reward of WebShop (arXiv 2207.01206): type · (attributes + options + price) / (attributes asked for + options
 * asked for + 1), where price is 1 within the limit. The original tells nouns of the titles with a tagger; here all
 * words of a title but stop words stand for them.
 */
export function gradePurchase(purchase: Purchase, goal: ShopGoal): PurchaseGrade {
  const wanted = Object.values(goal.options);
  const chosen = Object.values(purchase.options);
  const title = purchase.title.toLowerCase();
  const attributes = goal.attributes.filter(
    (attribute) =>
      title.includes(attribute) || purchase.attributes.some((has) => tokenSetRatio(has, attribute) > alike),
  ).length;
  const options = wanted.filter((value) => chosen.some((has) => tokenSetRatio(has, value) > alike)).length;
  const price = purchase.priceCents <= goal.limitCents ? 1 : 0;
  const type = gradeType(purchase, goal);
  const reward = (type * (attributes + options + price)) / (goal.attributes.length + wanted.length + 1);
  return { type, attributes, options, price, reward };
}

type Named = Pick<Purchase, "title" | "query" | "categories">;

/**
 * How much the kind of thing is right, by the share of the words of the title asked for that the title bought has:
 * 1 for the same query, two shared categories or a share above 0.2, else 0.5; but 0.1 for a share below 0.1, and 0
 * for none.
 */
export function gradeType(bought: Named, asked: Named): number {
  const words = new Set(termsOf(asked.title));
  const has = new Set(termsOf(bought.title));
  const share = words.size === 0 ? 0 : [...words].filter((word) => has.has(word)).length / words.size;
  if (share === 0) return 0;
  if (share < 0.1) return 0.1;
  const categories = bought.categories.filter((category) => asked.categories.includes(category)).length;
  return bought.query === asked.query || categories >= 2 || share > 0.2 ? 1 : 0.5;
}
