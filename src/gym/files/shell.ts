import { Bash } from "just-bash";
import { ToolError } from "../../spec/tool.ts";

/** A bash over files in memory. Every command starts in the home directory; only the files are kept between them. */
export type Shell = {
  /** What the command prints, or "ok" where it prints nothing. A failing command is the caller's mistake. */
  run(command: string, options: { signal: AbortSignal }): Promise<string>;
  /** Content of every file by path from the home directory, surrounding white space taken off. */
  tree(): Promise<Record<string, string>>;
};

const home = "/home/agent";

/** What one command may use. Beyond it the command fails, as an observation: the world does not suffer. */
const limits = {
  maxCommandCount: 500,
  maxLoopIterations: 500,
  maxCallDepth: 50,
  maxOutputSize: 64 * 1024,
  maxStringLength: 64 * 1024,
  maxLiveBytes: 16 * 1024 * 1024,
  maxFileSystemBytes: 1024 * 1024,
  maxExecutionTimeMs: 2000,
};

/** No network, no Python, no JavaScript; the interpreter is made when the first command comes. */
export function createShell(tree: Record<string, string>): Shell {
  let opened: Bash | undefined;
  const open = () => {
    opened ??= new Bash({
      files: Object.fromEntries(
        Object.entries(tree).map(([path, content]) => [
          `${home}/${path}`,
          { content: `${content}\n`, mtime: new Date(0) },
        ]),
      ),
      cwd: home,
      executionLimitProfile: "hardened",
      executionLimits: limits,
      // guards against scripts that reach JavaScript, of which there is none here; it doubles the cost of a command
      defenseInDepth: false,
      sleep: async () => {},
    });
    return opened;
  };
  return {
    async run(command, { signal }) {
      const { stdout, stderr, exitCode } = await open().exec(command, { signal });
      signal.throwIfAborted();
      if (exitCode !== 0) {
        // the reason first: it must survive where a long observation is cut
        const said = [stderr, stdout].map((text) => text.trim()).filter(Boolean);
        throw new ToolError(said.join("\n") || `exit code ${exitCode}`);
      }
      return stdout.trim() || "ok";
    },
    async tree() {
      if (!opened) return { ...tree };
      const { fs } = opened;
      const paths = fs.getAllPaths().filter((path) => path.startsWith(`${home}/`));
      const contents: Record<string, string> = {};
      for (const path of paths.sort()) {
        if (!(await fs.lstat(path)).isFile) continue;
        contents[path.slice(home.length + 1)] = (await fs.readFile(path)).trim();
      }
      return contents;
    },
  };
}
