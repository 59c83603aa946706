import { existsSync, statSync } from "node:fs";
import { gym } from "../gym/index.ts";
import { runLayout } from "../run/layout.ts";
import type { Environment } from "../spec/environment.ts";
import { AttuneError } from "../spec/error.ts";
import type { Trajectory } from "../spec/trajectory.ts";
import { isStore } from "../trajectory/segment.ts";
import { readTrajectories } from "../trajectory/store.ts";
import { resolveEnvironments } from "./load-config.ts";

/** The trajectories of a file or of a store's folder, or all that a run has stored, one after another. */
export async function* storedTrajectories(what: string): AsyncGenerator<Trajectory> {
  if (!existsSync(what)) throw new AttuneError("usage", `${what}: there is no such run, store or file`);
  const { manifest, trajectories } = runLayout(what);
  const isRun = existsSync(manifest);
  if (!isRun && statSync(what).isDirectory() && !isStore(what))
    throw new AttuneError("usage", `${what}: expected a run's directory or a file of trajectories`);
  yield* readTrajectories(isRun ? trajectories : what);
}

/** Finds environments by name: those given, and for the rest the built-in ones, made when one is asked for. */
export async function findEnvironments(
  names: readonly string[],
): Promise<(name: string) => Environment | undefined> {
  const given = await resolveEnvironments(names);
  const known = new Map(given.map((environment) => [environment.name, environment]));
  return (name) => {
    const make = gym[name];
    if (!known.has(name) && make) known.set(name, make());
    return known.get(name);
  };
}
