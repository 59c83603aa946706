// Installs the dependencies when node_modules is missing or older than the lock file, so that `npm start`
// and `npm test` work in a fresh clone. Plain JavaScript: it must run on the Node the machine happens to have.
import { spawnSync } from "node:child_process";
import { existsSync, statSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

const root = join(dirname(fileURLToPath(import.meta.url)), "..");
const modified = (path) => (existsSync(join(root, path)) ? statSync(join(root, path)).mtimeMs : 0);
const runtime = join(root, "node_modules/node/bin", process.platform === "win32" ? "node.exe" : "node");

const fresh = modified("node_modules/.package-lock.json") >= modified("package-lock.json");
if (!fresh || !existsSync(runtime)) {
  process.stderr.write("Installing dependencies (once)…\n");
  const npm = process.env.npm_execpath;
  const result = spawnSync(
    npm ? process.execPath : "npm",
    [...(npm ? [npm] : []), "ci", "--no-fund", "--no-audit", "--loglevel=error"],
    {
      cwd: root,
      stdio: ["ignore", 2, 2],
      shell: !npm && process.platform === "win32",
    },
  );
  if (result.status !== 0) {
    process.stderr.write("attune: `npm ci` failed; the lines above say why.\n");
    process.exit(result.status ?? 1);
  }
}
if (!existsSync(runtime)) {
  process.stderr.write("attune: the pinned Node runtime is missing; run `npm rebuild node`.\n");
  process.exit(1);
}
