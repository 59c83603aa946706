import { type ChildProcess, spawn, spawnSync } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";

/** Why there is no Redis to start here, or undefined where there is one. */
export function whyNoRedis(): string | undefined {
  const { error } = spawnSync("redis-server", ["--version"]);
  return error ? "redis-server is not installed (apt-get install redis-server)" : undefined;
}

export type RedisServer = { url: string; process: ChildProcess; stop(): Promise<void> };

/** A real Redis of its own on a free port, with its files in a temporary folder. */
export async function startRedis({ port = 0 }: { port?: number } = {}): Promise<RedisServer> {
  const folder = mkdtempSync(join(tmpdir(), "attune-redis-"));
  const listening = port || (await freePort());
  const child = spawn(
    "redis-server",
    ["--port", String(listening), "--bind", "127.0.0.1", "--dir", folder, "--save", "", "--appendonly", "no"],
    { stdio: ["ignore", "pipe", "inherit"] },
  );
  const exited = new Promise((resolve) => child.on("exit", resolve));
  await new Promise<void>((resolve, reject) => {
    const late = setTimeout(() => reject(new Error("redis-server: not ready in 20 s")), 20_000);
    child.on("error", reject);
    child.on("exit", (code) => reject(new Error(`redis-server: exit ${code}`)));
    let said = "";
    child.stdout!.on("data", (data: Buffer) => {
      said += data.toString();
      if (!said.includes("Ready to accept connections")) return;
      clearTimeout(late);
      resolve();
    });
  });
  return {
    url: `redis://127.0.0.1:${listening}`,
    process: child,
    async stop() {
      child.kill("SIGKILL");
      await exited;
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

async function freePort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const { port } = server.address() as { port: number };
  await new Promise((resolve) => server.close(resolve));
  return port;
}
