import { AttuneError } from "../spec/error.ts";
import type { Trajectory } from "../spec/trajectory.ts";
import { readTrajectories } from "../trajectory/store.ts";

/**
 * Streams the groups of a file of trajectories, each as a list. A group's members stand one after another, as runs
 * and `attune collect` write them; one that comes back later is an error that names it.
 */
export async function* readGroups(path: string): AsyncGenerator<Trajectory[]> {
  const seen = new Set<string>();
  let group: Trajectory[] = [];
  for await (const trajectory of readTrajectories(path)) {
    const name = trajectory.group;
    if (group.length > 0 && group[0]!.group !== name) {
      yield group;
      group = [];
    }
    if (group.length === 0) {
      if (seen.has(name))
        throw new AttuneError(
          "input",
          `${path}: trajectory ${trajectory.id}: group ${name} was there before; expected a group's members one after another`,
        );
      seen.add(name);
    }
    group.push(trajectory);
  }
  if (group.length > 0) yield group;
}
