import { randomBytes } from "node:crypto";
import type { IncomingMessage } from "node:http";
import type { AddressInfo } from "node:net";
import { hostname } from "node:os";
import { type ServerType, serve } from "@hono/node-server";
import { Hono } from "hono";
import { bodyLimit } from "hono/body-limit";
import { refusedAccess } from "../connect/access.ts";
import { within } from "../rollout/deadline.ts";
import { AttuneError } from "../spec/error.ts";
import type { Policy } from "../spec/policy.ts";
import { decodeOrder, encodeReply } from "./sample-wire.ts";

export type PolicyServerOptions = {
  /** The address to listen on, which is also the one that workers are given; 127.0.0.1 when absent. */
  host?: string;
  /** 0 takes a free one. */
  port?: number;
  /** What a worker makes the renderer from, by file name. */
  rendererFiles: Readonly<Record<string, string>>;
};

export type PolicyServer = {
  url: string;
  /** What opens it: made anew for every server, and told to workers with their jobs. */
  key: string;
  /**
   * Serves a policy under a number that is never given again. `onFailure` is told when the policy itself fails, which
   * is no worker's doing.
   */
  open(policy: Policy, onFailure: (error: unknown) => void): number;
  /** Refuses the number from now on, and ends what is being sampled for it. */
  shut(number: number): Promise<void>;
  close(): Promise<void>;
};

type Served = {
  policy: Policy;
  onFailure(error: unknown): void;
  closing: AbortController;
  underWay: Set<Promise<unknown>>;
};

/** Bytes of one request: a prompt of a million tokens and more. */
const mostBytes = 8 * 1024 * 1024;

/**
 * Lets other processes sample from this one's policies: `POST /policies/NUMBER/sample` takes and gives the bytes of
 * sample-wire.ts, `GET /renderer` the texts of the tokenizer and its template. A policy that is closed answers 410,
 * so that a worker that comes late is never served another one. Throws `AttuneError` (io) where the port cannot be had.
 */
export async function servePolicies({
  host = "127.0.0.1",
  port = 0,
  rendererFiles,
}: PolicyServerOptions): Promise<PolicyServer> {
  const key = randomBytes(24).toString("base64url");
  const served = new Map<number, Served>();
  let next = 0;

  const app = new Hono<{ Bindings: { incoming: IncomingMessage } }>();
  app.use(async (context, proceed) => {
    const refused = refusedAccess(context.env.incoming, { key });
    if (refused) return context.json(failure("usage", refused.detail), refused.status);
    return proceed();
  });
  app.use(
    bodyLimit({
      maxSize: mostBytes,
      onError: (context) => context.json(failure("input", `expected at most ${mostBytes} bytes`), 413),
    }),
  );
  app.get("/renderer", (context) => context.json({ files: rendererFiles }));
  app.post("/policies/:number/sample", async (context) => {
    const number = context.req.param("number");
    const found = served.get(Number(number));
    if (!found) return context.json(failure("usage", `policy ${number} is not served any more`), 410);
    const { policy, closing, underWay, onFailure } = found;
    const signal = AbortSignal.any([closing.signal, context.req.raw.signal]);
    try {
      const order = decodeOrder(await context.req.arrayBuffer(), policy.tokenizer.vocabularySize);
      signal.throwIfAborted();
      const sampling = policy.sample({ ...order, signal });
      underWay.add(sampling);
      const samples = await sampling.finally(() => underWay.delete(sampling));
      return context.body(encodeReply({ version: policy.version, samples }), 200, {
        "content-type": "application/octet-stream",
      });
    } catch (error) {
      if (closing.signal.aborted)
        return context.json(failure("usage", `policy ${number} is not served any more`), 410);
      if (signal.aborted) return context.json(failure("usage", "the caller has gone"), 408);
      const { message } = error as Error;
      if (error instanceof AttuneError && error.kind === "input")
        return context.json(failure("input", message), 400);
      onFailure(error);
      return context.json(failure(error instanceof AttuneError ? error.kind : "engine", message), 500);
    }
  });

  const server = await new Promise<ServerType>((resolve, reject) => {
    const listening = serve({ fetch: app.fetch, port, hostname: host }, () => resolve(listening));
    listening.once("error", (error) =>
      reject(
        new AttuneError("io", `policies for workers: cannot listen on ${host}:${port}: ${error.message}`),
      ),
    );
  });
  const name = host === "0.0.0.0" || host === "::" ? hostname() : host;
  const shut = async (number: number) => {
    const found = served.get(number);
    if (!found) return;
    served.delete(number);
    found.closing.abort(new AttuneError("usage", `policy ${number} was closed`));
    const settled = () => Promise.allSettled(found.underWay);
    // whoever samples on after that has not heard its signal
    await Promise.resolve(within(settled, { milliseconds: 5000 })).catch(() => undefined);
  };
  return {
    url: `http://${name.includes(":") ? `[${name}]` : name}:${(server.address() as AddressInfo).port}`,
    key,
    open(policy, onFailure) {
      served.set(next, { policy, onFailure, closing: new AbortController(), underWay: new Set() });
      return next++;
    },
    shut,
    async close() {
      await Promise.all([...served.keys()].map(shut));
      const closed = new Promise<void>((resolve) => server.close(() => resolve()));
      if ("closeAllConnections" in server) server.closeAllConnections();
      await closed;
    },
  };
}

const failure = (kind: string, message: string) => ({
  error: { kind, message: message.split("\n", 1)[0]! },
});
