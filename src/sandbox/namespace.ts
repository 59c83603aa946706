import { spawn } from "node:child_process";
import { AttuneError } from "../spec/error.ts";
import {
  type Execution,
  type Sandbox,
  type SandboxDriver,
  SandboxError,
  type SandboxLimits,
} from "../spec/sandbox.ts";
import { setLimits } from "./limits.ts";
import { checkContent, homePath, mostFileCharacters, noFile } from "./paths.ts";

const defaults: SandboxLimits = {
  timeMs: 10_000,
  memoryBytes: 512 * 1024 * 1024,
  outputCharacters: 64 * 1024,
  processes: 64,
  network: false,
};

/** Bytes of the home directory, which is carried from one exec to the next. */
const homeBytes = 16 * 1024 * 1024;
/** Somebody without rights, for a host that runs as root: limits on processes do not bind root. */
const nobody = 65_534;

/**
 * Built anew for every exec: a root of its own in memory with the host's programs and libraries read-only, no
 * network, no other processes. Takes the home directory as a tar from its input and gives it back on descriptor 3.
 * Process 1 keeps the rights that this needs; the code has none. Its descriptor 3 is closed to the code, and whatever
 * the code leaves running is killed before the home directory is packed.
 */
const build = `
set -e
echo 0 2>/dev/null > /proc/sys/user/max_user_namespaces || true
mount -t tmpfs -o size=$1,nr_inodes=8192,nosuid,nodev tmpfs /tmp
cd /tmp
mkdir -p usr dev tmp home/agent old
for name in bin lib lib64 sbin; do
  if [ -L /$name ]; then cp -P /$name $name; elif [ -d /$name ]; then mkdir $name; mount --rbind /$name $name; mount -o remount,bind,ro,nosuid $name; fi
done
mount --rbind /usr usr
mount -o remount,bind,ro,nosuid usr
if [ -d /etc/alternatives ]; then mkdir -p etc/alternatives; mount --bind /etc/alternatives etc/alternatives; mount -o remount,bind,ro,nosuid etc/alternatives; fi
for name in null zero urandom; do : > dev/$name; mount --bind /dev/$name dev/$name; done
pivot_root . old
ln -s old/proc proc
umount -l /old
rm proc
rmdir old
cd /home/agent
tar -xf - --no-same-owner 2>/dev/null || true
set +e
setpriv --no-new-privs --bounding-set=-all --inh-caps=-all --ambient-caps=-all prlimit --as=$2 --nproc=$3 --fsize=$1 --nofile=256 --core=0 -- bash -c "$4" 3>&- </dev/null
code=$?
kill -9 -1 2>/dev/null
cd /home/agent && tar -cf - . >&3
exit $code
`;

/**
 * Real processes in namespaces of their own (Linux, `unshare` of util-linux): the host's programs without its files,
 * its environment or the network. `memoryBytes` holds for each process. A run that is ended has changed nothing.
 * Throws `AttuneError` (environment) where the system does not allow it.
 */
export async function createNamespace({
  limits: given,
}: {
  limits?: Partial<Omit<SandboxLimits, "network">>;
} = {}): Promise<SandboxDriver> {
  const limits = setLimits("namespace", defaults, given);
  const reason = await whyNoNamespaces();
  if (reason !== null)
    throw new AttuneError("environment", `sandbox "namespace": this system does not allow it: ${reason}`);
  const open = new Set<Sandbox>();
  let closed = false;
  return {
    name: "namespace",
    language: "shell",
    limits,
    open({ files = {}, snapshot } = {}) {
      if (closed) throw new AttuneError("usage", 'sandbox "namespace": the driver is closed');
      if (snapshot && snapshot.language !== "shell")
        throw new AttuneError("input", `sandbox snapshot: got one of ${snapshot.language}, expected shell`);
      const sandbox = openHome(limits, snapshot?.files ?? files, () => open.delete(sandbox));
      open.add(sandbox);
      return sandbox;
    },
    async close() {
      closed = true;
      await Promise.all([...open].map((sandbox) => sandbox.close()));
    },
  };
}

/** One line on why namespaces cannot be had here, or null where they can. Tried out, since no setting tells. */
export async function whyNoNamespaces(): Promise<string | null> {
  if (process.platform !== "linux") return `it needs Linux, got ${process.platform}`;
  try {
    const { status, stderr } = await runIsolated("exit 7", { ...defaults, home: Buffer.alloc(0) });
    return status === 7 ? null : stderr.trim().split("\n").at(-1)! || `its trial run ended with ${status}`;
  } catch (error) {
    return (error as Error).message.split("\n")[0]!;
  }
}

function openHome(limits: SandboxLimits, files: Record<string, string>, onClose: () => void): Sandbox {
  const toWrite = Object.entries(files).map(([path, content]) => [homePath(path), content] as const);
  const stop = new AbortController();
  let home: Buffer = Buffer.alloc(0);
  let last: Promise<unknown> = Promise.resolve();

  const inTurn = <Result>(work: () => Promise<Result>): Promise<Result> => {
    const result = last.then(async () => {
      if (stop.signal.aborted) throw new SandboxError("crashed", "the sandbox is closed");
      for (let next = toWrite.shift(); next; next = toWrite.shift()) await put(...next);
      return work();
    });
    last = result.catch(() => {});
    return result;
  };
  const run = async (
    code: string,
    options: Partial<SandboxLimits> & { signal?: AbortSignal | undefined } = {},
  ) => {
    const signal = options.signal ? AbortSignal.any([options.signal, stop.signal]) : stop.signal;
    const ended = await runIsolated(code, { ...limits, ...options, home, signal });
    return ended;
  };
  // files go through the sandbox itself: a link that leads out leads nowhere there
  const put = async (path: string, content: string): Promise<void> => {
    const encoded = Buffer.from(content).toString("base64");
    const pieces = encoded.match(/.{1,60000}/g) ?? [""];
    for (const [index, piece] of pieces.entries()) {
      const into = index === 0 ? ">" : ">>";
      const ended = await run(
        `mkdir -p -- "$(dirname -- ${quote(path)})" && printf %s ${quote(piece)} | base64 -d ${into} ${quote(path)}`,
      );
      if (ended.status !== 0)
        throw new SandboxError(
          "denied",
          `file "${path}" cannot be written: ${ended.stderr.trim().slice(0, 200)}`,
        );
      home = ended.home;
    }
  };

  return {
    language: "shell",
    limits,
    exec: (code, { signal } = {}) =>
      inTurn(async (): Promise<Execution> => {
        signal?.throwIfAborted();
        const ended = await run(code, { signal });
        signal?.throwIfAborted();
        const output = ended.stdout.replace(/\n$/, "");
        const said = ended.stderr.trim();
        if (ended.status !== 0 && /cannot allocate memory|memoryerror|out of memory|bad_alloc/i.test(said))
          throw new SandboxError("memory", `a process took more than ${limits.memoryBytes} bytes of memory`, {
            output,
          });
        home = ended.home;
        if (ended.status === 0) return { output, error: null };
        return { output, error: said.slice(-4000) || `exit code ${ended.status}` };
      }),
    read: (path) =>
      inTurn(async () => {
        const ended = await run(`[ -f ${quote(homePath(path))} ] && cat -- ${quote(homePath(path))}`, {
          outputCharacters: mostFileCharacters,
        });
        if (ended.status !== 0) throw noFile(path);
        return ended.stdout;
      }),
    write: (path, content) =>
      inTurn(async () => {
        checkContent(path, content);
        await put(homePath(path), content);
      }),
    snapshot: () =>
      inTurn(async () => {
        const ended = await run(
          `find . -type f -printf '%P\\0' | sort -z | while IFS= read -r -d '' name; do printf '%s' "$name" | base64 -w0; printf ' '; base64 -w0 -- "$name"; echo; done`,
          { outputCharacters: 2 * homeBytes },
        );
        const decode = (text = "") => Buffer.from(text, "base64").toString("utf8");
        const lines = ended.stdout
          .split("\n")
          .filter(Boolean)
          .map((line) => line.split(" "));
        const kept = lines.map(([name, content]) => [decode(name), decode(content)] as const);
        return { language: "shell", files: Object.fromEntries(kept), steps: [] };
      }),
    async close() {
      if (stop.signal.aborted) return;
      stop.abort();
      await last;
      onClose();
    },
  };
}

const quote = (text: string) => `'${text.replaceAll("'", `'\\''`)}'`;

type Ended = { status: number; stdout: string; stderr: string; home: Buffer };

/**
 * Kills `unshare` together with process 1 of the namespace, and with that everything in it. Killed alone, in the moment
 * after it has forked and before its child asks to die with it, `unshare` would leave the namespace running for ever.
 */
function killGroup(leader: number | undefined): void {
  if (leader === undefined) return;
  try {
    process.kill(-leader, "SIGKILL");
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== "ESRCH") throw error;
  }
}

/** Throws `SandboxError` for a run that had to be ended. */
function runIsolated(
  code: string,
  options: SandboxLimits & { home: Buffer; signal?: AbortSignal | undefined },
): Promise<Ended> {
  const { timeMs, memoryBytes, outputCharacters, processes, home, signal } = options;
  const namespaces = ["--user", "--map-root-user", "--mount", "--pid", "--net", "--ipc", "--uts", "--cgroup"];
  const given = [build, "sandbox", String(homeBytes), String(memoryBytes), String(processes), code];
  const child = spawn("unshare", [...namespaces, "--fork", "--kill-child", "--", "sh", "-c", ...given], {
    cwd: "/",
    env: { PATH: "/usr/bin:/bin:/usr/sbin:/sbin", HOME: "/home/agent", LANG: "C.UTF-8" },
    stdio: ["pipe", "pipe", "pipe", "pipe"],
    // a process group of its own, so that all of it can be killed at once
    detached: true,
    ...(process.getuid?.() === 0 && { uid: nobody, gid: nobody }),
  });
  const { promise, resolve, reject } = Promise.withResolvers<Ended>();
  const [printed, said, packed]: [Buffer[], Buffer[], Buffer[]] = [[], [], []];
  const sizes = { printed: 0, packed: 0 };
  let failure: SandboxError | undefined;
  const end = (kind: "timeout" | "output" | "memory", message: string) => {
    const output = Buffer.concat(printed).toString("utf8").slice(0, outputCharacters);
    failure ??= new SandboxError(kind, message, { output });
    killGroup(child.pid);
  };
  const timer = setTimeout(() => end("timeout", `stopped after ${timeMs} ms`), timeMs);
  const abort = () => end("timeout", "stopped from outside");
  signal?.addEventListener("abort", abort, { once: true });
  const collect = (into: Buffer[]) => (chunk: Buffer) => {
    sizes.printed += chunk.length;
    if (sizes.printed > outputCharacters * 4)
      end("output", `printed more than ${outputCharacters} characters`);
    else into.push(chunk);
  };
  child.stdout!.on("data", collect(printed));
  child.stderr!.on("data", collect(said));
  child.stdio[3]!.on("data", (chunk: Buffer) => {
    sizes.packed += chunk.length;
    if (sizes.packed > 2 * homeBytes) end("memory", "the home directory is too large");
    else packed.push(chunk);
  });
  // a run that has failed may not read what it is given
  child.stdin!.on("error", () => {});
  child.stdin!.end(home);
  child.on("error", (error) =>
    reject(new AttuneError("environment", `sandbox "namespace": ${error.message}`)),
  );
  child.on("close", (status) => {
    clearTimeout(timer);
    signal?.removeEventListener("abort", abort);
    const text = (parts: Buffer[]) => Buffer.concat(parts).toString("utf8");
    const stdout = text(printed);
    if (!failure && stdout.length > outputCharacters)
      end("output", `printed more than ${outputCharacters} characters`);
    if (failure) return reject(failure);
    return resolve({ status: status ?? 1, stdout, stderr: text(said), home: Buffer.concat(packed) });
  });
  return promise;
}
