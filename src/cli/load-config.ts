import { existsSync } from "node:fs";
import { resolve } from "node:path";
import { pathToFileURL } from "node:url";
import { gym } from "../gym/index.ts";
import type { Environment } from "../spec/environment.ts";
import { AttuneError } from "../spec/error.ts";
import { type RunConfig, resolveRun } from "../train/define-run.ts";

/** Imports a config file and checks that its default export is a run. The file is the user's own code, and runs. */
export async function loadConfig(path: string): Promise<RunConfig> {
  const file = resolve(path);
  if (!existsSync(file)) throw new AttuneError("usage", `${path}: there is no such config file`);
  let module: { default?: unknown };
  try {
    module = (await import(pathToFileURL(file).href)) as { default?: unknown };
  } catch (error) {
    if (error instanceof AttuneError) throw error;
    throw new AttuneError("usage", `${path}: cannot be loaded: ${(error as Error).message.split("\n")[0]}`, {
      cause: error,
    });
  }
  const config = module.default as RunConfig | undefined;
  if (typeof config !== "object" || config === null || !("stages" in config)) {
    throw new AttuneError("usage", `${path}: expected a default export made with defineRun({ … })`);
  }
  resolveRun(config);
  return config;
}

/** A built-in environment by name. */
function environmentNamed(name: string): Environment {
  const make = gym[name];
  if (!make)
    throw new AttuneError(
      "usage",
      `no environment "${name}"; there are ${Object.keys(gym).join(", ")}, or give a config file`,
    );
  return make();
}

/** Environments of the arguments: names of built-in ones, or the environments of config files. */
export async function resolveEnvironments(names: readonly string[]): Promise<Environment[]> {
  const resolved = await Promise.all(
    names.map(async (name) =>
      /\.[cm]?[jt]s$/.test(name) ? (await loadConfig(name)).environments : [environmentNamed(name)],
    ),
  );
  return resolved.flat();
}
