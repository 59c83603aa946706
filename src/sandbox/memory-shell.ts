import { Bash } from "just-bash";
import { AttuneError } from "../spec/error.ts";
import {
  type Execution,
  type Sandbox,
  type SandboxDriver,
  SandboxError,
  type SandboxLimits,
} from "../spec/sandbox.ts";
import { setLimits } from "./limits.ts";
import { checkContent, homePath, noFile } from "./paths.ts";

const defaults: SandboxLimits = {
  timeMs: 2000,
  memoryBytes: 16 * 1024 * 1024,
  outputCharacters: 64 * 1024,
  processes: 1,
  network: false,
};

const home = "/home/agent";

/** The interpreter's words for a limit that was reached, in the order in which they are looked for. */
const reached: [RegExp, "timeout" | "memory" | "output"][] = [
  [/output size|too much output/i, "output"],
  [/too many commands|iteration|execution time|timed? ?out|recursion|call depth|nesting/i, "timeout"],
  [/live bytes|memory|string (?:length|size)|no space|file ?system|array/i, "memory"],
];

/**
 * A bash over files in memory (just-bash): no processes, no network, no Python, no JavaScript. Every command starts in
 * the home directory; only files are kept, and a command that was ended leaves those it had written.
 */
export function createMemoryShell({
  limits: given,
}: {
  limits?: Partial<Omit<SandboxLimits, "network">>;
} = {}): SandboxDriver {
  const limits = setLimits("memory-shell", defaults, given);
  const open = new Set<Sandbox>();
  let closed = false;
  return {
    name: "memory-shell",
    language: "shell",
    limits,
    open({ files = {}, snapshot } = {}) {
      if (closed) throw new AttuneError("usage", 'sandbox "memory-shell": the driver is closed');
      if (snapshot && snapshot.language !== "shell")
        throw new AttuneError("input", `sandbox snapshot: got one of ${snapshot.language}, expected shell`);
      const sandbox = openShell(limits, snapshot?.files ?? files, () => open.delete(sandbox));
      open.add(sandbox);
      return sandbox;
    },
    async close() {
      closed = true;
      await Promise.all([...open].map((sandbox) => sandbox.close()));
    },
  };
}

function openShell(limits: SandboxLimits, files: Record<string, string>, onClose: () => void): Sandbox {
  const { outputCharacters, memoryBytes, timeMs } = limits;
  const start = Object.entries(files).map(([path, content]) => [homePath(path), content] as const);
  let bash: Bash | undefined;
  let closed = false;
  let last: Promise<unknown> = Promise.resolve();
  const started = () => {
    bash ??= new Bash({
      files: Object.fromEntries(
        start.map(([path, content]) => [`${home}/${path}`, { content, mtime: new Date(0) }]),
      ),
      cwd: home,
      executionLimitProfile: "hardened",
      executionLimits: {
        maxCommandCount: 2000,
        maxLoopIterations: 2000,
        maxCallDepth: 50,
        maxOutputSize: outputCharacters,
        maxStringLength: Math.max(outputCharacters, 64 * 1024),
        maxLiveBytes: memoryBytes,
        maxFileSystemBytes: Math.min(memoryBytes, 4 * 1024 * 1024),
        maxExecutionTimeMs: timeMs,
      },
      // guards against scripts that reach JavaScript, of which there is none here; it doubles the cost of a command
      defenseInDepth: false,
      sleep: async () => {},
    });
    return bash;
  };
  const inTurn = <Result>(work: () => Promise<Result>): Promise<Result> => {
    const result = last.then(() => {
      if (closed) throw new SandboxError("crashed", "the sandbox is closed");
      return work();
    });
    last = result.catch(() => {});
    return result;
  };
  /** Where a path leads, links followed; never out of the home directory. */
  const resolve = async (path: string): Promise<string> => {
    const full = `${home}/${homePath(path)}`;
    const { fs } = started();
    const real = await fs.realpath(full).catch(() => full);
    if (!real.startsWith(`${home}/`))
      throw new SandboxError("denied", `file "${path}" leads out of the sandbox`);
    return real;
  };

  return {
    language: "shell",
    limits,
    exec: (code, { signal } = {}) =>
      inTurn(async (): Promise<Execution> => {
        signal?.throwIfAborted();
        const { stdout, stderr, exitCode } = await started().exec(code, signal ? { signal } : {});
        signal?.throwIfAborted();
        const output = stdout.replace(/\n$/, "");
        if (output.length > outputCharacters)
          throw new SandboxError("output", `printed more than ${outputCharacters} characters`, {
            output: output.slice(0, outputCharacters),
          });
        if (exitCode === 0) return { output, error: null };
        const said = stderr.trim();
        const hit = /limit|exceed|maximum|too many|no space|memory/i.test(said)
          ? reached.find(([pattern]) => pattern.test(said))
          : undefined;
        if (hit) throw new SandboxError(hit[1], said.slice(0, 500), { output });
        return { output, error: said.slice(0, 4000) || `exit code ${exitCode}` };
      }),
    read: (path) =>
      inTurn(async () => {
        const full = await resolve(path);
        const { fs } = started();
        if (!(await fs.exists(full)) || !(await fs.stat(full)).isFile) throw noFile(path);
        return fs.readFile(full);
      }),
    write: (path, content) =>
      inTurn(async () => {
        checkContent(path, content);
        await started().fs.writeFile(await resolve(path), content);
      }),
    snapshot: () =>
      inTurn(async () => {
        const { fs } = started();
        const kept: Record<string, string> = {};
        for (const path of fs.getAllPaths().sort()) {
          if (!path.startsWith(`${home}/`) || !(await fs.lstat(path)).isFile) continue;
          kept[path.slice(home.length + 1)] = await fs.readFile(path);
        }
        return { language: "shell", files: kept, steps: [] };
      }),
    async close() {
      if (closed) return;
      closed = true;
      bash = undefined;
      onClose();
    },
  };
}
