import { categories, cities, statuses } from "./shop.ts";
import { call, loneOrder, only, rows, type Template } from "./template.ts";

/** Questions that one call answers, about a record whose id is known. */
export const lookUps: Template[] = [
  (shop, random) => {
    const { id } = random.pick(rows(shop.products));
    return {
      question: `What does product ${id} cost?`,
      plan: [call("getProduct", { product_id: id })],
      answer: "$0.price",
      key: `price ${id}`,
    };
  },
  (shop, random) => {
    const { id } = random.pick(rows(shop.products));
    return {
      question: `How many of product ${id} are in stock?`,
      plan: [call("getProduct", { product_id: id })],
      answer: "$0.stock",
      key: `stock ${id}`,
    };
  },
  (shop, random) => {
    const { id } = random.pick(rows(shop.customers));
    return {
      question: `In which city does customer ${id} live?`,
      plan: [call("getCustomer", { customer_id: id })],
      answer: "$0.city",
      key: `city ${id}`,
    };
  },
  (shop, random) => {
    const { id } = random.pick(rows(shop.orders));
    return {
      question: `Which product is in order ${id}? Give its id.`,
      plan: [call("getOrder", { order_id: id })],
      answer: "$0.product_id",
      key: `product ${id}`,
    };
  },
];

/** Questions that one search answers. */
export const filters: Template[] = [
  (shop, random) => {
    const [category, max] = [random.pick(categories), 10 + random.integer(80)];
    const product = only(
      rows(shop.products),
      (product) => product.category === category && product.price <= max,
    );
    return (
      product && {
        question: `Which ${category} product costs ${max} at most? Give its name.`,
        plan: [call("listProducts", { category, max_price: max })],
        answer: "$0.name",
        key: `${category} ${max}`,
      }
    );
  },
  (shop, random) => {
    const city = random.pick(cities);
    const customer = only(rows(shop.customers), (customer) => customer.city === city);
    return (
      customer && {
        question: `Which customer lives in ${city}? Give the id.`,
        plan: [call("listCustomers", { city })],
        answer: "$0.id",
        key: `${city} ${customer.id}`,
      }
    );
  },
  (shop, random) => {
    const status = random.pick(statuses);
    const order = loneOrder(shop, random, status);
    return (
      order && {
        question: `Which order of customer ${order.customer_id} is ${status}? Give its id.`,
        plan: [call("listOrders", { customer_id: order.customer_id, status })],
        answer: "$0.id",
        key: `${status} ${order.customer_id}`,
      }
    );
  },
];

/** Questions for which one call leads to the next. */
export const follows: Template[] = [
  (shop, random) => {
    const { id } = random.pick(rows(shop.orders));
    return {
      question: `In which city does the customer of order ${id} live?`,
      plan: [call("getOrder", { order_id: id }), call("getCustomer", { customer_id: "$0.customer_id" })],
      answer: "$1.city",
      key: `city ${id}`,
    };
  },
  (shop, random) => {
    const { id } = random.pick(rows(shop.orders));
    return {
      question: `What is the product in order ${id} called?`,
      plan: [call("getOrder", { order_id: id }), call("getProduct", { product_id: "$0.product_id" })],
      answer: "$1.name",
      key: `product name ${id}`,
    };
  },
  (shop, random) => {
    const status = random.pick(statuses);
    const order = loneOrder(shop, random, status);
    if (!order) return undefined;
    const { name } = shop.customers.get(order.customer_id)!;
    return {
      question: `Which order of ${name} is ${status}? Give its id.`,
      plan: [call("listCustomers", { name }), call("listOrders", { customer_id: "$0.id", status })],
      answer: "$1.id",
      key: `${status} ${name}`,
    };
  },
];
