import type { Status, Trajectory } from "../spec/trajectory.ts";

/** What can be asked of a stored trajectory without reading it. */
export type Heading = {
  id: string;
  player: string;
  group: string;
  sample: number;
  attempt: number;
  step: number;
  environment: string;
  kind: string;
  task: string;
  status: Status;
  reward: number | null;
  /** Assistant turns, and tokens that a policy sampled in them. */
  turns: number;
  sampledTokens: number;
  /** Names of the tools that were called. */
  tools: string[];
};

/** Which trajectories are meant; everything that is given must hold. */
export type TrajectoryFilter = {
  /** The file name that they were stored under: in a run the stage, or `eval-` and the evaluation's label. */
  series?: string | readonly string[];
  id?: string;
  group?: string;
  player?: string;
  environment?: string | readonly string[];
  task?: string;
  status?: Status | readonly Status[];
  /** Both ends belong to the range. Trajectories without a reward are in no range. */
  reward?: { least?: number; most?: number };
  /** Some call of this tool was made. */
  tool?: string;
  step?: number | { first?: number; last?: number };
  /** Stands in what somebody said, letter by letter. The only filter that reads more than headings. */
  text?: string;
};

type Counted = { tokens: number; sampled: boolean };

/** `tokenCounts` says how many tokens each node has, where the trajectory at hand does not hold them. */
export function headingOf(
  trajectory: Omit<Trajectory, "nodes"> & { nodes: readonly Pick<Trajectory["nodes"][number], "message">[] },
  counts: readonly Counted[],
): Heading {
  const { id, player, group, sample, attempt, step, task, status, reward, calls, nodes } = trajectory;
  const tools = new Set(calls.map(({ name }) => name));
  let turns = 0;
  for (const { message } of nodes) {
    if (message?.role !== "assistant") continue;
    turns++;
    for (const { name } of message.toolCalls ?? []) tools.add(name);
  }
  let sampledTokens = 0;
  for (const { tokens, sampled } of counts) if (sampled) sampledTokens += tokens;
  return {
    id,
    player,
    group,
    sample,
    attempt,
    step,
    environment: task.environment,
    kind: task.kind,
    task: task.id,
    status,
    reward,
    turns,
    sampledTokens,
    tools: [...tools],
  };
}

/** A filter as a question to a heading. Series and text are the store's to answer. */
export function matcherOf(filter: TrajectoryFilter): (heading: Heading) => boolean {
  const tests: ((heading: Heading) => boolean)[] = [];
  for (const key of ["id", "group", "player", "task"] as const) {
    const wanted = filter[key];
    if (wanted !== undefined) tests.push((heading) => heading[key] === wanted);
  }
  for (const key of ["environment", "status"] as const) {
    const wanted = filter[key];
    if (wanted === undefined) continue;
    const all = new Set<string>(typeof wanted === "string" ? [wanted] : wanted);
    tests.push((heading) => all.has(heading[key]));
  }
  const { reward, tool, step } = filter;
  if (reward) {
    const { least = Number.NEGATIVE_INFINITY, most = Number.POSITIVE_INFINITY } = reward;
    tests.push((heading) => heading.reward !== null && heading.reward >= least && heading.reward <= most);
  }
  if (tool !== undefined) tests.push(({ tools }) => tools.includes(tool));
  if (step !== undefined) {
    const { first = 0, last = Number.POSITIVE_INFINITY } =
      typeof step === "number" ? { first: step, last: step } : step;
    tests.push((heading) => heading.step >= first && heading.step <= last);
  }
  const [only] = tests;
  if (tests.length < 2) return only ?? (() => true);
  return (heading) => tests.every((test) => test(heading));
}
