import { categories, cities, drawProductName, statuses } from "./shop.ts";
import { call, loneOrder, otherThan, rows, type Template } from "./template.ts";

/** One call that adds a record. */
export const creates: Template[] = [
  (shop, random) => {
    const [customer, product] = [random.pick(rows(shop.customers)), random.pick(rows(shop.products))];
    const quantity = 1 + random.integer(9);
    return {
      question: `Order ${quantity} of product ${product.id} for customer ${customer.id}. Give the order's id.`,
      plan: [call("createOrder", { customer_id: customer.id, product_id: product.id, quantity })],
      answer: "$0.id",
      key: `${product.id} ${customer.id}`,
    };
  },
  (_shop, random) => {
    const [name, category] = [drawProductName(random), random.pick(categories)];
    const [price, stock] = [5 + random.integer(95), 10 + random.integer(50)];
    return {
      question: `Add the ${category} product ${name}: price ${price}, stock ${stock}. Give its id.`,
      plan: [call("createProduct", { name, category, price, stock })],
      answer: "$0.id",
      key: `${name} ${category}`,
    };
  },
];

/** One call that changes or deletes a record whose id is known. */
export const updates: Template[] = [
  (shop, random) => {
    const { id } = random.pick(rows(shop.products));
    const stock = 60 + random.integer(40);
    return {
      question: `Set the stock of product ${id} to ${stock}.`,
      plan: [call("updateProduct", { product_id: id, stock })],
      key: `stock ${id}`,
    };
  },
  (shop, random) => {
    const { id } = random.pick(rows(shop.products));
    const price = 100 + random.integer(100);
    return {
      question: `Product ${id} now costs ${price}.`,
      plan: [call("updateProduct", { product_id: id, price })],
      key: `price ${id}`,
    };
  },
  (shop, random) => {
    const { id, city } = random.pick(rows(shop.customers));
    const next = otherThan(random, cities, city);
    return {
      question: `Customer ${id} moved to ${next}.`,
      plan: [call("updateCustomer", { customer_id: id, city: next })],
      key: `${id} ${next}`,
    };
  },
  (shop, random) => {
    const { id, status } = random.pick(rows(shop.orders));
    const next = otherThan(random, statuses, status);
    return {
      question: `Order ${id} is ${next} now.`,
      plan: [call("updateOrder", { order_id: id, status: next })],
      key: `${id} ${next}`,
    };
  },
  (shop, random) => {
    const { id } = random.pick(rows(shop.orders));
    return {
      question: `Delete order ${id}.`,
      plan: [call("deleteOrder", { order_id: id })],
      key: `delete ${id}`,
    };
  },
];

/** A search for the id, then a change. */
export const twoSteps: Template[] = [
  (shop, random) => {
    const { name } = random.pick(rows(shop.products));
    const stock = 60 + random.integer(40);
    return {
      question: `Set the stock of the ${name} to ${stock}.`,
      plan: [call("listProducts", { name }), call("updateProduct", { product_id: "$0.id", stock })],
      key: `stock ${name}`,
    };
  },
  (shop, random) => {
    const { name, city } = random.pick(rows(shop.customers));
    const next = otherThan(random, cities, city);
    return {
      question: `${name} moved to ${next}.`,
      plan: [call("listCustomers", { name }), call("updateCustomer", { customer_id: "$0.id", city: next })],
      key: `${name} ${next}`,
    };
  },
  (shop, random) => {
    const order = loneOrder(shop, random, "open");
    return (
      order && {
        question: `The open order of customer ${order.customer_id} is sent now.`,
        plan: [
          call("listOrders", { customer_id: order.customer_id, status: "open" }),
          call("updateOrder", { order_id: "$0.id", status: "sent" }),
        ],
        key: `sent ${order.customer_id}`,
      }
    );
  },
  (shop, random) => {
    const { name } = random.pick(rows(shop.products));
    const { id } = random.pick(rows(shop.customers));
    const quantity = 1 + random.integer(9);
    return {
      question: `Order ${quantity} of the ${name} for customer ${id}. Give the order's id.`,
      plan: [
        call("listProducts", { name }),
        call("createOrder", { customer_id: id, product_id: "$0.id", quantity }),
      ],
      answer: "$1.id",
      key: `order ${name}`,
    };
  },
];
