import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, describe, expect, it } from "vitest";
import { type EscapeAttempt, sandboxContract } from "../testing/sandbox-contract.ts";
import { createMemoryShell } from "./memory-shell.ts";
import { createNamespace, whyNoNamespaces } from "./namespace.ts";
import { createPyodide } from "./pyodide.ts";
import { createQuickJs } from "./quickjs.ts";

// a file and a variable of the host's that no guest may ever show
const folder = mkdtempSync(join(tmpdir(), "sandbox-"));
const secretFile = join(folder, "secret.txt");
writeFileSync(secretFile, "TOP-SECRET");
process.env["SANDBOX_SECRET"] = "TOP-SECRET";
afterAll(() => rmSync(folder, { recursive: true }));

const anyEnd = ["timeout", "memory", "crashed"] as const;
const noSecret = /^(?![\s\S]*TOP-SECRET)/;

const shell: EscapeAttempt[] = [
  { name: "reads a file of the host", code: `cat ${secretFile} /etc/shadow`, ends: "error" },
  { name: "goes up from home", code: `cat ../../../../..${secretFile}`, ends: "error" },
  { name: "reads through a link", code: `ln -s ${secretFile} link; cat link`, ends: "error" },
  {
    name: "shows the environment",
    code: "env; set; cat /proc/self/environ /proc/1/environ 2>&1 || true",
    ends: "harmless",
    prints: noSecret,
  },
  {
    name: "looks for the host's folders",
    code: `ls -R /root /home ${folder} 2>&1 || true`,
    ends: "harmless",
    prints: noSecret,
  },
  {
    name: "calls the network",
    code: "curl -s http://127.0.0.1 || wget -q -O- http://127.0.0.1 || exit 9",
    ends: "error",
  },
];

const memoryShell: EscapeAttempt[] = [
  ...shell,
  { name: "recurses for ever", code: "f() { f; }; f", ends: ["timeout"] },
  { name: "forks for ever", code: "bomb() { bomb | bomb & }; bomb", ends: ["timeout"] },
  { name: "loops in awk", code: "awk 'BEGIN { while (1) {} }'", ends: ["timeout"] },
  {
    name: "doubles a text",
    code: "x=aaaaaaaaaa; while true; do x=$x$x; done",
    ends: ["memory", "timeout", "output"],
  },
  {
    name: "fills the files",
    code: "printf '%060000d' 1 > a; while true; do cat a >> b; done",
    ends: ["memory", "timeout", "output"],
  },
  { name: "runs Python", code: "python3 -c 'print(1)'", ends: "error" },
  { name: "runs JavaScript", code: "node -e 'console.log(1)' || js-exec -c '1'", ends: "error" },
];

const namespace: EscapeAttempt[] = [
  ...shell,
  { name: "sees the host's processes", code: "ls /proc/1/root /proc/*/environ", ends: "error" },
  {
    name: "kills what runs beside it",
    code: "kill -9 -1; echo alive",
    ends: "harmless",
    prints: /^(alive)?$/,
  },
  { name: "opens a socket", code: "exec 3<>/dev/tcp/127.0.0.1/22", ends: "error" },
  { name: "asks a name server", code: "exec 3<>/dev/udp/1.1.1.1/53 && echo x >&3", ends: "error" },
  { name: "writes to the host's programs", code: "echo x > /usr/bin/env", ends: "error" },
  { name: "mounts", code: "mount -t tmpfs none /tmp || mount -o remount,rw /usr", ends: "error" },
  { name: "makes a device", code: "mknod disk b 254 0 && cat disk", ends: "error" },
  { name: "makes namespaces of its own", code: "unshare --user --map-root-user --mount true", ends: "error" },
  { name: "leaves its root", code: "chroot /dev/.. true; cd /../../..; ls old", ends: "error" },
  { name: "spoils what carries its files", code: "echo garbage >&3", ends: "error" },
  {
    name: "leaves a process behind",
    code: "(sleep 60; echo late) & echo started",
    ends: "harmless",
    prints: /^started$/,
  },
  { name: "forks for ever", code: "bomb() { bomb | bomb & }; bomb; sleep 5", ends: ["timeout", "output"] },
  {
    name: "takes all the memory",
    code: "python3 -c 'bytearray(10**10)' || perl -e '$x = \"x\" x 10**10' || tail /dev/zero",
    ends: ["memory", "timeout"],
  },
  { name: "fills the disk", code: "head -c 100000000 /dev/zero > big", ends: "error" },
];

const javascript: EscapeAttempt[] = [
  {
    name: "looks for the host's names",
    code: "print(typeof process, typeof require, typeof fetch, typeof WebAssembly, typeof Deno, typeof std, typeof os)",
    ends: "harmless",
    prints: /^(undefined ?)+$/,
  },
  {
    name: "makes code by a constructor",
    code: "print.constructor.constructor('return typeof process')()",
    ends: "harmless",
    prints: /^undefined$/,
  },
  {
    name: "makes code by console's constructor",
    code: "console.log.constructor('return process')().env",
    ends: "error",
  },
  { name: "imports", code: "import('node:fs').then((fs) => fs.readFileSync('/etc/passwd'))", ends: "error" },
  { name: "reads a file of the host", code: `readFile(${JSON.stringify(secretFile)})`, ends: "error" },
  { name: "reads up from home", code: "readFile('../../etc/passwd')", ends: "error" },
  { name: "writes out of home", code: "writeFile('../out', 'x')", ends: "error" },
  { name: "looks at a host function's caller", code: "print.caller", ends: "error" },
  {
    name: "pollutes prototypes",
    code: "Object.prototype.polluted = 1; Array.prototype.map = () => { throw new Error('no') }; JSON.stringify = null; 5",
    ends: "harmless",
    prints: /^5$/,
  },
  {
    name: "takes the formatter's methods away",
    code: "Array.prototype.join = function () { throw new Error('joined') }; print([1])",
    ends: "error",
  },
  {
    name: "throws a getter at the host",
    code: "throw { get message() { return globalThis.note }, get stack() { for (;;) {} } }",
    ends: ["timeout"],
  },
  {
    name: "throws a proxy",
    code: "throw new Proxy({}, { get() { throw 1 }, ownKeys() { throw 2 } })",
    ends: "error",
  },
  { name: "recurses for ever", code: "function f() { f() } f()", ends: "error" },
  {
    name: "nests without end",
    code: "let deep = []; for (let i = 0; i < 1e5; i++) deep = [deep]; String(deep)",
    ends: "error",
  },
  {
    name: "loops where nothing interrupts",
    code: "Array.prototype.includes.call({ length: 9e15 }, 1)",
    ends: ["timeout"],
  },
  { name: "loops in a regular expression", code: "/(a+)+$/.test('a'.repeat(40) + 'b')", ends: ["timeout"] },
  {
    name: "queues jobs for ever",
    code: "const again = () => { Promise.resolve().then(again) }; again(); 1",
    ends: ["timeout"],
  },
  { name: "catches its interruption", code: "for (;;) { try { for (;;) {} } catch {} }", ends: ["timeout"] },
  { name: "waits for ever", code: "new Promise(() => {})", ends: "error" },
  { name: "takes all the memory at once", code: "new Uint8Array(2 ** 30)", ends: ["memory"] },
  {
    name: "takes all the memory bit by bit",
    code: "const held = []; for (;;) held.push('abc'.repeat(1e5) + held.length)",
    ends: ["memory", "timeout"],
  },
  {
    name: "takes the memory by files",
    code: "for (let i = 0; ; i++) writeFile('f' + i, 'x'.repeat(1e5))",
    ends: "error",
  },
];

/** Finds any object of JavaScript's that Python's memory holds, and asks it for code. */
const hunt = (then: string) => `
import gc, sys
found = []
seen = set()
for thing in gc.get_objects():
    for each in [thing, *gc.get_referents(thing)]:
        if type(each).__name__.startswith("JsProxy") or "JsProxy" in str(type(each).__mro__):
            if id(each) not in seen:
                seen.add(id(each))
                found.append(each)
said = []
for each in found:
    try:
        ${then}
    except BaseException as error:
        said.append(type(error).__name__)
print(len(found), sorted(set(said)))
`;

const python: EscapeAttempt[] = [
  { name: "imports js", code: "import js\nprint(js.process.env)", ends: ["denied"] },
  { name: "imports pyodide_js", code: "from pyodide_js import FS, _module", ends: ["denied"] },
  {
    name: "imports pyodide's code",
    code: "from pyodide.code import run_js\nrun_js('process.env')",
    ends: ["denied"],
  },
  { name: "imports the core", code: "import _pyodide_core", ends: ["denied"] },
  { name: "imports by importlib", code: "import importlib\nimportlib.import_module('js')", ends: ["denied"] },
  {
    name: "takes the guard away",
    code: "import sys\nsys.meta_path[:] = sys.meta_path[1:]\nimport js\nprint(js.process.env)",
    ends: "error",
  },
  {
    name: "takes the guard away and asks for code",
    code: "import sys\nsys.meta_path[:] = sys.meta_path[1:]\nimport pyodide_js\nprint(pyodide_js.constructor.constructor('return process')().env)",
    ends: "error",
  },
  {
    name: "takes the guard away and takes memory from JavaScript",
    code: "import sys\nsys.meta_path[:] = sys.meta_path[1:]\nfrom pyodide.ffi import to_js\nheld = []\nwhile True:\n    held.append(to_js(bytes(10**7)))",
    ends: ["memory", "timeout"],
  },
  {
    name: "takes the guard away and takes memory by a constructor",
    code: "import sys\nsys.meta_path[:] = sys.meta_path[1:]\nimport pyodide_js\nmake = pyodide_js._module.HEAPU8.constructor\nheld = [make.new(10**9) for _ in range(4)]\nwhile True: pass",
    ends: ["memory", "timeout"],
  },
  {
    name: "loads C functions",
    code: "import ctypes\nctypes.CDLL(None).emscripten_run_script(b'process.exit()')",
    ends: ["denied"],
  },
  {
    name: "hunts for JavaScript's objects to make code",
    code: hunt(`said.append(str(each.constructor.constructor("return process")()))`),
    ends: "harmless",
    prints: /^\d+ \[[^\]]*\]$/,
  },
  {
    name: "hunts for JavaScript's objects to find the process",
    code: hunt(`said.append("env" if hasattr(each, "process") or hasattr(each, "require") else "nothing")`),
    ends: "harmless",
    prints: /^\d+ \[('\w*Error', )*('nothing')?\]$/,
  },
  {
    name: "reads a file of the host",
    code: `print(open(${JSON.stringify(secretFile)}).read())`,
    ends: "error",
  },
  {
    name: "reads through a link",
    code: `import os\nos.symlink(${JSON.stringify(secretFile)}, 'link')\nprint(open('link').read())`,
    ends: "error",
  },
  {
    name: "shows the environment",
    code: "import os\nprint(dict(os.environ))",
    ends: "harmless",
    prints: noSecret,
  },
  {
    name: "looks for the host's files",
    code: `import os\nprint(os.path.exists(${JSON.stringify(folder)}), os.path.exists('/etc/shadow'))`,
    ends: "harmless",
    prints: /^False False$/,
  },
  {
    name: "opens a socket",
    code: "import socket\nsocket.create_connection(('127.0.0.1', 22), 1)",
    ends: "error",
  },
  {
    name: "fetches a page",
    code: "import urllib.request\nprint(urllib.request.urlopen('http://127.0.0.1/').read())",
    ends: "error",
  },
  { name: "starts a process", code: "import subprocess\nsubprocess.run(['ls'])", ends: "error" },
  {
    name: "runs a command",
    code: "import os\nprint(os.system('ls /'), os.popen('ls').read())",
    ends: "error",
    prints: /^(-?\d+ )?$/,
  },
  { name: "forks", code: "import os\nos.fork()", ends: "error" },
  {
    name: "starts a thread",
    code: "import threading\nthreading.Thread(target=print).start()",
    ends: "error",
  },
  { name: "exits the process", code: "import os\nos._exit(0)", ends: ["crashed"] },
  { name: "aborts", code: "import os\nos.abort()", ends: ["crashed", "timeout"] },
  { name: "exits politely", code: "import sys\nsys.exit(3)", ends: "error" },
  {
    name: "crashes the interpreter",
    code: "import sys\nsys.setrecursionlimit(10**9)\ndef f():\n    f()\nf()",
    ends: ["crashed", "memory", "timeout"],
  },
  {
    name: "nests without end",
    code: "x = []\nfor i in range(10**5):\n    x = [x]\nprint(repr(x))",
    ends: ["crashed"],
  },
  {
    name: "swallows its interruption",
    code: "while True:\n    try:\n        while True: pass\n    except BaseException: pass",
    ends: ["timeout"],
  },
  { name: "computes for ever in one instruction", code: "9 ** 9 ** 9 % 7", ends: ["timeout", "memory"] },
  { name: "takes all the memory at once", code: "x = bytearray(10**9)", ends: ["memory"] },
  {
    name: "takes all the memory bit by bit",
    code: "x = []\nwhile True:\n    x.append(bytearray(10**7))",
    ends: ["memory", "timeout"],
  },
  {
    name: "takes the memory by files",
    code: "f = open('big', 'wb')\nwhile True:\n    f.write(bytes(10**7))",
    ends: [...anyEnd, "denied"],
  },
  {
    name: "prints past Python",
    code: "import os\nwhile True:\n    try: os.write(1, b'x' * 10000)\n    except OSError: pass",
    ends: ["timeout", "output"],
  },
  {
    name: "breaks its own verdict",
    code: "import json\njson.dumps = lambda x: 'garbage'",
    ends: ["crashed"],
  },
];

sandboxContract("memory-shell", () => createMemoryShell({ limits: { timeMs: 1000 } }), {
  attempts: memoryShell,
});
sandboxContract("quickjs", () => createQuickJs({ limits: { timeMs: 500 } }), { attempts: javascript });
sandboxContract("pyodide", () => createPyodide({ limits: { timeMs: 1500 }, warm: 1, most: 4 }), {
  attempts: python,
});

const reason = await whyNoNamespaces();
describe.skipIf(reason !== null)("with namespaces", () => {
  sandboxContract(
    "namespace",
    () => createNamespace({ limits: { timeMs: 2000, memoryBytes: 256 * 1024 * 1024, processes: 30 } }),
    { attempts: namespace },
  );
});
describe.runIf(reason !== null)("without namespaces", () => {
  it("says in one line that they cannot be had", async () => {
    await expect(createNamespace()).rejects.toThrow(
      /^sandbox "namespace": this system does not allow it: .+$/,
    );
  });
});
