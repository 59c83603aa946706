import { createRandom, deriveSeed, type Random } from "../../kit/random.ts";
import type { Json } from "../../spec/json.ts";

export type Product = { id: string; name: string; category: string; price: number; stock: number };
export type Customer = { id: string; name: string; city: string; email: string };
export type Order = {
  id: string;
  customer_id: string;
  product_id: string;
  quantity: number;
  status: OrderStatus;
};
export type OrderStatus = (typeof statuses)[number];

/** What a session's API works on. Records by id, in the order they came; ids of new ones are waiting in `fresh`. */
export type Shop = {
  products: Map<string, Product>;
  customers: Map<string, Customer>;
  orders: Map<string, Order>;
  fresh: { products: string[]; orders: string[] };
};

/** What was changed: the record as it is now, or null for one that is gone, by `table/id`. */
export type Changes = Record<string, Json>;

export const statuses = ["open", "sent", "returned"] as const;
export const categories = ["kitchen", "garden", "office", "sport"] as const;
export const cities = ["Porto", "Bergen", "Turin", "Ghent", "Lyon", "Graz", "Cork", "Malmo"];

const things = ["Lamp", "Kettle", "Chair", "Rake", "Ball", "Clock", "Basket", "Mirror", "Stapler", "Bottle"];
const colours = ["Red", "Blue", "Green", "White", "Black", "Yellow"];
const firstNames = ["Mira", "Otto", "Ines", "Paul", "Lena", "Hugo", "Nora", "Emil", "Rosa", "Karl"];
const lastNames = ["Stone", "Weber", "Silva", "Moreau", "Berg", "Rossi", "Novak", "Quinn", "Dahl", "Costa"];

const productCount = 6;
const customerCount = 6;
const orderCount = 8;
const freshCount = 20;

export const drawName = (random: Random): string => `${random.pick(firstNames)} ${random.pick(lastNames)}`;
export const drawProductName = (random: Random): string => `${random.pick(colours)} ${random.pick(things)}`;

/** The same shop for a seed. Ids are drawn, so that a right one cannot be guessed. */
export function createShop(seed: number): Shop {
  const random = createRandom(deriveSeed(seed, "text2api shop"));
  const ids = (letter: string, count: number) =>
    distinct(count, () => `${letter}${100 + random.integer(900)}`);

  const productIds = ids("p", productCount + freshCount);
  const productNames = distinct(productCount, () => drawProductName(random));
  const products = productNames.map(
    (name, index): Product => ({
      id: productIds[index]!,
      name,
      category: random.pick(categories),
      price: 5 + random.integer(95),
      stock: 10 + random.integer(50),
    }),
  );

  const customerIds = ids("c", customerCount);
  const customers = distinct(customerCount, () => drawName(random)).map(
    (name, index): Customer => ({
      id: customerIds[index]!,
      name,
      city: random.pick(cities),
      email: `${name.toLowerCase().replace(" ", ".")}@example.org`,
    }),
  );

  const orderIds = ids("o", orderCount + freshCount);
  const orders = orderIds.slice(0, orderCount).map(
    (id): Order => ({
      id,
      customer_id: random.pick(customers).id,
      product_id: random.pick(products).id,
      quantity: 1 + random.integer(9),
      status: random.pick(statuses),
    }),
  );

  return {
    products: byId(products),
    customers: byId(customers),
    orders: byId(orders),
    fresh: { products: productIds.slice(productCount), orders: orderIds.slice(orderCount) },
  };
}

/** What differs between a shop and the one it was. */
export function changesBetween(before: Shop, after: Shop): Changes {
  const changes: Changes = {};
  for (const table of ["products", "customers", "orders"] as const) {
    const [old, now] = [before[table] as Map<string, Json>, after[table] as Map<string, Json>];
    for (const id of new Set([...old.keys(), ...now.keys()])) {
      const record = now.get(id) ?? null;
      if (JSON.stringify(old.get(id) ?? null) !== JSON.stringify(record)) changes[`${table}/${id}`] = record;
    }
  }
  return changes;
}

function distinct(count: number, draw: () => string): string[] {
  const drawn = new Set<string>();
  while (drawn.size < count) drawn.add(draw());
  return [...drawn];
}

const byId = <Row extends { id: string }>(records: readonly Row[]): Map<string, Row> =>
  new Map(records.map((record) => [record.id, record]));
