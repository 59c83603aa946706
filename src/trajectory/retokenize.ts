import { AttuneError } from "../spec/error.ts";
import type { Message } from "../spec/message.ts";
import type { Renderer } from "../spec/tokenizer.ts";
import type { ToolSpec } from "../spec/tool.ts";
import type { Trajectory, TrajectoryNode } from "../spec/trajectory.ts";
import { leavesOf, pathTo } from "./path.ts";

/**
 * A trajectory in which every token comes from its messages anew, for SFT on what an engine did not tell the tokens
 * of. Nothing in it counts as sampled any more, so no log-probability can be taken for one of these tokens. Paths
 * stand side by side instead of sharing their beginnings, one for each leaf and each set of tools that its turns were
 * offered; a turn that several share is learned from on the first. `turns` says how many turns were re-tokenised.
 */
export function retokenize(
  trajectory: Trajectory,
  renderer: Renderer,
): { trajectory: Trajectory; turns: number } {
  const nodes: TrajectoryNode[] = [];
  const seen = new Set<TrajectoryNode>();
  for (const leaf of leavesOf(trajectory)) {
    const path = pathTo(trajectory, leaf);
    const fresh = path.filter((node) => node.mask && !seen.has(node));
    for (const own of Map.groupBy(fresh, ({ offered }) => offered?.join() ?? "all").values()) {
      const counted = new Set(own);
      const end = path.findLastIndex((node) => counted.has(node));
      const tools = own[0]!.offered?.map((index) => trajectory.tools[index]!) ?? trajectory.tools;
      const chain = tokenizePath(path.slice(0, end + 1), { renderer, tools, counted, id: trajectory.id });
      const offset = nodes.length;
      nodes.push(
        ...chain.map((node, index) => ({ ...node, parent: index === 0 ? null : offset + index - 1 })),
      );
    }
    for (const node of fresh) seen.add(node);
  }
  return { trajectory: { ...trajectory, nodes }, turns: nodes.filter(({ mask }) => mask).length };
}

function tokenizePath(
  path: readonly TrajectoryNode[],
  options: {
    renderer: Renderer;
    tools: readonly ToolSpec[];
    counted: ReadonlySet<TrajectoryNode>;
    id: string;
  },
): TrajectoryNode[] {
  const { renderer, tools, counted, id } = options;
  const messages = path.filter(({ message }) => message !== null);
  let between: Message[] = [];
  let spoken = false;
  return messages.map((node, index): TrajectoryNode => {
    const message = node.message!;
    const { gap: _gap, stopReason: _stopReason, ...kept } = node;
    const plain = { ...kept, tokens: noTokens, logprobs: null, sampled: false, mask: counted.has(node) };
    if (message.role === "assistant") {
      if (index === 0)
        throw new AttuneError(
          "input",
          `trajectory ${id}: expected a message before the first turn, got none`,
        );
      spoken = true;
      between = [];
      return { ...plain, tokens: renderer.turn(message) };
    }
    between.push(message);
    if (messages[index + 1]?.message?.role !== "assistant") return plain;
    const tokens = spoken ? renderer.observation(between) : renderer.prompt(between, tools);
    return { ...plain, tokens };
  });
}

const noTokens = new Int32Array(0);
