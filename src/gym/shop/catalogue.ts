import { createRandom, deriveSeed, type Random } from "../../kit/random.ts";
import { type ProductKind, productKinds } from "./product-kinds.ts";
import { createSearchIndex, type SearchIndex } from "./search-index.ts";

/** What the shop sells under one id. Its options are all offered at one price. */
export type Item = {
  id: string;
  kind: ProductKind;
  title: string;
  brand: string;
  attributes: readonly string[];
  options: Readonly<Record<string, readonly string[]>>;
  priceCents: number;
  /** Tenths of a star. */
  rating: number;
};

/** Everything a shop sells, read by all its sessions at once. */
export type Catalogue = { items: readonly Item[]; byId: ReadonlyMap<string, Item>; index: SearchIndex };

const brands = (
  "Alderly Brightmoor Calvera Dunmore Eastwick Fennimore Galvan Harrowgate Ivaro Juniper Kestrel Lowell Marisol " +
  "Norwick Ostera Pemberly Quillon Rivermark Solano Tamarin Ulverton Verano Westray Yarrow Zephyra"
).split(" ");

/** The catalogue made last, so that environments of the same size read one. */
let latest: { count: number; catalogue: Catalogue } | undefined;

/** The shop's items with their search index: the same for the same number of them, and made when first asked for. */
export function catalogueOf(count: number): Catalogue {
  if (latest?.count !== count) latest = { count, catalogue: buildCatalogue(count) };
  return latest.catalogue;
}

/** Items in equal shares of every kind of product. */
function buildCatalogue(count: number): Catalogue {
  const random = createRandom(deriveSeed("shop catalogue", 1));
  const byId = new Map<string, Item>();
  while (byId.size < count) {
    const item = drawItem(random, productKinds[byId.size % productKinds.length]!);
    byId.set(item.id, item);
  }
  const items = [...byId.values()];
  return { items, byId, index: createSearchIndex(items.map(searchText)) };
}

function drawItem(random: Random, kind: ProductKind): Item {
  const brand = random.pick(brands);
  const attributes = random.shuffle(kind.attributes).slice(0, 3 + random.integer(3));
  const options = Object.fromEntries(
    Object.entries(kind.options).map(([option, values]) => {
      const most = Math.min(values.length, 6);
      const chosen = new Set(random.shuffle(values).slice(0, 2 + random.integer(most - 1)));
      return [option, values.filter((value) => chosen.has(value))];
    }),
  );
  const [least, most] = kind.price;
  // cheap items are more common than dear ones
  const dollars = Math.floor(least + (most - least) * random.next() ** 1.5);
  return {
    id: drawId(random),
    kind,
    title: `${brand} ${random.pick(kind.names)}, ${attributes.slice(0, 2).map(capitalise).join(", ")}`,
    brand,
    attributes,
    options,
    priceCents: dollars * 100 + random.pick([0, 49, 95, 99]),
    rating: 30 + random.integer(21),
  };
}

const idSigns = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ";

/** Ten signs that begin with a B, as product ids elsewhere do. */
const drawId = (random: Random) =>
  `B${Array.from({ length: 9 }, () => idSigns[random.integer(idSigns.length)]).join("")}`;

const capitalise = (text: string) => text.replace(/\b[a-z]/g, (letter) => letter.toUpperCase());

export const priceOf = (cents: number): string => `$${(cents / 100).toFixed(2)}`;

/** What its page says about an item in a sentence or two. */
export function describeItem({ title, brand, kind, options }: Item): string {
  const choices = Object.entries(options).map(([option, values]) => `${values.length} of ${option}`);
  return `${title}. By ${brand}, in ${kind.categories.join(" › ")}. Choices: ${choices.join(", ")}.`;
}

/** What a search looks through. What only an item's own pages tell is not in it: those have to be opened. */
const searchText = ({ title, kind }: Item) => [title, kind.query, ...kind.categories].join(" ");
