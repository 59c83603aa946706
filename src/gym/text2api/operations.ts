import type { Json, JsonObject } from "../../spec/json.ts";
import type { Customer, Order, Product, Shop } from "./shop.ts";

/** What the API answers; `body` is null where there is nothing to say. */
export type Reply = { status: number; body: Json };

/** A refusal that the caller is shown. */
class Refusal extends Error {
  readonly status: number;

  constructor(status: number, message: string) {
    super(message);
    this.status = status;
  }
}

type Given = JsonObject & { [name: string]: Json };

/** What each operation of the document does to a shop. Arguments are of the right types. */
const operations: Record<string, (shop: Shop, given: Given) => Reply> = {
  listProducts: ({ products }, { name, category, max_price }) =>
    ok(
      [...products.values()].filter(
        (product) =>
          contains(product.name, name) &&
          (category === undefined || product.category === category) &&
          (max_price === undefined || product.price <= (max_price as number)),
      ),
    ),
  createProduct({ products, fresh }, { name, category, price, stock }) {
    if ([...products.values()].some((product) => product.name === name))
      throw new Refusal(409, `there is a product "${name as string}" already`);
    const product = { id: nextId(fresh.products), name, category, price, stock } as Product;
    products.set(product.id, product);
    return { status: 201, body: product };
  },
  getProduct: ({ products }, { product_id }) => ok(found(products, "product", product_id)),
  updateProduct: ({ products }, { product_id, ...change }) =>
    ok(changed(products, found(products, "product", product_id), change)),
  listCustomers: ({ customers }, { name, city }) =>
    ok(
      [...customers.values()].filter(
        (customer) => contains(customer.name, name) && (city === undefined || same(customer.city, city)),
      ),
    ),
  getCustomer: ({ customers }, { customer_id }) => ok(found(customers, "customer", customer_id)),
  updateCustomer: ({ customers }, { customer_id, ...change }) =>
    ok(changed(customers, found(customers, "customer", customer_id), change)),
  listOrders: ({ orders }, filters) =>
    ok(
      [...orders.values()].filter((order) =>
        Object.entries(filters).every(([name, value]) => order[name as keyof Order] === value),
      ),
    ),
  createOrder({ orders, products, customers, fresh }, { customer_id, product_id, quantity }) {
    const customer = found(customers, "customer", customer_id);
    const product = found(products, "product", product_id);
    const wanted = quantity as number;
    if (wanted > product.stock) throw new Refusal(409, `only ${product.stock} in stock`);
    changed(products, product, { stock: product.stock - wanted });
    const order: Order = {
      id: nextId(fresh.orders),
      customer_id: customer.id,
      product_id: product.id,
      quantity: wanted,
      status: "open",
    };
    orders.set(order.id, order);
    return { status: 201, body: order };
  },
  getOrder: ({ orders }, { order_id }) => ok(found(orders, "order", order_id)),
  updateOrder: ({ orders }, { order_id, ...change }) =>
    ok(changed(orders, found(orders, "order", order_id), change)),
  deleteOrder({ orders }, { order_id }) {
    orders.delete(found(orders, "order", order_id).id);
    return { status: 204, body: null };
  },
};

/** Runs an operation by name; what it refuses is an answer too. */
export function operate(shop: Shop, name: string, given: JsonObject): Reply {
  try {
    return operations[name]!(shop, given);
  } catch (error) {
    if (error instanceof Refusal) return { status: error.status, body: { error: error.message } };
    throw error;
  }
}

const ok = (body: Json): Reply => ({ status: 200, body });

function found<Row extends Product | Customer | Order>(
  table: Map<string, Row>,
  noun: string,
  id: Json | undefined,
): Row {
  const record = table.get(id as string);
  if (!record) throw new Refusal(404, `no ${noun} "${id as string}"`);
  return record;
}

/** Records are replaced, never written to, so that whoever holds the old one keeps it. */
function changed<Row extends Product | Customer | Order>(
  table: Map<string, Row>,
  record: Row,
  change: JsonObject,
): Row {
  const next = { ...record, ...change };
  table.set(record.id, next);
  return next;
}

function nextId(fresh: string[]): string {
  const id = fresh.shift();
  if (id === undefined) throw new Refusal(409, "the shop takes no more records today");
  return id;
}

const lower = (text: Json) => (text as string).toLowerCase();
const same = (text: string, other: Json) => lower(text) === lower(other);
const contains = (text: string, part: Json | undefined) =>
  part === undefined || lower(text).includes(lower(part));
