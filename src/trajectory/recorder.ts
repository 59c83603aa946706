import { AttuneError } from "../spec/error.ts";
import type { Json } from "../spec/json.ts";
import type { AssistantMessage, Message } from "../spec/message.ts";
import type { StopReason } from "../spec/policy.ts";
import type { ToolSpec } from "../spec/tool.ts";
import type { Gap, Status, Trajectory, TrajectoryNode } from "../spec/trajectory.ts";
import { createCallLog } from "./call-log.ts";
import { createGraph } from "./graph.ts";
import { pathTo } from "./path.ts";
import { type Said, sameMessage, sameTool, sameTools } from "./same-message.ts";

/** One call of an agent: everything it sent, and what came back. */
export type Exchange = {
  /** The whole conversation as it was sent. */
  messages: readonly Message[];
  /** What each message held beyond `Message` (images, reasoning, a provider's opaque state). */
  extras?: readonly (Json | undefined)[];
  tools: readonly ToolSpec[];
  /** Token ids of the whole prompt; null where the engine does not tell. */
  prompt: Int32Array | null;
  reply: {
    message: AssistantMessage;
    extra?: Json;
    tokens: Int32Array | null;
    logprobs: Float32Array | null;
    stopReason: StopReason | null;
    policyVersion: number | null;
    /** False where the reply broke off before its end: a lost connection, an upstream that died. */
    complete: boolean;
  };
  latencyMs: number;
};

export type Recorder = {
  /**
   * Adds an exchange. `node` is the reply's, `turn` how many assistant turns stand before it on its path. `repeats`
   * says that the very same reply to the very same prompt was there already, and nothing was added.
   */
  record(exchange: Exchange): { node: number; turn: number; repeats: boolean };
  /**
   * The reply to exactly this prompt, if the last call was the same and its reply came to its end: how a gateway
   * answers a client's retry without a second turn.
   */
  findReply(
    messages: readonly Message[],
    tools: readonly ToolSpec[],
    extras?: readonly (Json | undefined)[],
  ): Exchange["reply"] | undefined;
  /** Replies recorded so far, and tokens in them. */
  readonly turns: number;
  readonly tokens: number;
  /**
   * Tokens of the longest beginning of these messages that ends with a recorded reply, and how many messages it
   * covers: what was sampled is never tokenised again. `closed` is false where the reply was cut at a limit or broke
   * off, so that whoever goes on has to end its turn first.
   */
  prefixOf(
    messages: readonly Message[],
    extras?: readonly (Json | undefined)[],
  ): { tokens: Int32Array; messages: number; closed: boolean } | undefined;
  /** Closes it and gives the trajectory; further records throw. */
  seal(end: {
    status: Status;
    error?: string;
    outcome?: Json;
    rewards?: Record<string, number | null>;
    reward?: number | null;
  }): Trajectory;
};

/**
 * Builds a trajectory from the calls of an agent that may do with its history what it likes: go on, start anew,
 * compact, rewrite, ask twice, send sub-agents. Each message is kept once with only the tokens it adds. A prompt goes
 * on from the longest path whose tokens it begins with, and forks there; where token ids are unknown, messages decide
 * and the reply says so (`gap`).
 */
export function createRecorder(
  identity: Pick<Trajectory, "id" | "player" | "step" | "group" | "sample" | "attempt" | "seed" | "task">,
): Recorder {
  const graph = createGraph();
  const { nodes } = graph;
  const log = createCallLog();
  const tools: ToolSpec[] = [];
  /** Tools of a reply, as indices into `tools`. */
  const offered = new Map<number, number[]>();
  let last: { said: Said[]; exchange: Exchange } | undefined;
  let openedAt: number | undefined;
  let samplingMs = 0;
  let turns = 0;
  let tokens = 0;
  let sealed = false;

  const refuse = (what: string): never => {
    throw new AttuneError("usage", `trajectory ${identity.id}: ${what}`);
  };

  /** Messages that no node holds yet; their tokens stand on the last of them, for they were rendered together. */
  function addPrompt(said: readonly Said[], prompt: Int32Array | null): number | null {
    const found = prompt ? graph.findByTokens(said, prompt) : graph.findByMessages(said);
    const rest = said.slice(found.messages);
    const added = prompt ? prompt.slice(found.tokens) : noTokens;
    let parent = found.node;
    const add = (message: Message | null, extra: Json | undefined, own: Int32Array) => {
      parent = graph.add({
        parent,
        turn: turnAfter(parent, nodes),
        message,
        tokens: own,
        logprobs: null,
        sampled: false,
        mask: false,
        policyVersion: null,
        ...(!prompt && { gap: ["tokens"] satisfies Gap[] }),
        ...(extra !== undefined && { extra }),
      });
    };
    for (const [index, { message, extra }] of rest.entries())
      add(message, extra, index === rest.length - 1 ? added : noTokens);
    // tokens without a message of their own: what opens a turn may differ from call to call
    if (rest.length === 0 && added.length > 0) add(null, undefined, added);
    return parent;
  }

  function addReply(parent: number | null, { prompt, reply }: Exchange): { node: number; repeats: boolean } {
    const said: Said = { message: reply.message, extra: reply.extra };
    const again = graph.children(parent).find((index) => isSameReply(nodes[index]!, reply, said));
    if (again !== undefined) return { node: again, repeats: true };
    const gap: Gap[] = [
      ...(reply.tokens ? [] : (["tokens"] as const)),
      ...(reply.logprobs && reply.tokens ? [] : (["logprobs"] as const)),
      ...(prompt ? [] : (["prompt"] as const)),
      ...(reply.complete ? [] : (["rest"] as const)),
    ];
    const node = graph.add({
      parent,
      turn: turnAfter(parent, nodes),
      message: reply.message,
      tokens: reply.tokens ?? noTokens,
      logprobs: reply.tokens ? reply.logprobs : null,
      sampled: true,
      mask: true,
      policyVersion: reply.policyVersion,
      ...(reply.stopReason && { stopReason: reply.stopReason }),
      ...(gap.length > 0 && { gap }),
      ...(reply.extra !== undefined && { extra: reply.extra }),
    });
    return { node, repeats: false };
  }

  return {
    record(exchange) {
      if (sealed) refuse("it is sealed and takes no more calls");
      check(exchange, identity.id);
      const requestedAt = performance.now() - exchange.latencyMs;
      openedAt ??= requestedAt;
      const said = toSaid(exchange.messages, exchange.extras);
      const known = nodes.length;
      const parent = addPrompt(said, exchange.prompt);
      log.observe(said, nodes.slice(known), requestedAt);
      const { node, repeats } = addReply(parent, exchange);
      const { turn } = nodes[node]!;
      last = { said, exchange };
      samplingMs += exchange.latencyMs;
      if (!repeats) {
        offered.set(node, indicesOf(exchange.tools, tools));
        log.ask(nodes[node]!, performance.now());
        turns++;
        tokens += nodes[node]!.tokens.length;
      }
      return { node, turn, repeats };
    },
    findReply(messages, given, extras) {
      if (!last || messages.length !== last.said.length || !last.exchange.reply.complete) return undefined;
      if (!sameTools(given, last.exchange.tools)) return undefined;
      const same = toSaid(messages, extras).every((each, index) => sameMessage(each, last!.said[index]!));
      return same ? last.exchange.reply : undefined;
    },
    prefixOf(messages, extras) {
      const { node, messages: covered } = graph.findByMessages(
        toSaid(messages, extras),
        ({ sampled, gap }) => sampled && !gap?.includes("tokens") && !gap?.includes("prompt"),
      );
      if (node === null) return undefined;
      const { stopReason, gap } = nodes[node]!;
      const closed = stopReason !== "length" && !gap?.includes("rest");
      return { tokens: concatenate(pathTo({ nodes }, node)), messages: covered, closed };
    },
    get turns() {
      return turns;
    },
    get tokens() {
      return tokens;
    },
    seal({ status, error, outcome, rewards = {}, reward = null }) {
      if (sealed) refuse("it is sealed already");
      sealed = true;
      for (const [node, own] of offered) if (own.length < tools.length) nodes[node]!.offered = own;
      for (const [index, node] of nodes.entries()) {
        // nobody went on from what broke off, so the end says nothing about it
        if (node.gap?.includes("rest") && graph.children(index).length === 0) node.mask = false;
      }
      return {
        format: 1,
        ...identity,
        tools,
        nodes,
        calls: log.calls,
        status,
        ...(error !== undefined && { error }),
        ...(outcome !== undefined && { outcome }),
        rewards,
        reward,
        timing: {
          samplingMs,
          toolMs: log.toolMs,
          gradingMs: 0,
          wallMs: openedAt === undefined ? 0 : performance.now() - openedAt,
        },
      };
    },
  };
}

const noTokens = new Int32Array(0);

const toSaid = (messages: readonly Message[], extras: readonly (Json | undefined)[] = []): Said[] =>
  messages.map((message, index) => ({ message, extra: extras[index] }));

function turnAfter(parent: number | null, nodes: readonly TrajectoryNode[]): number {
  if (parent === null) return 0;
  const { turn, message } = nodes[parent]!;
  return turn + (message?.role === "assistant" ? 1 : 0);
}

/** Where each tool stands among all that the episode was offered; new ones are added. */
function indicesOf(given: readonly ToolSpec[], all: ToolSpec[]): number[] {
  return given.map((tool) => {
    const known = all.findIndex((each) => sameTool(each, tool));
    return known === -1 ? all.push(tool) - 1 : known;
  });
}

function isSameReply(node: TrajectoryNode, reply: Exchange["reply"], said: Said): boolean {
  if (!node.sampled || !node.message || node.policyVersion !== reply.policyVersion) return false;
  if (!reply.tokens || !node.logprobs || !reply.logprobs || !reply.complete || node.gap?.includes("rest"))
    return false;
  return (
    sameMessage({ message: node.message, extra: node.extra }, said) &&
    sameNumbers(node.tokens, reply.tokens) &&
    sameNumbers(node.logprobs, reply.logprobs)
  );
}

function sameNumbers(a: Int32Array | Float32Array, b: Int32Array | Float32Array): boolean {
  return a.length === b.length && a.every((value, index) => value === b[index]);
}

function concatenate(path: readonly TrajectoryNode[]): Int32Array {
  const tokens = new Int32Array(path.reduce((total, node) => total + node.tokens.length, 0));
  let offset = 0;
  for (const node of path) {
    tokens.set(node.tokens, offset);
    offset += node.tokens.length;
  }
  return tokens;
}

function check({ messages, extras, reply }: Exchange, id: string): void {
  const wrong =
    messages.length === 0
      ? "expected messages, got none"
      : extras && extras.length > messages.length
        ? `expected at most ${messages.length} extras, one for each message, got ${extras.length}`
        : reply.tokens && reply.logprobs && reply.tokens.length !== reply.logprobs.length
          ? `expected ${reply.tokens.length} log-probabilities, one for each token, got ${reply.logprobs.length}`
          : undefined;
  if (wrong) throw new AttuneError("usage", `trajectory ${id}: an exchange: ${wrong}`);
}
