import { expect, it } from "vitest";
import { SandboxError } from "../spec/sandbox.ts";
import { startGuestThread } from "./guest-thread.ts";

it("is the world's failure, and not that of the code it was to run, where a thread cannot start", async () => {
  const thread = startGuestThread(new URL("./not-there.ts", import.meta.url), { startTimeMs: 10_000 });
  const asked = thread.ask({ guest: 0, verb: "exec", code: "1" }, { timeMs: 1000 });
  const error: unknown = await asked.catch((error: unknown) => error);
  expect(error).not.toBeInstanceOf(SandboxError);
  expect(error).toMatchObject({
    kind: "environment",
    message: expect.stringMatching(/^sandbox: .*not-there/),
  });
  expect(thread.isAlive()).toBe(false);
});
