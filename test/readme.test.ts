import { spawnSync } from "node:child_process";
import { existsSync, globSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { describe, expect, it } from "vitest";

const root = join(import.meta.dirname, "..");
const read = (path: string) => readFileSync(join(root, path), "utf8");
const documents = globSync("{*,docs/**/*}.md", {
  cwd: root,
  exclude: (path) => path.includes("node_modules"),
});

/** Runs the command line as `npm run attune --` does. */
const attune = (...given: string[]) =>
  spawnSync(process.execPath, ["--conditions=attune-source", join(root, "src/cli/main.ts"), ...given], {
    cwd: root,
    encoding: "utf8",
  });

describe("the documents", () => {
  it.each(documents)("%s names only files that are there", (document) => {
    const text = read(document).replace(/```[\s\S]*?```/g, "");
    const links = [...text.matchAll(/\]\(([^)#:]+)(?:#[^)]*)?\)/g)].map(([, path]) =>
      join(dirname(document), path!),
    );
    const quoted = [...text.matchAll(/`((?:src|test|bench|docs|scripts)\/[\w./-]+\.\w+)`/g)].map(
      ([, path]) => path!,
    );
    expect([...links, ...quoted].filter((path) => !existsSync(join(root, path)))).toEqual([]);
  });

  it("have scripts for every npm command they give", () => {
    const { scripts } = JSON.parse(read("package.json")) as { scripts: Record<string, string> };
    for (const document of documents) {
      for (const [, run, name] of read(document).matchAll(/npm (run )?([\w-]+)/g)) {
        if (run || ["start", "test"].includes(name!))
          expect(scripts, `${document}: npm ${name}`).toHaveProperty([name!]);
      }
    }
  });
});

describe("the README's example", () => {
  const blocks = [...read("README.md").matchAll(/```ts\n([\s\S]*?)```/g)].map(([, code]) => code!);
  const config = blocks.find((code) => code.includes("shop.config.ts"))!;

  it("is checked, trained, shown and evaluated by the commands beside it", { timeout: 120_000 }, () => {
    // inside of the repository, so that `attune` and `zod` resolve as they do for a reader who tries it here
    const file = join(root, "readme-example.config.ts");
    const runs = mkdtempSync(join(tmpdir(), "attune-readme-"));
    const short = config
      .replace("count: 500", "count: 40")
      .replace("steps: 60", "steps: 3")
      .replace("steps: 40", "steps: 1");
    writeFileSync(
      file,
      short.replace(
        'name: "shop",\n  environments',
        'name: "shop",\n  evaluation: { tasks: 1 },\n  environments',
      ),
    );
    try {
      const check = attune("check", file, "--json");
      expect(check.stderr + check.stdout).toContain('"ok":true');
      const trained = attune("train", file, "--root", runs, "--json");
      expect(trained.status, trained.stderr).toBe(0);
      const { run } = JSON.parse(trained.stdout) as { run: string };
      const shown = attune("show", run, "--worst", "--tokens");
      expect(shown.stdout).toContain("token · log-probability");
      const evaluated = attune("eval", file, "--policy", run, "--tasks", "1", "--json");
      expect(evaluated.status, evaluated.stderr).toBe(0);
    } finally {
      rmSync(file, { force: true });
    }
  });
});
