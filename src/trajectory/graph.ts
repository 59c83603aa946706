import type { TrajectoryNode } from "../spec/trajectory.ts";
import { callIds, type Said, sameExtra, sameMessage } from "./same-message.ts";

/** Where in a growing graph a prompt begins to be new. */
export type Found = {
  /** The last node that the prompt shares with the graph; null where it shares none. */
  node: number | null;
  /** Messages and tokens of the prompt that this node's path covers. */
  messages: number;
  tokens: number;
};

export type Graph = {
  nodes: TrajectoryNode[];
  add(node: TrajectoryNode): number;
  children(parent: number | null): readonly number[];
  /** The longest path whose tokens are exactly the beginning of these. */
  findByTokens(said: readonly Said[], prompt: Int32Array): Found;
  /** The longest path that says the same, whatever its tokens. `accept` chooses where it may end. */
  findByMessages(said: readonly Said[], accept?: (node: TrajectoryNode) => boolean): Found;
};

/** Nodes of one episode with what follows each of them. */
export function createGraph(): Graph {
  const nodes: TrajectoryNode[] = [];
  const roots: number[] = [];
  const followers: number[][] = [];
  const children = (parent: number | null) => (parent === null ? roots : followers[parent]!);
  const saidBy = ({ message, extra }: TrajectoryNode): Said => ({ message: message!, extra });

  type Path = Found & { sameIds: number };
  const better = (a: Path, b: Path) =>
    a.tokens - b.tokens ||
    a.messages - b.messages ||
    a.sameIds - b.sameIds ||
    (a.node ?? -1) - (b.node ?? -1);

  /** Walks every way down that `step` allows; what it returns of a node is how many tokens it covers. */
  function find(
    said: readonly Said[],
    step: (node: TrajectoryNode, said: Said | undefined, tokens: number) => number | undefined,
    accept: (node: TrajectoryNode) => boolean,
  ): Found {
    let best: Path = { node: null, messages: 0, tokens: 0, sameIds: 0 };
    const open: Path[] = [best];
    for (let path = open.pop(); path; path = open.pop()) {
      for (const index of children(path.node)) {
        const node = nodes[index]!;
        const current = node.message === null ? undefined : said[path.messages];
        if (node.message !== null && !current) continue;
        const covered = step(node, current, path.tokens);
        if (covered === undefined) continue;
        const ids = current ? callIds(current.message) : [];
        const own = node.message ? callIds(node.message) : [];
        const next = {
          node: index,
          messages: path.messages + (current ? 1 : 0),
          tokens: path.tokens + covered,
          sameIds: path.sameIds + ids.filter((id, position) => id === own[position]).length,
        };
        open.push(next);
        if (accept(node) && better(next, best) > 0) best = next;
      }
    }
    return { node: best.node, messages: best.messages, tokens: best.tokens };
  }

  return {
    nodes,
    children,
    add(node) {
      const index = nodes.push(node) - 1;
      followers.push([]);
      (node.parent === null ? roots : followers[node.parent]!).push(index);
      return index;
    },
    findByTokens: (said, prompt) =>
      find(
        said,
        (node, current, offset) => {
          if (node.gap?.includes("tokens") || !startsWith(prompt, node.tokens, offset)) return undefined;
          if (!current) return node.tokens.length;
          // tokens decide; a message without any (those of its neighbour speak for it) must say the same
          const same =
            node.tokens.length === 0
              ? sameMessage(current, saidBy(node))
              : current.message.role === node.message!.role && sameExtra(current, saidBy(node));
          return same ? node.tokens.length : undefined;
        },
        () => true,
      ),
    findByMessages: (said, accept = () => true) =>
      find(said, (node, current) => (!current || sameMessage(current, saidBy(node)) ? 0 : undefined), accept),
  };
}

function startsWith(tokens: Int32Array, prefix: Int32Array, offset: number): boolean {
  if (offset + prefix.length > tokens.length) return false;
  for (let index = 0; index < prefix.length; index++)
    if (tokens[offset + index] !== prefix[index]) return false;
  return true;
}
