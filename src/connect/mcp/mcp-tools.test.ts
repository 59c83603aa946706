import { type ChildProcess, spawn } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { afterEach, describe, expect, it } from "vitest";
import type { JsonObject } from "../../spec/json.ts";
import { ToolError } from "../../spec/tool.ts";
import type { McpServerAddress } from "./connection.ts";
import { type McpTools, mcpTools } from "./mcp-tools.ts";
import { toText } from "./tool-result.ts";

const fixture = (name: string) => join(import.meta.dirname, "fixtures", `${name}-server.mjs`);
const undo: (() => unknown)[] = [];
afterEach(async () => {
  for (const step of undo.splice(0).toReversed()) await step();
});

/** A file that a server writes to. */
function logFile() {
  const folder = mkdtempSync(join(tmpdir(), "mcp-"));
  undo.push(() => rmSync(folder, { recursive: true, force: true }));
  const path = join(folder, "log");
  const lines = () => {
    try {
      return readFileSync(path, "utf8").trim().split("\n");
    } catch {
      return [];
    }
  };
  return { path, lines };
}

const isAlive = (pid: number) => {
  try {
    return process.kill(pid, 0);
  } catch {
    return false;
  }
};

async function until(condition: () => boolean) {
  for (let tries = 0; tries < 200 && !condition(); tries++) await delay(20);
  expect(condition()).toBe(true);
}

async function httpServer(name: string, log: string): Promise<string> {
  const child: ChildProcess = spawn(process.execPath, [fixture(name), "http", log], { stdio: "pipe" });
  undo.push(() => child.kill("SIGKILL"));
  const port = await new Promise<string>((resolve) => {
    child.stdout!.once("data", (chunk: Buffer) => resolve(chunk.toString().trim()));
  });
  return `http://127.0.0.1:${port}/mcp`;
}

async function open(address: McpServerAddress, options?: Parameters<typeof mcpTools>[1]): Promise<McpTools> {
  const opened = await mcpTools(address, options);
  undo.push(() => opened.close());
  return opened;
}

async function run({ tools }: McpTools, name: string, given: JsonObject = {}, signal?: AbortSignal) {
  const tool = tools.find((tool) => tool.name === name)!;
  const checked = await tool.check(given);
  if (!checked.ok) throw new Error(`refused: ${checked.issues}`);
  return tool.execute(checked.value, { signal: signal ?? new AbortController().signal });
}

const shown = [
  "look:",
  "[image image/png, 3 bytes, not shown]",
  "[audio audio/wav, 5 bytes, not shown]",
  "[link file:///a.txt a.txt: the letter]",
  "[resource file:///b.txt]\ndear b",
  "[resource file:///c.bin application/zip, 2 bytes, not shown]",
].join("\n");

describe.each([
  ["stdio, earlier era", "earlier", "stdio", /^2025-/],
  ["stdio, current era", "current", "stdio", /^2026-07-28$/],
  ["HTTP, earlier era", "earlier", "http", /^2025-/],
  ["HTTP, current era", "current", "http", /^2026-07-28$/],
])("a server over %s", (_title, name, mode, version) => {
  const serve = async () => {
    const log = logFile();
    const address: McpServerAddress =
      mode === "http"
        ? { url: await httpServer(name, log.path), headers: { authorization: "Bearer key" } }
        : { command: process.execPath, args: [fixture(name), "stdio", log.path] };
    return { log, address };
  };

  it("has its tools called, with what it is shown as text and whose failure it is", async () => {
    const { log, address } = await serve();
    const opened = await open(address);
    expect(opened.server).toMatchObject({ name });
    expect(opened.instructions).toBe("Add things up.");
    expect(opened.protocolVersion).toMatch(version);
    expect(opened.tools.map((tool) => tool.name).slice(0, 2)).toEqual(["add", "refuse"]);
    expect(opened.tools[0]).toMatchObject({
      description: "Adds two numbers.",
      parameters: { type: "object", required: ["a", "b"], properties: { a: { type: "number" } } },
    });
    expect(await opened.tools[0]!.check({ a: "one" })).toMatchObject({ ok: false });
    expect(await run(opened, "add", { a: 2, b: 3 })).toBe("5");
    expect(await run(opened, "nothing")).toBe("ok");
    expect(await run(opened, "show")).toBe(shown);
    await expect(run(opened, "refuse")).rejects.toThrow(new ToolError("there is nothing to be had"));
    await expect(run(opened, "throw")).rejects.toBeInstanceOf(ToolError);
    if (mode === "http") expect(log.lines()).not.toContain("POST -");
    // a second connection knows the era already
    const again = await open(address);
    expect(again.protocolVersion).toBe(opened.protocolVersion);
    expect(await run(again, "add", { a: 1, b: 1 })).toBe("2");
  });

  it("is told when a call is given up", async () => {
    const { log, address } = await serve();
    const opened = await open(address, { timeoutMs: 60_000 });
    expect(opened.tools[0]!.timeoutMs).toBe(60_000);
    const controller = new AbortController();
    const waiting = run(opened, "wait", {}, controller.signal);
    setTimeout(() => controller.abort(new Error("given up")), 100);
    await expect(waiting).rejects.toThrow("given up");
    await until(() => log.lines().includes("cancelled"));
    expect(await run(opened, "add", { a: 1, b: 2 })).toBe("3");
  });

  it("does not answer in time: the world's failure", async () => {
    const { address } = await serve();
    const opened = await open(address, { timeoutMs: 50 });
    await expect(run(opened, "wait")).rejects.toMatchObject({ kind: "environment" });
  });

  it("goes away in the middle of a call: the world's failure, and of every call after it", async () => {
    const { address } = await serve();
    const opened = await open(address, { timeoutMs: 5000 });
    await expect(run(opened, "exit")).rejects.toMatchObject({ kind: "environment" });
    await expect(run(opened, "add", { a: 1, b: 2 })).rejects.toMatchObject({ kind: "environment" });
  }, 15_000);

  it("is left as it was found: no session and no process stays", async () => {
    const { log, address } = await serve();
    const opened = await open(address);
    await run(opened, "add", { a: 1, b: 2 });
    await Promise.all([opened.close(), opened.close()]);
    await opened.close();
    await expect(run(opened, "add", { a: 1, b: 2 })).rejects.toMatchObject({ kind: "environment" });
    if (mode === "stdio") {
      const pids = log.lines().map((line) => Number(line.split(" ")[1]));
      expect(pids.length).toBeGreaterThan(0);
      await until(() => !pids.some(isAlive));
    } else if (name === "earlier")
      expect(log.lines().filter((line) => line.startsWith("closed"))).toEqual(["closed true"]);
  });
});

describe("names", () => {
  const address = { command: process.execPath, args: [fixture("current")] };

  it("can be chosen from and prefixed", async () => {
    const opened = await open(address, { only: ["show", "add"], prefix: "sums_" });
    expect(opened.tools.map(({ name }) => name)).toEqual(["sums_show", "sums_add"]);
    expect(await run(opened, "sums_add", { a: 2, b: 2 })).toBe("4");
  });

  it("are refused where they are reserved or not there, and nothing stays open", async () => {
    const log = logFile();
    const logged = { ...address, args: [...address.args, "stdio", log.path] };
    await expect(mcpTools(logged, { reserved: ["add"] })).rejects.toThrow(
      'its tool "add" has a reserved name: give a `prefix`',
    );
    await expect(mcpTools(logged, { only: ["sub"] })).rejects.toThrow(
      'only: there is no tool "sub"; there are add, refuse',
    );
    await expect(mcpTools(logged, { only: ["add", "add"] })).rejects.toThrow('its tool "add" is there twice');
    await until(() => !log.lines().some((line) => isAlive(Number(line.split(" ")[1]))));
  });
});

describe("a server that is not there", () => {
  it.each<[string, McpServerAddress, string]>([
    ["no program", { command: "/no/such/program" }, "environment"],
    [
      "a program that ends",
      { command: process.execPath, args: ["-e", "throw new Error('no luck')"] },
      "environment",
    ],
    ["no listener", { url: "http://127.0.0.1:1/mcp" }, "environment"],
    ["no address", { url: "ws://127.0.0.1" }, "usage"],
    ["no command", { command: "" }, "usage"],
  ])("%s", async (_title, address, kind) => {
    const error: unknown = await mcpTools(address, { connectTimeoutMs: 3000 }).catch(
      (error: unknown) => error,
    );
    expect(error).toMatchObject({ kind });
    expect((error as Error).message).not.toContain("\n");
  });

  it("is not waited for longer than asked, nor after the signal", async () => {
    const started = logFile();
    const code = `fs.appendFileSync(${JSON.stringify(started.path)}, process.pid + "\\n"); setInterval(() => 1, 1000)`;
    const silent = { command: process.execPath, args: ["-e", code] };
    const mute = createServer(() => undefined);
    await new Promise<void>((resolve) => {
      mute.listen(0, "127.0.0.1", resolve);
    });
    undo.push(
      () => mute.close(),
      () => mute.closeAllConnections(),
    );
    const url = `http://127.0.0.1:${(mute.address() as AddressInfo).port}/mcp`;
    for (const address of [silent, { url }]) {
      await expect(mcpTools(address, { connectTimeoutMs: 200 })).rejects.toMatchObject({
        kind: "environment",
      });
      const signal = AbortSignal.timeout(100);
      await expect(mcpTools(address, { signal })).rejects.toThrow("aborted due to timeout");
    }
    // on a slow machine one may have been ended before it could write
    await until(() => started.lines().every((pid) => !isAlive(Number(pid))));
  }, 20_000);
});

it("shows structured content where there is nothing else, and names parts it does not know", () => {
  expect(toText({ structuredContent: { a: 1 } })).toBe('{"a":1}');
  expect(toText({ content: [{ type: "hologram" }] })).toBe("[hologram, not shown]");
});
