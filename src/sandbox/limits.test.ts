import { expect, it } from "vitest";
import { createMemoryShell } from "./memory-shell.ts";
import { createPyodide } from "./pyodide.ts";
import { createQuickJs } from "./quickjs.ts";

it.each([
  [() => createQuickJs({ limits: { timeMs: 0 } }), /timeMs as a whole number above 0, got 0/],
  [() => createQuickJs({ limits: { memoryBytes: 1000 } }), /memoryBytes of 16777216 or more, got 1000/],
  [() => createPyodide({ limits: { memoryBytes: 1000 } }), /memoryBytes of 67108864 or more, got 1000/],
  [() => createMemoryShell({ limits: { network: 1 } as object }), /no limit "network" to set/],
  [() => createQuickJs({ threads: 0 }), /expected threads/],
  [() => createPyodide({ most: 0 }), /expected warm of 0 or more and most above 0/],
])("refuses limits that make no sense: %#", (make, message) => {
  expect(make).toThrow(message);
});

it("opens nothing once a driver is closed, and closes what was open", async () => {
  const driver = createQuickJs();
  const sandbox = driver.open();
  await sandbox.exec("1");
  await driver.close();
  expect(() => driver.open()).toThrow("the driver is closed");
  await expect(sandbox.exec("1")).rejects.toThrow("the sandbox is closed");
});

it("takes a snapshot only in its own language", () => {
  const snapshot = { language: "python", files: {}, steps: [] } as const;
  for (const driver of [createQuickJs(), createMemoryShell()])
    expect(() => driver.open({ snapshot: { ...snapshot, steps: [] } })).toThrow(/got one of python/);
});
