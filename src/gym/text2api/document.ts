import type { OpenApiDocument } from "../../connect/openapi/document.ts";
import { categories, statuses } from "./shop.ts";

const text = (description?: string) => ({ type: "string", ...(description && { description }) });
const amount = (minimum: number) => ({ type: "integer", minimum });
const category = { type: "string", enum: categories };
const status = { type: "string", enum: statuses };

const inPath = (name: string) => ({ name, in: "path", required: true, schema: text() });
const inQuery = (name: string, schema: object, description?: string) => ({
  name,
  in: "query",
  schema,
  ...(description && { description }),
});
const body = (name: string) => ({
  required: true,
  content: { "application/json": { schema: { $ref: `#/components/schemas/${name}` } } },
});
const object = (properties: object, required?: string[]) => ({
  type: "object",
  properties,
  ...(required && { required }),
  additionalProperties: false,
});
const responses = { default: { description: "JSON" } };

/** The shop's API as OpenAPI: what the tools are made of, and what the server routes by. */
export const shopDocument = {
  openapi: "3.1.0",
  info: { title: "Back office of a shop", version: "1" },
  paths: {
    "/products": {
      get: {
        operationId: "listProducts",
        summary: "Products that match every filter given.",
        parameters: [
          inQuery("name", text(), "part of the name"),
          inQuery("category", category),
          inQuery("max_price", amount(0)),
        ],
        responses,
      },
      post: {
        operationId: "createProduct",
        summary: "Adds a product and returns it.",
        requestBody: body("NewProduct"),
        responses,
      },
    },
    "/products/{product_id}": {
      parameters: [inPath("product_id")],
      get: { operationId: "getProduct", summary: "One product.", responses },
      patch: {
        operationId: "updateProduct",
        summary: "Changes price or stock of a product.",
        requestBody: body("ProductChange"),
        responses,
      },
    },
    "/customers": {
      get: {
        operationId: "listCustomers",
        summary: "Customers that match every filter given.",
        parameters: [inQuery("name", text(), "part of the name"), inQuery("city", text())],
        responses,
      },
    },
    "/customers/{customer_id}": {
      parameters: [inPath("customer_id")],
      get: { operationId: "getCustomer", summary: "One customer.", responses },
      patch: {
        operationId: "updateCustomer",
        summary: "Changes city or email of a customer.",
        requestBody: body("CustomerChange"),
        responses,
      },
    },
    "/orders": {
      get: {
        operationId: "listOrders",
        summary: "Orders that match every filter given.",
        parameters: [
          inQuery("customer_id", text()),
          inQuery("product_id", text()),
          inQuery("status", status),
        ],
        responses,
      },
      post: {
        operationId: "createOrder",
        summary: "Orders a product for a customer and returns the order. Takes the quantity out of stock.",
        requestBody: body("NewOrder"),
        responses,
      },
    },
    "/orders/{order_id}": {
      parameters: [inPath("order_id")],
      get: { operationId: "getOrder", summary: "One order.", responses },
      patch: {
        operationId: "updateOrder",
        summary: "Changes the status of an order.",
        requestBody: body("OrderChange"),
        responses,
      },
      delete: { operationId: "deleteOrder", summary: "Deletes an order.", responses },
    },
  },
  components: {
    schemas: {
      NewProduct: object(
        { name: { ...text(), minLength: 1 }, category, price: amount(0), stock: amount(0) },
        ["name", "category", "price", "stock"],
      ),
      ProductChange: object({ price: amount(0), stock: amount(0) }),
      CustomerChange: object({ city: text(), email: text() }),
      NewOrder: object({ customer_id: text(), product_id: text(), quantity: amount(1) }, [
        "customer_id",
        "product_id",
        "quantity",
      ]),
      OrderChange: object({ status }, ["status"]),
    },
  },
} satisfies OpenApiDocument;
