import { Worker } from "node:worker_threads";
import { describe, expect, it } from "vitest";
import { AttuneError } from "../spec/error.ts";
import { connectThread } from "./thread.ts";

/** A thread that does what a line of code says with each message. */
const start = (onMessage: string) =>
  connectThread(
    new Worker(
      `const { parentPort } = require("node:worker_threads"); parentPort.on("message", (message) => { ${onMessage} });`,
      { eval: true },
    ),
  );
const order = { prompt: Int32Array.of(1), params: { maxTokens: 1, temperature: 1, seed: 1 }, stream: 0 };
const answerSamples = `
  if (message.verb === "close") parentPort.postMessage({ type: "result", id: message.id });
  for (const { id } of message.orders ?? [])
    parentPort.postMessage({ type: "result", id, result: message.orders.length });`;

describe("the engine's thread", () => {
  it("fails what waits and what is asked later when it ends by itself", async () => {
    const thread = start("if (message.verb) process.exit(3)");
    const waiting = [thread.call("describe", []), thread.call("totals", []), thread.sample(0, order)];
    for (const { status, reason } of (await Promise.allSettled(waiting)) as PromiseRejectedResult[]) {
      expect(status).toBe("rejected");
      expect(reason).toBeInstanceOf(AttuneError);
      expect((reason as Error).message).toBe("the engine's thread ended with code 3");
    }
    await expect(thread.call("describe", [])).rejects.toThrow("ended with code 3");
    await expect(thread.sample(0, order)).rejects.toThrow("ended with code 3");
    await thread.stop();
  });

  it("says what was thrown when it dies of an error", async () => {
    const thread = start('throw new Error("out of memory")');
    await expect(thread.call("describe", [])).rejects.toThrow("the engine's thread failed: out of memory");
    await thread.stop();
  });

  it("sends the samples of one turn of the event loop together, whenever in it they are asked for", async () => {
    const thread = start(answerSamples);
    const late = Promise.resolve().then(() => Promise.resolve().then(() => thread.sample(0, order)));
    expect(await Promise.all([thread.sample(0, order), thread.sample(0, order), late])).toEqual([3, 3, 3]);
    await thread.stop();
  });

  it("does not send a sample that is aborted before it leaves", async () => {
    const thread = start(answerSamples);
    const controller = new AbortController();
    const reason = new Error("enough");
    const doomed = thread.sample(0, order, controller.signal);
    const other = thread.sample(0, order);
    controller.abort(reason);
    await expect(doomed).rejects.toBe(reason);
    expect(await other).toBe(1);
    await thread.stop();
  });

  it("stops once, however often it is told to, and refuses what comes after", async () => {
    const thread = start(answerSamples);
    await Promise.all([thread.stop(), thread.stop()]);
    await thread.stop();
    await expect(thread.call("describe", [])).rejects.toThrow("the trainer has been closed");
  });
});
