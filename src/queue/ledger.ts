import { AttuneError } from "../spec/error.ts";
import type { EpisodeRequest, Trajectory } from "../spec/trajectory.ts";
import type { EpisodeResult } from "./wire.ts";

export type Accepted = { index: number; trajectory: Trajectory; first: boolean };

/**
 * The account of one play: every episode counts once. The first result for (run, step, task, group, sample) is
 * taken, later ones are dropped and counted.
 */
export type Ledger = {
  /**
   * Books a result. `first` is false for one whose episode has been booked already. Throws `AttuneError` (input) for
   * a result that is not of an episode that was asked for, or was not played by the policy that was asked for.
   */
  accept(result: EpisodeResult): Accepted;
  /** Books what is known of an episode that nobody could play to its end. */
  giveUp(index: number, trajectory: Trajectory): boolean;
  isBooked(index: number): boolean;
  /** Indices of the requests without a result. */
  outstanding(): number[];
  isComplete(): boolean;
  /** In the order of the requests; only of a complete ledger. */
  trajectories(): Trajectory[];
};

export function createLedger({
  run,
  play,
  requests,
  policyVersion,
  vocabularySize,
}: {
  run: string;
  play: string;
  requests: readonly EpisodeRequest[];
  policyVersion: number;
  vocabularySize: number;
}): Ledger {
  const places = new Map<string, number>();
  for (const [index, request] of requests.entries()) {
    const identity = identityOf({ ...request, run });
    if (places.has(identity))
      throw new AttuneError(
        "usage",
        `rollout: sample ${request.sample} of group ${request.group} is there twice`,
      );
    places.set(identity, index);
  }
  const booked: (Trajectory | undefined)[] = requests.map(() => undefined);
  let left = requests.length;
  const book = (index: number, trajectory: Trajectory): boolean => {
    if (booked[index]) return false;
    booked[index] = trajectory;
    left--;
    return true;
  };

  return {
    accept(result) {
      const { trajectory } = result;
      const where = `result of ${result.worker} for ${trajectory.id}`;
      const refuse = (message: string): never => {
        throw new AttuneError("input", `${where}: ${message}`);
      };
      if (result.play !== play) refuse(`of play ${result.play}, expected ${play}`);
      const index = places.get(identityOf({ ...trajectory, run: result.run }));
      if (index === undefined) return refuse("no such episode was asked for");
      const { seed, task } = requests[index]!;
      if (trajectory.seed !== seed) refuse(`seed ${trajectory.seed}, expected ${seed}`);
      if (result.policyVersion !== policyVersion)
        refuse(`played by policy version ${result.policyVersion}, expected ${policyVersion}`);
      for (const { sampled, tokens, policyVersion: version } of trajectory.nodes) {
        if (sampled && version !== null && version !== policyVersion)
          refuse(`sampled by policy version ${version}, expected ${policyVersion}`);
        const wrong = tokens.find((token) => token < 0 || token >= vocabularySize);
        if (wrong !== undefined) refuse(`token ${wrong} is not in a vocabulary of ${vocabularySize}`);
      }
      const own = { ...trajectory, task };
      return { index, trajectory: own, first: book(index, own) };
    },
    giveUp: book,
    isBooked: (index) => booked[index] !== undefined,
    outstanding: () => [...booked.keys()].filter((index) => !booked[index]),
    isComplete: () => left === 0,
    trajectories() {
      return booked.map((trajectory) => {
        if (!trajectory)
          throw new AttuneError("usage", `ledger of ${play}: ${left} episodes are outstanding`);
        return trajectory;
      });
    },
  };
}

function identityOf({
  run,
  step,
  task,
  group,
  sample,
}: Pick<EpisodeRequest, "step" | "task" | "group" | "sample"> & { run: string }): string {
  return JSON.stringify([run, step, task.environment, task.id, group, sample]);
}
