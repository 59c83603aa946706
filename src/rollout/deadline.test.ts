import { getEventListeners } from "node:events";
import { describe, expect, it } from "vitest";
import { type Clock, DeadlineError, within } from "./deadline.ts";

const forever = () => new Promise<never>(() => undefined);

describe("within", () => {
  it("returns what the work returns, and leaves no timer and no fired signal behind", async () => {
    const { signal } = new AbortController();
    let given: AbortSignal | undefined;
    const work = async ({ signal: inner }: Clock) => {
      given = inner;
      return 7;
    };
    expect(await within(work, { milliseconds: 10, outer: signal })).toBe(7);
    expect(within(() => 8, { milliseconds: 10 })).toBe(8);
    await new Promise((resolve) => setTimeout(resolve, 20));
    expect(given!.aborted).toBe(false);
  });

  it("gives a signal one listener, however many wait for it, and every one of them hears it", async () => {
    const controller = new AbortController();
    const waiting = Array.from({ length: 50 }, () => within(forever, { outer: controller.signal }));
    await within(() => "done", { outer: controller.signal });
    expect(getEventListeners(controller.signal, "abort")).toHaveLength(1);
    controller.abort(new Error("enough"));
    const ends = await Promise.allSettled(waiting);
    expect(ends.every(({ status }) => status === "rejected")).toBe(true);
  });

  it("stops waiting when time is up, and tells the work", async () => {
    let told: unknown;
    const work = ({ signal: inner }: Clock) => {
      inner.addEventListener("abort", () => (told = inner.reason));
      return forever();
    };
    await expect(within(work, { milliseconds: 5 })).rejects.toThrow(DeadlineError);
    expect(told).toBeInstanceOf(DeadlineError);
  });

  it("says that time was up even when the work fails because of it", async () => {
    const work = ({ signal: inner }: Clock) =>
      new Promise<never>((_, reject) =>
        inner.addEventListener("abort", () => reject(new Error("aborted fetch"))),
      );
    await expect(within(work, { milliseconds: 5 })).rejects.toThrow("took longer than 5 ms");
  });

  it("stops for the reason of the outer signal, before or during the work", async () => {
    const controller = new AbortController();
    const waiting = within(forever, { outer: controller.signal });
    controller.abort(new Error("enough"));
    await expect(waiting).rejects.toThrow("enough");
    let ran = false;
    expect(() => within(() => (ran = true), { outer: controller.signal })).toThrow("enough");
    expect(ran).toBe(false);
  });

  it("passes on what the work throws, at once or later", async () => {
    const throwing = () => {
      throw new Error("at once");
    };
    expect(() => within(throwing, {})).toThrow("at once");
    await expect(within(() => Promise.reject(new Error("later")), {})).rejects.toThrow("later");
  });

  it("waits without end when told to", async () => {
    const slow = new Promise((resolve) => setTimeout(() => resolve("done"), 5));
    expect(await within(() => slow, { milliseconds: Number.POSITIVE_INFINITY })).toBe("done");
  });
});
