import { spawn, spawnSync } from "node:child_process";
import { join } from "node:path";
import { createInterface } from "node:readline";

/** A program of bench/peers, kept running: one line of JSON in, one line of JSON out. */
export type PythonPeer = {
  ask<Answer>(request: unknown): Promise<Answer>;
  close(): void;
};

/** Starts a peer, or says why it cannot run here. */
export function startPythonPeer(
  script: string,
  modules: readonly string[],
  python = "python3",
): PythonPeer | { skipped: string } {
  const probe = spawnSync(python, ["-c", `import ${modules.join(", ")}`], { encoding: "utf8" });
  if (probe.error) return { skipped: `${python} is not here (${probe.error.message})` };
  if (probe.status !== 0) return { skipped: `${python} has no ${modules.join(" or ")}` };

  const child = spawn(python, [join(import.meta.dirname, "peers", script)], {
    stdio: ["pipe", "pipe", "inherit"],
  });
  const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]();
  return {
    async ask(request) {
      child.stdin.write(`${JSON.stringify(request)}\n`);
      const { value, done } = await lines.next();
      if (done) throw new Error(`${script}: expected an answer, got the end of its output`);
      return JSON.parse(value);
    },
    close: () => child.stdin.end(),
  };
}
