import { describe, expect, it } from "vitest";
import { createRandom, type Random } from "../kit/random.ts";
import type { Json } from "../spec/json.ts";
import type { AssistantMessage, Message, ToolCall } from "../spec/message.ts";
import type { Trajectory } from "../spec/trajectory.ts";
import { byteRenderer } from "../testing/byte-tokenizer.ts";
import { leavesOf, mainPath, pathTo } from "./path.ts";
import { createRecorder, type Exchange, type Recorder } from "./recorder.ts";
import { sameMessage } from "./same-message.ts";

const identity = {
  id: "g/0",
  player: "policy",
  step: 0,
  group: "g",
  sample: 0,
  attempt: 0,
  seed: 1,
  task: { id: "t", environment: "e", kind: "k", input: null, split: "train" as const },
};

const system = (content: string): Message => ({ role: "system", content });
const user = (content: string): Message => ({ role: "user", content });
const says = (content: string, ...toolCalls: ToolCall[]): AssistantMessage => ({
  role: "assistant",
  content,
  ...(toolCalls.length > 0 && { toolCalls }),
});
const call = (id: string, args: Record<string, Json> = {}): ToolCall => ({ id, name: "f", arguments: args });
const result = (callId: string, content: string): Message => ({ role: "tool", callId, name: "f", content });
const tool = (name: string) => ({ name, description: "", parameters: {} });

/** An exchange of tokens that are given: prompt and reply as lists, null where they are not known. */
function exchange(
  messages: readonly Message[],
  prompt: readonly number[] | null,
  message: AssistantMessage,
  tokens: readonly number[] | null,
  more: Omit<Partial<Exchange>, "reply"> & { reply?: Partial<Exchange["reply"]> } = {},
): Exchange {
  return {
    messages,
    tools: [],
    prompt: prompt && Int32Array.from(prompt),
    latencyMs: 1,
    ...more,
    reply: {
      message,
      tokens: tokens && Int32Array.from(tokens),
      logprobs: tokens && Float32Array.from(tokens, (token) => -token / 100),
      stopReason: "stop",
      policyVersion: 0,
      complete: true,
      ...more.reply,
    },
  };
}

const seal = (recorder: Recorder) => recorder.seal({ status: "completed", reward: 1 });
const tokensTo = (trajectory: Trajectory, node: number) =>
  pathTo(trajectory, node).flatMap(({ tokens }) => [...tokens]);
const rowsOf = (trajectory: Trajectory) =>
  leavesOf(trajectory).map((leaf) => tokensTo(trajectory, leaf).join(" "));
const contents = ({ nodes }: Trajectory) => nodes.map(({ message }) => message?.content ?? null);

describe("a recorder", () => {
  const [s, u] = [system("s"), user("u")];

  it("keeps each message of a conversation that goes on once, with only the tokens it adds", () => {
    const recorder = createRecorder(identity);
    const first = says("", call("c1", { a: 1, b: [2] }));
    expect(recorder.record(exchange([s, u], [1, 2, 3], first, [4, 5]))).toEqual({
      node: 2,
      turn: 0,
      repeats: false,
    });
    const history = [s, u, first, result("c1", "r")];
    expect(recorder.record(exchange(history, [1, 2, 3, 4, 5, 6, 7], says("done"), [8]))).toMatchObject({
      node: 4,
      turn: 1,
    });
    expect([recorder.turns, recorder.tokens]).toEqual([2, 3]);
    const trajectory = seal(recorder);
    expect(contents(trajectory)).toEqual(["s", "u", "", "r", "done"]);
    expect(trajectory.nodes.map(({ tokens }) => [...tokens])).toEqual([[], [1, 2, 3], [4, 5], [6, 7], [8]]);
    expect(trajectory.nodes.map(({ mask }) => mask)).toEqual([false, false, true, false, true]);
    expect(trajectory.nodes.every(({ gap }) => gap === undefined)).toBe(true);
    expect(rowsOf(trajectory)).toEqual(["1 2 3 4 5 6 7 8"]);
    expect(trajectory).toMatchObject({ format: 1, status: "completed", reward: 1, rewards: {}, tools: [] });
  });

  it("pairs calls with the results that the next prompt brings, once each", () => {
    const recorder = createRecorder(identity);
    const asked = says("", call("a", { x: 1 }), call("b"));
    recorder.record(exchange([u], [1], asked, [2]));
    const failed: Message = { ...result("b", "error: no"), failure: "tool_error" } as Message;
    const history = [u, asked, failed, result("a", "fine"), result("c", "never asked for")];
    recorder.record(exchange(history, [1, 2, 3], says("next", call("a", { x: 2 })), [4]));
    recorder.record(
      exchange(
        [...history, says("next", call("a", { x: 2 })), result("a", "again")],
        [1, 2, 3, 4, 5],
        says("end"),
        [6],
      ),
    );
    // a history that was tokenised in another way brings the same results once more
    recorder.record(exchange([...history, user("?")], [1, 9, 3], says("end"), [6]));
    expect(seal(recorder).calls.map(({ latencyMs: _latencyMs, ...each }) => each)).toEqual([
      { turn: 0, id: "b", name: "f", arguments: {}, observation: "error: no", failure: "tool_error" },
      { turn: 0, id: "a", name: "f", arguments: { x: 1 }, observation: "fine", failure: null },
      { turn: 1, id: "a", name: "f", arguments: { x: 2 }, observation: "again", failure: null },
    ]);
  });

  it("forks where a history was tokenised anew, and trains on what was sampled", () => {
    const recorder = createRecorder(identity);
    recorder.record(exchange([u], [1, 2], says("hello"), [30]));
    // the engine's template writes "hello" as two tokens
    recorder.record(exchange([u, says("hello"), user("v")], [1, 2, 31, 32, 5], says("x"), [6]));
    const trajectory = seal(recorder);
    expect(rowsOf(trajectory)).toEqual(["1 2 30", "1 2 31 32 5 6"]);
    expect(trajectory.nodes.filter(({ mask }) => mask).map(({ tokens }) => [...tokens])).toEqual([[30], [6]]);
  });

  it("forks at a compaction, a rewritten message and a sub-agent, and shares what stood before", () => {
    const recorder = createRecorder(identity);
    recorder.record(exchange([s], [1], says("a"), [2]));
    recorder.record(exchange([s, says("a"), u], [1, 2, 3], says("b"), [4]));
    recorder.record(exchange([s, user("summary")], [1, 9], says("c"), [10]));
    recorder.record(exchange([s, says("a"), user("u!")], [1, 2, 8], says("d"), [11]));
    recorder.record(exchange([system("sub"), u], [7, 3], says("e"), [12]));
    const trajectory = seal(recorder);
    expect(rowsOf(trajectory)).toEqual(["1 2 3 4", "1 9 10", "1 2 8 11", "7 3 12"]);
    expect(trajectory.nodes.filter(({ parent }) => parent === null)).toHaveLength(2);
    expect(contents(trajectory).filter((content) => content === "a")).toHaveLength(1);
  });

  it("takes calls of sub-agents that run side by side in any order", () => {
    const record = (order: readonly number[]) => {
      const recorder = createRecorder(identity);
      const exchanges = [
        exchange([u], [1], says("plan"), [2]),
        exchange([u, says("plan"), user("left")], [1, 2, 3], says("l"), [4]),
        exchange([u, says("plan"), user("right")], [1, 2, 5], says("r"), [6]),
        exchange([u, says("plan"), user("left"), says("l"), user("more")], [1, 2, 3, 4, 7], says("m"), [8]),
      ];
      for (const index of order) recorder.record(exchanges[index]!);
      return { rows: rowsOf(seal(recorder)).sort(), turns: recorder.turns };
    };
    const expected = { rows: ["1 2 3 4 7 8", "1 2 5 6"], turns: 4 };
    expect(record([0, 1, 2, 3])).toEqual(expected);
    expect(record([0, 2, 1, 3])).toEqual(expected);
    // a later call that comes first holds the earlier ones' words, which were not seen as sampled there
    const late = record([3, 0, 1, 2]);
    expect(late.turns).toBe(4);
    expect(late.rows).toContain("1 2 3 4 7 8");
    expect(late.rows).toContain("1 2 5 6");
  });

  it("counts an asking-again with another answer as a second turn beside the first", () => {
    const recorder = createRecorder(identity);
    const first = recorder.record(exchange([u], [1], says("a"), [2]));
    expect(recorder.record(exchange([u], [1], says("b"), [3]))).toMatchObject({ turn: 0, repeats: false });
    expect(recorder.record(exchange([u], [1], says("a"), [2]))).toEqual({ ...first, repeats: true });
    expect(recorder.turns).toBe(2);
    expect(rowsOf(seal(recorder))).toEqual(["1 2", "1 3"]);
  });

  it("answers a client's retry, and only that", () => {
    const recorder = createRecorder(identity);
    expect(recorder.findReply([u], [])).toBeUndefined();
    const asked = says("", call("c1", { a: 1, b: { c: 2, d: 3 } }));
    const history = [u, asked, result("c1", "r")];
    const given = exchange(history, [1, 2, 3], says("x"), [4], { tools: [tool("f")] });
    recorder.record(given);
    const respelled = [u, says("", call("c1", { b: { d: 3.0, c: 2 }, a: 1 })), result("c1", "r")];
    expect(recorder.findReply(respelled, [tool("f")])).toBe(given.reply);
    expect(recorder.findReply(respelled, [])).toBeUndefined();
    expect(recorder.findReply(history.slice(0, 2), [tool("f")])).toBeUndefined();
    expect(recorder.findReply([u, asked, result("c1", "R")], [tool("f")])).toBeUndefined();
    expect(recorder.findReply(history, [tool("f")], [{ image: "x" }])).toBeUndefined();
    recorder.record(exchange([u], [1], says("cut"), [9], { reply: { complete: false } }));
    expect(recorder.findReply([u], [])).toBeUndefined();
    expect(recorder.findReply(history, [tool("f")])).toBeUndefined();
  });

  it("knows the tokens of what was sampled, however a client spells it", () => {
    const recorder = createRecorder(identity);
    const asked = says("", call("c1", { a: 1, b: 2 }));
    recorder.record(exchange([s, u], [1, 2], asked, [3, 4]));
    const spelled = says("", call("c1", { b: 2, a: 1 }));
    const prefix = recorder.prefixOf([s, u, spelled, result("c1", "r")]);
    expect(prefix).toEqual({ tokens: Int32Array.of(1, 2, 3, 4), messages: 3, closed: true });
    expect(recorder.prefixOf([s, u])).toBeUndefined();
    expect(recorder.prefixOf([s, user("other"), spelled])).toBeUndefined();
    // two calls that say the same: the ids tell which one is meant
    recorder.record(exchange([s, u], [1, 2], says("", call("c2", { a: 1, b: 2 })), [5]));
    expect(recorder.prefixOf([s, u, asked])!.tokens).toEqual(Int32Array.of(1, 2, 3, 4));
    expect(recorder.prefixOf([s, u, says("", call("c2", { a: 1, b: 2 }))])!.tokens).toEqual(
      Int32Array.of(1, 2, 5),
    );
  });

  it("says whether the turn it knows the tokens of was ended", () => {
    const recorder = createRecorder(identity);
    recorder.record(exchange([u], [1], says("long"), [2], { reply: { stopReason: "length" } }));
    recorder.record(exchange([u], [1], says("lost"), [3], { reply: { complete: false, stopReason: null } }));
    expect(recorder.prefixOf([u, says("long")])).toMatchObject({ messages: 2, closed: false });
    expect(recorder.prefixOf([u, says("lost")])).toMatchObject({ messages: 2, closed: false });
    expect(mainPath(seal(recorder)).at(-1)!.message!.content).toBe("long");
  });

  it("tells images apart that have the same tokens, and keeps what came with a message", () => {
    const recorder = createRecorder(identity);
    const cat = exchange([u], [1], says("cat"), [2], { extras: [{ image: "cat" }] });
    recorder.record(cat);
    recorder.record(exchange([u], [1], says("dog"), [3], { extras: [{ image: "dog" }] }));
    recorder.record(exchange([u, says("cat"), u], [1, 2, 4], says("x"), [5], { extras: [{ image: "cat" }] }));
    const { nodes } = seal(recorder);
    expect(nodes.filter(({ parent }) => parent === null).map(({ extra }) => extra)).toEqual([
      { image: "cat" },
      { image: "dog" },
    ]);
    expect(nodes).toHaveLength(6);
  });

  it("says of each turn which tools it was offered, where not all turns had the same", () => {
    const recorder = createRecorder(identity);
    recorder.record(exchange([u], [1], says("a"), [2], { tools: [tool("f"), tool("g")] }));
    recorder.record(exchange([s], [3], says("b"), [4], { tools: [tool("g"), tool("h")] }));
    const { tools, nodes } = seal(recorder);
    expect(tools.map(({ name }) => name)).toEqual(["f", "g", "h"]);
    expect(nodes.filter(({ mask }) => mask).map(({ offered }) => offered)).toEqual([
      [0, 1],
      [1, 2],
    ]);
  });

  it("goes by messages where an engine tells no tokens, and says what is missing", () => {
    const recorder = createRecorder(identity);
    recorder.record(exchange([s, u], null, says("a"), null));
    recorder.record(exchange([s, u, says("a"), user("v")], null, says("b"), [7, 8]));
    recorder.record(
      exchange([s, u, says("a"), user("v")], [1, 2, 3], says("c"), [9], { reply: { logprobs: null } }),
    );
    const trajectory = seal(recorder);
    expect(trajectory.nodes.map(({ message, gap }) => [message!.content, gap])).toEqual([
      ["s", ["tokens"]],
      ["u", ["tokens"]],
      ["a", ["tokens", "logprobs", "prompt"]],
      ["v", ["tokens"]],
      ["b", ["prompt"]],
      // an engine that tells tokens shares nothing with one that does not
      ["s", undefined],
      ["u", undefined],
      ["a", undefined],
      ["v", undefined],
      ["c", ["logprobs"]],
    ]);
    expect(recorder.prefixOf([s, u, says("a"), user("v"), says("b")])).toBeUndefined();
  });

  it("gives what opens a turn a node of its own where it differs from call to call", () => {
    const recorder = createRecorder(identity);
    recorder.record(exchange([u], [1], says("a"), [2]));
    recorder.record(exchange([u], [1, 50], says("b"), [3]));
    const trajectory = seal(recorder);
    expect(contents(trajectory)).toEqual(["u", "a", null, "b"]);
    expect(rowsOf(trajectory)).toEqual(["1 2", "1 50 3"]);
  });

  it("leaves a sample that broke off and that nobody went on from out of the loss", () => {
    const recorder = createRecorder(identity);
    const broken = { reply: { complete: false, stopReason: null } };
    recorder.record(exchange([u], [1], says("ha"), [2], broken));
    recorder.record(exchange([u], [1], says("half"), [3], broken));
    recorder.record(exchange([u, says("half"), user("go on")], [1, 3, 4], says("b"), [5]));
    const { nodes } = seal(recorder);
    expect(nodes.map(({ gap, mask }) => [gap, mask])).toEqual([
      [undefined, false],
      [["rest"], false],
      [["rest"], true],
      [undefined, false],
      [undefined, true],
    ]);
  });

  it("takes nothing after its end, and refuses exchanges that cannot be", () => {
    const recorder = createRecorder(identity);
    expect(() => recorder.record(exchange([], [1], says("a"), [2]))).toThrow(
      "g/0: an exchange: expected messages",
    );
    const uneven = exchange([u], [1], says("a"), [2], { reply: { logprobs: new Float32Array(3) } });
    expect(() => recorder.record(uneven)).toThrow("expected 1 log-probabilities, one for each token, got 3");
    expect(() => recorder.record(exchange([u], [1], says("a"), [2], { extras: [1, 2] }))).toThrow(
      "at most 1 extras",
    );
    expect(seal(recorder).nodes).toEqual([]);
    expect(() => seal(recorder)).toThrow("sealed already");
    expect(() => recorder.record(exchange([u], [1], says("a"), [2]))).toThrow("takes no more calls");
  });
});

/** What an engine was given and what it drew: the truth that every row has to agree with. */
type Seen = { history: Message[]; prompt: number[]; message: AssistantMessage; reply: number[] };

/**
 * `recorded` goes on from recorded tokens; `anew` renders every history anew, so that sampled pairs of letters fall
 * apart; `silent` tells no tokens.
 */
type Engine = "recorded" | "anew" | "silent";

/** An agent that does with its history whatever agents do. */
function playAtRandom(random: Random, engine: Engine) {
  const recorder = createRecorder(identity);
  const seen: (Seen & { node: number })[] = [];
  let histories: Message[][] = [[system(`agent ${random.integer(2)}`), user("start")]];
  const letters = () => Array.from({ length: 1 + random.integer(3) }, () => random.pick(["a", "b"])).join("");
  const sample = (message: AssistantMessage) => {
    const plain = [...byteRenderer.turn(message)];
    // "aa" may be drawn as one token, which a tokenizer would not write
    const at = plain.findIndex((token, index) => token === 97 && plain[index + 1] === 97);
    return at !== -1 && random.integer(2) === 0
      ? [...plain.slice(0, at), 1000, ...plain.slice(at + 2)]
      : plain;
  };
  const render = (messages: readonly Message[]) => {
    const turns: number[] = [];
    let between: Message[] = [];
    for (const message of messages) {
      if (message.role !== "assistant") {
        between.push(message);
        continue;
      }
      turns.push(
        ...(turns.length === 0 ? byteRenderer.prompt(between, []) : byteRenderer.observation(between)),
      );
      turns.push(...byteRenderer.turn(message));
      between = [];
    }
    return [
      ...turns,
      ...(turns.length === 0 ? byteRenderer.prompt(between, []) : byteRenderer.observation(between)),
    ];
  };
  for (let count = 0; count < 25; count++) {
    const history = random.pick(histories);
    const reply = says(
      letters(),
      ...(random.integer(3) === 0 ? [call(`c${count}`, { x: count, y: 1 })] : []),
    );
    const known = engine === "recorded" ? recorder.prefixOf(history) : undefined;
    const prompt = known
      ? [...known.tokens, ...byteRenderer.observation(history.slice(known.messages))]
      : render(history);
    const tokens = sample(reply);
    const given =
      engine === "silent" ? exchange(history, null, reply, null) : exchange(history, prompt, reply, tokens);
    const { node, repeats } = recorder.record(given);
    if (!repeats) seen.push({ history, prompt, message: reply, reply: tokens, node });
    const respelled = says(
      reply.content,
      ...(reply.toolCalls ?? []).map(({ id }) => call(id, { y: 1, x: count })),
    );
    const answered = [
      ...history,
      respelled,
      ...(reply.toolCalls ?? []).map(({ id }) => result(id, letters())),
      ...(reply.toolCalls ? [] : [user(letters())]),
    ];
    const next: Record<number, () => void> = {
      // go on, and forget where it came from or not
      0: () => (histories = [...histories.filter((each) => each !== history), answered]),
      1: () => histories.push(answered),
      2: () => histories.push([history[0]!, user(`summary ${letters()}`)]),
      3: () => histories.push([system(`agent ${letters()}`), user(letters())]),
      4: () => histories.push([...answered.slice(0, -1), user(`rewritten ${letters()}`)]),
      5: () => histories.push([...history.slice(0, 1), user(letters()), ...answered.slice(2)]),
    };
    next[random.integer(6)]!();
  }
  return { trajectory: seal(recorder), seen };
}

describe("over random conversation trees", () => {
  it.each(["recorded", "anew"] as const)("every path to a reply is what the engine saw (%s)", (engine) => {
    let forks = 0;
    for (let seed = 0; seed < 150; seed++) {
      const { trajectory, seen } = playAtRandom(createRandom(seed), engine);
      for (const { prompt, reply, node } of seen) {
        expect(tokensTo(trajectory, node)).toEqual([...prompt, ...reply]);
        expect([...trajectory.nodes[node]!.tokens]).toEqual(reply);
        expect(trajectory.nodes[node]!.mask).toBe(true);
      }
      // and nothing is trained on that was not drawn
      expect(trajectory.nodes.filter(({ mask }) => mask)).toHaveLength(seen.length);
      const said = new Set(seen.map(({ prompt, reply }) => [...prompt, ...reply].join()));
      for (const leaf of leavesOf(trajectory)) expect(said.has(tokensTo(trajectory, leaf).join())).toBe(true);
      forks += leavesOf(trajectory).length;
    }
    expect(forks).toBeGreaterThan(150 * 4);
  });

  it("every path to a reply says what the agent sent, where the engine tells no tokens", () => {
    for (let seed = 0; seed < 150; seed++) {
      const { trajectory, seen } = playAtRandom(createRandom(seed), "silent");
      for (const { history, message, node } of seen) {
        const path = pathTo(trajectory, node).map((each) => ({ message: each.message!, extra: undefined }));
        const sent = [...history, message].map((each) => ({ message: each, extra: undefined }));
        expect(path).toHaveLength(sent.length);
        for (const [index, each] of sent.entries()) expect(sameMessage(path[index]!, each)).toBe(true);
      }
      expect(
        trajectory.nodes.every(({ gap, tokens }) => gap?.includes("tokens") && tokens.length === 0),
      ).toBe(true);
    }
  });
});
