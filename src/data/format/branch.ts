import { AttuneError } from "../../spec/error.ts";
import type { AssistantMessage, Message } from "../../spec/message.ts";
import type { ToolSpec } from "../../spec/tool.ts";
import type { Trajectory, TrajectoryNode } from "../../spec/trajectory.ts";
import { leavesOf, mainPath, pathTo } from "../../trajectory/path.ts";
import { carries, type Feature, type FormatName, features } from "./carries.ts";
import type { ExportOptions } from "./format.ts";

export type Said = { message: Message; learn: boolean; node: TrajectoryNode };

/** One path through a trajectory, as one row shows it. */
export type Branch = {
  trajectory: Trajectory;
  path: readonly TrajectoryNode[];
  /** Which of how many paths of this trajectory, from 0. */
  number: number;
  of: number;
  said: readonly Said[];
  tools: readonly ToolSpec[];
};

/**
 * The paths of trajectories that a format is to write, each checked against what the format carries. A turn that
 * several paths share is learned from on the first.
 */
export async function* toBranches(
  trajectories: AsyncIterable<Trajectory>,
  format: FormatName,
  options: ExportOptions = {},
): AsyncGenerator<Branch> {
  for await (const trajectory of trajectories) yield* branchesOf(trajectory, format, options);
}

function branchesOf(trajectory: Trajectory, format: FormatName, options: ExportOptions): Branch[] {
  const allowed = new Set(options.without);
  const told = new Set<Feature>();
  const meet = (feature: Feature, where: string) => {
    const carriage = carries[format][feature];
    if (carriage === "carried") return;
    if (carriage === "refused" && !allowed.has(feature))
      throw new AttuneError(
        "input",
        `trajectory ${trajectory.id}${where}: ${format} cannot carry ${features[feature]}; ${remedies[feature] ?? `leave it out with \`without\` ${feature}, or choose another format`}`,
      );
    if (!told.has(feature)) options.tell?.(feature, trajectory.id);
    told.add(feature);
  };
  const paths = choosePaths(trajectory, options, meet);
  // to keep one path of several was asked for, and is told nevertheless
  if (
    options.branches === "main" &&
    carries[format].branches !== "carried" &&
    leavesOf(trajectory).length > 1
  )
    options.tell?.("branches", trajectory.id);
  const seen = new Set<TrajectoryNode>();
  const branches: Branch[] = [];
  for (const [number, path] of paths.entries()) {
    const fresh = (node: TrajectoryNode) => node.mask && !seen.has(node);
    let end = path.length;
    if (carries[format].ending !== "carried") {
      end = path.findLastIndex((node) => node.message?.role === "assistant" && fresh(node)) + 1;
      if (path.slice(end).some(({ message }) => message !== null)) meet("ending", `, path ${number}`);
      if (end === 0) continue;
    }
    const kept = path.slice(0, end);
    const said = kept.flatMap((node): Said[] =>
      node.message ? [{ message: node.message, learn: fresh(node), node }] : [],
    );
    const branch = {
      trajectory,
      path: kept,
      number,
      of: paths.length,
      said,
      tools: toolsOf(trajectory, said),
    };
    for (const [feature, where] of held(branch, options)) meet(feature, where);
    for (const node of kept) seen.add(node);
    branches.push(branch);
  }
  return branches;
}

const remedies: Partial<Record<Feature, string>> = {
  branches: "give `branches` as split or main",
  calls: "write them as text with `callsAsText`, or choose another format",
  tools: "write them as text with `callsAsText`, or choose another format",
};

function choosePaths(
  trajectory: Trajectory,
  { branches = "refuse" }: ExportOptions,
  meet: (feature: Feature, where: string) => void,
): TrajectoryNode[][] {
  const leaves = leavesOf(trajectory);
  if (leaves.length === 0) return [];
  if (leaves.length === 1 || branches === "main") return [mainPath(trajectory)];
  if (branches === "split") return leaves.map((leaf) => pathTo(trajectory, leaf));
  meet("branches", ` (${leaves.length} leaves)`);
  return [mainPath(trajectory)];
}

/** What a path holds that a format may have no place for, and where. */
function* held(
  { trajectory, path, said }: Branch,
  { callsAsText }: ExportOptions,
): Generator<[Feature, string]> {
  const at = (node: TrajectoryNode) => `, node ${trajectory.nodes.indexOf(node)} (turn ${node.turn})`;
  const turns = said.filter(({ message }) => message.role === "assistant");
  const learned = turns.filter(({ learn }) => learn);
  const unlearned = turns.find(({ learn }) => !learn);
  const onlyLast = learned.length === 1 && learned[0] === turns.at(-1);
  if (unlearned) yield [onlyLast ? "history" : "masks", at(unlearned.node)];
  for (const { node, message } of said) {
    if (node.gap?.includes("rest")) yield ["cut", at(node)];
    if (node.extra !== undefined) yield ["extra", at(node)];
    if (message.role === "system") yield ["system", at(node)];
    if (message.role === "tool" && message.failure) yield ["failures", at(node)];
    const calls = callsOf(message);
    if ((calls.length > 0 || message.role === "tool") && !callsAsText) yield ["calls", at(node)];
    if (calls.length > 0 && message.content !== "") yield ["thoughts", at(node)];
    if (calls.length > 1) yield ["parallel", at(node)];
  }
  if (turns.length > 0) yield ["turns", ""];
  const offers = new Set(turns.map(({ node }) => offerOf(node)));
  if (offers.size > 1) yield ["offered", ""];
  if (trajectory.tools.length > 0 && !callsAsText) yield ["tools", ""];
  if (path.some(({ tokens }) => tokens.length > 0)) yield ["tokens", ""];
  if (path.some(({ logprobs }) => logprobs !== null)) yield ["logprobs", ""];
  yield ["rewards", ""];
  yield ["task", ""];
}

const offerOf = (node: TrajectoryNode) => node.offered?.join() ?? "all";

export const callsOf = (message: Message) => (message as AssistantMessage).toolCalls ?? [];

/** The tools of a row: those its turns were offered, and all of them where turns differ. */
function toolsOf({ tools }: Trajectory, said: readonly Said[]): readonly ToolSpec[] {
  const turns = said.filter(({ message }) => message.role === "assistant");
  const [first] = turns;
  if (!first?.node.offered || turns.some(({ node }) => offerOf(node) !== offerOf(first.node))) return tools;
  return first.node.offered.map((index) => tools[index]!);
}
