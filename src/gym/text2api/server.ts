import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { AttuneError } from "../../spec/error.ts";
import type { Json, JsonObject } from "../../spec/json.ts";
import { shopDocument } from "./document.ts";
import { operate, type Reply } from "./operations.ts";
import type { Shop } from "./shop.ts";

/** A session's place at the server: where it listens, and the header that says whose shop is meant. */
export type Place = { url: string; headers: Record<string, string>; release(): Promise<void> };

const sessionHeader = "x-shop-session";
const maxBodyBytes = 1 << 16;

type Running = { server: Server; url: string; shops: Map<string, Shop> };

/**
 * One HTTP server on loopback for all sessions, each with a shop of its own. It starts with the first session and
 * stops with the last.
 */
export function createSharedServer(): { join(shop: Shop): Promise<Place> } {
  let running: Promise<Running> | undefined;
  let members = 0;
  let next = 0;

  const leave = async (of: Promise<Running>, key?: string) => {
    members--;
    // a session that joins while the old one stops gets a server of its own
    const last = members === 0;
    if (last) running = undefined;
    const { server, shops } = await of;
    if (key !== undefined) shops.delete(key);
    if (last) await stop(server);
  };

  return {
    async join(shop) {
      members++;
      running ??= listen();
      const mine = running;
      try {
        const { url, shops } = await mine;
        const key = String(next++);
        shops.set(key, shop);
        let released: Promise<void> | undefined;
        return {
          url,
          headers: { [sessionHeader]: key },
          release: () => (released ??= leave(mine, key)),
        };
      } catch (error) {
        members--;
        if (running === mine) running = undefined;
        throw error;
      }
    },
  };
}

async function listen(): Promise<Running> {
  const shops = new Map<string, Shop>();
  const server = createServer((request, response) => void answer(request, response, shops));
  // clients keep connections between calls; one cut while idle would look like a broken world
  server.keepAliveTimeout = 600_000;
  await new Promise<void>((resolve, reject) => {
    server.once("error", ({ message }) => {
      reject(new AttuneError("environment", `text2api: the API's server cannot listen: ${message}`));
    });
    server.listen(0, "127.0.0.1", resolve);
  });
  server.unref();
  return { server, shops, url: `http://127.0.0.1:${(server.address() as AddressInfo).port}` };
}

async function stop(server: Server): Promise<void> {
  await new Promise<void>((resolve) => {
    server.close(() => resolve());
    server.closeAllConnections();
  });
}

async function answer(
  request: IncomingMessage,
  response: ServerResponse,
  shops: Map<string, Shop>,
): Promise<void> {
  let reply: Reply;
  try {
    const shop = shops.get(String(request.headers[sessionHeader]));
    reply = shop ? await route(request, shop) : { status: 500, body: { error: "no such session" } };
  } catch (error) {
    reply = { status: 500, body: { error: (error as Error).message } };
  }
  response.statusCode = reply.status;
  if (reply.body === null) return void response.end();
  response.setHeader("content-type", "application/json");
  response.end(JSON.stringify(reply.body));
}

async function route(request: IncomingMessage, shop: Shop): Promise<Reply> {
  const { pathname, searchParams } = new URL(request.url!, "http://loopback");
  const method = request.method!.toLowerCase();
  for (const { pattern, operations } of routes) {
    const match = pattern.exec(pathname);
    const operation = match && operations[method];
    if (!operation) continue;
    const inPath = Object.entries(match.groups ?? {}).map(([name, value]) => [
      name,
      decodeURIComponent(value),
    ]);
    const inQuery = [...searchParams].map(([name, value]) => [
      name,
      operation.numbers.has(name) ? Number(value) : value,
    ]);
    const given = Object.fromEntries([...inQuery, ...inPath]) as JsonObject;
    return operate(shop, operation.name, { ...(await bodyOf(request)), ...given });
  }
  return { status: 404, body: { error: `no ${request.method} ${pathname}` } };
}

async function bodyOf(request: IncomingMessage): Promise<JsonObject> {
  const chunks: Buffer[] = [];
  let size = 0;
  for await (const chunk of request as AsyncIterable<Buffer>) {
    size += chunk.length;
    if (size > maxBodyBytes) throw new Error(`got a body of more than ${maxBodyBytes} bytes`);
    chunks.push(chunk);
  }
  return size === 0 ? {} : (JSON.parse(Buffer.concat(chunks).toString("utf8")) as JsonObject);
}

type PathItem = Record<
  string,
  { operationId?: string; parameters?: { name: string; schema: { [keyword: string]: Json | object } }[] }
>;

const routes = Object.entries(shopDocument.paths as unknown as Record<string, PathItem>).map(
  ([path, item]) => ({
    pattern: new RegExp(`^${path.replace(/\{(\w+)\}/g, "(?<$1>[^/]+)")}$`),
    operations: Object.fromEntries(
      Object.entries(item)
        .filter(([, { operationId }]) => operationId !== undefined)
        .map(([method, { operationId, parameters = [] }]) => {
          const numbers = parameters
            .filter(({ schema }) => schema.type === "integer")
            .map(({ name }) => name);
          return [method, { name: operationId!, numbers: new Set(numbers) }];
        }),
    ) as Record<string, { name: string; numbers: Set<string> }>,
  }),
);
