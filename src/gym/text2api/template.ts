import type { Random } from "../../kit/random.ts";
import type { Step } from "./plan.ts";
import type { Order, Shop } from "./shop.ts";

/** What a template makes of a shop; undefined where the shop does not have what it needs. */
export type Draft = { question: string; plan: Step[]; answer?: string; key: string } | undefined;
export type Template = (shop: Shop, random: Random) => Draft;

export const call = (name: string, args: Step["arguments"]): Step => ({ name, arguments: args });
export const rows = <Row>(table: Map<string, Row>): Row[] => [...table.values()];
export const otherThan = (random: Random, items: readonly string[], taken: string) =>
  random.pick(items.filter((item) => item !== taken));

/** The only one that fits, where there is exactly one. */
export function only<Row>(items: readonly Row[], fits: (item: Row) => boolean): Row | undefined {
  const found = items.filter(fits);
  return found.length === 1 ? found[0] : undefined;
}

/** An order that its customer and status tell from all others. */
export function loneOrder(shop: Shop, random: Random, status: Order["status"]): Order | undefined {
  const orders = rows(shop.orders);
  const customer_id = random.pick(orders).customer_id;
  return only(orders, (order) => order.customer_id === customer_id && order.status === status);
}
