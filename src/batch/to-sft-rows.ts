import { AttuneError } from "../spec/error.ts";
import type { TrainRow } from "../spec/trainer.ts";
import type { Trajectory } from "../spec/trajectory.ts";
import { pathsOf, scoredTokens, toRow } from "./row.ts";

/** Rows whose cross-entropy sum is the mean of −log p over all tokens that the players of these trajectories wrote. */
export function toSftRows(trajectories: readonly Trajectory[]): TrainRow[] {
  const paths = trajectories
    .flatMap((trajectory) => pathsOf(trajectory, "imitate"))
    .filter((path) => scoredTokens(path) > 0);
  const tokens = paths.reduce((total, path) => total + scoredTokens(path), 0);
  if (tokens === 0) {
    throw new AttuneError(
      "no_learning",
      `everything is masked: none of ${trajectories.length} trajectories has a token that its player wrote`,
    );
  }
  return paths.map((path) => toRow(path, { weight: 1 / tokens }));
}
