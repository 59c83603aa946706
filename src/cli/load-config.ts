import { existsSync } from "node:fs";
import { resolve } from "node:path";
import { pathToFileURL } from "node:url";
import { gym } from "../gym/index.ts";
import type { Environment } from "../spec/environment.ts";
import { AttuneError } from "../spec/error.ts";
import { type RunConfig, resolveRun } from "../train/define-run.ts";

/** The default export of a file of the user's own, which is code and runs. */
async function loadDefault(path: string): Promise<unknown> {
  const file = resolve(path);
  if (!existsSync(file)) throw new AttuneError("usage", `${path}: there is no such config file`);
  try {
    return ((await import(pathToFileURL(file).href)) as { default?: unknown }).default;
  } catch (error) {
    if (error instanceof AttuneError) throw error;
    throw new AttuneError("usage", `${path}: cannot be loaded: ${(error as Error).message.split("\n")[0]}`, {
      cause: error,
    });
  }
}

/** Imports a config file and checks that its default export is a run. */
export async function loadConfig(path: string): Promise<RunConfig> {
  return toRun(await loadDefault(path), path);
}

function toRun(given: unknown, path: string): RunConfig {
  const config = given as RunConfig | undefined;
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

/** The environments of a config file, or the one that a file of its own exports. */
async function environmentsIn(path: string): Promise<readonly Environment[]> {
  const given = (await loadDefault(path)) as Environment | undefined;
  if (typeof given?.tasks !== "function" || typeof given.start !== "function")
    return toRun(given, path).environments;
  if (typeof given.name !== "string" || typeof given.rewards !== "object")
    throw new AttuneError("usage", `${path}: expected an environment made with defineEnvironment({ … })`);
  return [given];
}

/** Environments of the arguments: names of built-in ones, or files that export a run or an environment. */
export async function resolveEnvironments(names: readonly string[]): Promise<Environment[]> {
  const resolved = await Promise.all(
    names.map(async (name) =>
      /\.[cm]?[jt]s$/.test(name) ? await environmentsIn(name) : [environmentNamed(name)],
    ),
  );
  return resolved.flat();
}
