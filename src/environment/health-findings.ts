import { isDeepStrictEqual } from "node:util";
import type { Environment } from "../spec/environment.ts";
import type { Trajectory } from "../spec/trajectory.ts";
import type { HealthReport, HealthThresholds } from "./health-report.ts";
import type { SessionCount } from "./watch-sessions.ts";

/** What the careful expert should have earned and did not, or never came to the end of. */
export function unsolvedFindings(
  environment: Environment,
  trajectories: readonly Trajectory[],
  fullReward: number,
): string[] {
  const outcome = heaviest(environment);
  const unending = trajectories.filter(({ status }) => status === "max_turns" || status === "timeout");
  if (unending.length > 0)
    return [
      `a session never ends: careful was stopped in ${shareOf(unending, trajectories)}; ${told(unending[0]!)}`,
    ];
  const unsolved = trajectories.filter(
    ({ rewards, reward }) => reward !== null && !((rewards[outcome] ?? Number.NaN) >= fullReward - 1e-9),
  );
  if (unsolved.length === 0) return [];
  return [
    `careful: ${shareOf(unsolved, trajectories)} did not earn ${fullReward} of "${outcome}"; ${told(unsolved[0]!)}`,
  ];
}

/** Tools that break more often, or take longer, than they may. */
export function toolFindings(tools: HealthReport["tools"], thresholds: HealthThresholds): string[] {
  const { infrastructureFailures: most, toolP99Ms = Number.POSITIVE_INFINITY } = thresholds;
  return Object.entries(tools).flatMap(([name, { calls, failures, latencyMs }]) => {
    const broken = failures.timeout + failures.infrastructure;
    return [
      ...(broken > most * calls ? [`tool "${name}" broke in ${broken} of ${calls} calls`] : []),
      ...(latencyMs.p99 > toolP99Ms
        ? [`tool "${name}" took ${latencyMs.p99.toFixed(1)} ms (p99), expected at most ${toolP99Ms} ms`]
        : []),
    ];
  });
}

/** Sessions that could not be opened, were used twice, closed twice or left open. */
export function sessionFindings(
  { opened, closed, failedStarts, reused, closedAgain }: SessionCount,
  { infrastructureFailures: most }: HealthThresholds,
): string[] {
  const findings: string[] = [];
  const asked = opened + failedStarts;
  if (failedStarts > most * asked) findings.push(`${failedStarts} of ${asked} sessions could not be opened`);
  if (reused > 0) findings.push(`${reused} starts gave a session that was used before`);
  if (closedAgain > 0) findings.push(`${closedAgain} sessions were closed twice`);
  if (closed !== opened) findings.push(`${opened - closed} of ${opened} sessions were never closed`);
  return findings;
}

/** Where two plays of the same tasks with the same seeds and players parted, leaving out what the world broke. */
export function differences(first: readonly Trajectory[], second: readonly Trajectory[]): string[] {
  const parted = first.find((trajectory, at) => {
    const other = second[at]!;
    if (worldFailed(trajectory) || worldFailed(other)) return false;
    return !isDeepStrictEqual(course(trajectory), course(other));
  });
  return parted ? [`task ${parted.task.id} went another way when the same actions were taken again`] : [];
}

const course = ({ nodes, status, outcome, rewards, reward }: Trajectory) => ({
  messages: nodes.map(({ message }) => message),
  status,
  outcome,
  rewards,
  reward,
});

export const worldFailed = ({ status }: Trajectory) => status === "environment_error" || status === "timeout";

/** Whether a player said at once what the expert said at once. */
export function sameSpeech(trajectory: Trajectory, expert: Trajectory | undefined): boolean {
  if (!expert || expert.calls.length > 0 || trajectory.calls.length > 0) return false;
  return lastWords(trajectory) === lastWords(expert);
}

const lastWords = ({ nodes }: Trajectory) =>
  nodes.findLast(({ message }) => message?.role === "assistant")?.message?.content.trim();

function heaviest({ rewards }: Environment): string {
  const names = Object.keys(rewards);
  return names.reduce(
    (best, name) => (rewards[name]!.weight > rewards[best]!.weight ? name : best),
    names[0]!,
  );
}

export const shareOf = (some: readonly unknown[], all: readonly unknown[]) =>
  `${some.length} of ${all.length} episodes`;

export const told = ({ task, status, error }: Trajectory) =>
  `the first on task ${task.id} (${task.kind}): ${error ?? status}`;
