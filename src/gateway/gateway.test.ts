import { createOpenAICompatible } from "@ai-sdk/openai-compatible";
import Anthropic from "@anthropic-ai/sdk";
import {
  Agent,
  tool as agentTool,
  OpenAIChatCompletionsModel,
  OpenAIResponsesModel,
  run,
  setTracingDisabled,
} from "@openai/agents";
import { generateText, isStepCount, streamText, tool } from "ai";
import OpenAI from "openai";
import { afterEach, describe, expect, it } from "vitest";
import { z } from "zod";
import { resolveLimits } from "../rollout/limits.ts";
import type { Policy } from "../spec/policy.ts";
import type { Trajectory } from "../spec/trajectory.ts";
import { byteRenderer } from "../testing/byte-tokenizer.ts";
import { scriptedPolicy } from "../testing/scripted-policy.ts";
import { leavesOf, mainPath } from "../trajectory/path.ts";
import { createConversation } from "./conversation.ts";
import { type Gateway, type GatewayOptions, serveGateway } from "./server.ts";

setTracingDisabled(true);

/** Adds with its tool, then says what it was told. */
const adding = (prompt: string) => {
  const told = /tool:(\d+)/.exec(prompt.slice(prompt.lastIndexOf("user:")));
  return told ? `It is ${told[1]}.` : 'I add.\n→add {"a":40,"b":2}';
};

let gateway: Gateway | undefined;
const trajectories: Trajectory[] = [];

const start = async ({
  policy = scriptedPolicy(adding, { renderer: byteRenderer }),
  ...options
}: { policy?: Policy } & Partial<GatewayOptions> = {}) => {
  gateway = await serveGateway({
    port: 0,
    player: policy.name,
    create: ({ limits, ...episode }) =>
      createConversation({ policy, renderer: byteRenderer, limits: resolveLimits(limits), ...episode }),
    onTrajectory: (trajectory) => trajectories.push(trajectory),
    ...options,
  });
  return gateway;
};

afterEach(async () => {
  await gateway?.close();
  gateway = undefined;
  trajectories.length = 0;
});

const question = "What is 40 + 2?";
const description = "Adds two numbers.";
const parameters = {
  type: "object",
  properties: { a: { type: "number" }, b: { type: "number" } },
  required: ["a", "b"],
};
const inputSchema = z.object({ a: z.number(), b: z.number() });
const add = ({ a, b }: { a: number; b: number }) => String(a + b);

const chatTools: OpenAI.ChatCompletionTool[] = [
  { type: "function", function: { name: "add", description, parameters } },
];

async function chatLoop(client: OpenAI, stream: boolean): Promise<string> {
  const messages: OpenAI.ChatCompletionMessageParam[] = [{ role: "user", content: question }];
  for (;;) {
    const message = stream
      ? (
          await client.chat.completions
            .stream({ model: "m", messages, tools: chatTools })
            .finalChatCompletion()
        ).choices[0]!.message
      : (await client.chat.completions.create({ model: "m", messages, tools: chatTools })).choices[0]!
          .message;
    messages.push(message);
    if (!message.tool_calls?.length) return message.content ?? "";
    for (const call of message.tool_calls)
      if (call.type === "function")
        messages.push({
          role: "tool",
          tool_call_id: call.id,
          content: add(JSON.parse(call.function.arguments)),
        });
  }
}

async function anthropicLoop(client: Anthropic, stream: boolean): Promise<string> {
  const messages: Anthropic.MessageParam[] = [{ role: "user", content: question }];
  const tools = [{ name: "add", description, input_schema: parameters as Anthropic.Tool["input_schema"] }];
  for (;;) {
    const given = { model: "m", max_tokens: 200, messages, tools };
    const message = stream
      ? await client.messages.stream(given).finalMessage()
      : await client.messages.create(given);
    messages.push({ role: "assistant", content: message.content });
    const calls = message.content.filter((block) => block.type === "tool_use");
    if (calls.length === 0)
      return message.content.map((block) => (block.type === "text" ? block.text : "")).join("");
    messages.push({
      role: "user",
      content: calls.map((call) => ({
        type: "tool_result",
        tool_use_id: call.id,
        content: add(call.input as { a: number; b: number }),
      })),
    });
  }
}

async function agentsLoop(client: OpenAI, api: "chat" | "responses", stream: boolean): Promise<string> {
  const agent = new Agent({
    name: "Adder",
    model:
      api === "chat"
        ? new OpenAIChatCompletionsModel(client as never, "m")
        : new OpenAIResponsesModel(client as never, "m"),
    tools: [
      agentTool({ name: "add", description, parameters: inputSchema, execute: async (input) => add(input) }),
    ],
  });
  if (!stream) return String((await run(agent, question)).finalOutput);
  const streamed = await run(agent, question, { stream: true });
  await streamed.completed;
  return String(streamed.finalOutput);
}

async function aiSdkLoop(baseURL: string, stream: boolean): Promise<string> {
  const model = createOpenAICompatible({ name: "attune", baseURL, apiKey: "-" })("m");
  const tools = { add: tool({ description, inputSchema, execute: async (input) => add(input) }) };
  const given = { model, prompt: question, tools, stopWhen: isStepCount(5) };
  return stream ? streamText(given).text : (await generateText(given)).text;
}

describe("an unmodified client", () => {
  const clients: Record<string, (baseURL: string) => Promise<string>> = {
    "openai, chat": (baseURL) => chatLoop(new OpenAI({ baseURL, apiKey: "-" }), false),
    "openai, chat, streaming": (baseURL) => chatLoop(new OpenAI({ baseURL, apiKey: "-" }), true),
    "@anthropic-ai/sdk": (baseURL) =>
      anthropicLoop(new Anthropic({ baseURL: baseURL.slice(0, -3), apiKey: "-" }), false),
    "@anthropic-ai/sdk, streaming": (baseURL) =>
      anthropicLoop(new Anthropic({ baseURL: baseURL.slice(0, -3), apiKey: "-" }), true),
    "@openai/agents, responses": (baseURL) =>
      agentsLoop(new OpenAI({ baseURL, apiKey: "-" }), "responses", false),
    "@openai/agents, responses, streaming": (baseURL) =>
      agentsLoop(new OpenAI({ baseURL, apiKey: "-" }), "responses", true),
    "@openai/agents, chat": (baseURL) => agentsLoop(new OpenAI({ baseURL, apiKey: "-" }), "chat", false),
    "@openai/agents, chat, streaming": (baseURL) =>
      agentsLoop(new OpenAI({ baseURL, apiKey: "-" }), "chat", true),
    "ai with openai-compatible": (baseURL) => aiSdkLoop(baseURL, false),
    "ai with openai-compatible, streaming": (baseURL) => aiSdkLoop(baseURL, true),
  };

  it.each(Object.entries(clients))(
    "plays a tool loop that is recorded token by token: %s",
    async (_name, play) => {
      const { baseUrl, episodes } = await start();
      expect(await play(baseUrl("one"))).toBe("It is 42.");
      const trajectory = episodes.seal("one", { reward: 1 });
      const tokens = mainPath(trajectory).flatMap((node) => [...node.tokens]);
      expect(byteRenderer.tokenizer.decode(tokens)).toBe(
        `user:${question}\nassistant:I add.\n→add {"a":40,"b":2}\ntool:42\nassistant:It is 42.`,
      );
      expect(leavesOf(trajectory)).toHaveLength(1);
      expect(trajectory.nodes.some(({ gap }) => gap)).toBe(false);
      expect(trajectory.calls).toMatchObject([
        { turn: 0, name: "add", arguments: { a: 40, b: 2 }, observation: "42" },
      ]);
      expect(trajectory).toMatchObject({ reward: 1, status: "completed" });
      expect(trajectories).toEqual([trajectory]);
    },
  );

  it("may ask for token ids and log-probabilities", async () => {
    const { baseUrl } = await start();
    const client = new OpenAI({ baseURL: baseUrl("one"), apiKey: "-" });
    const messages = [{ role: "user" as const, content: "Hi" }];
    const given = { model: "m", messages, logprobs: true, return_token_ids: true };
    const reply = await client.chat.completions.create(given);
    const [choice] = reply.choices as (OpenAI.ChatCompletion.Choice & { token_ids: number[] })[];
    expect(byteRenderer.tokenizer.decode(choice!.token_ids)).toBe('I add.\n→add {"a":40,"b":2}');
    expect(choice!.logprobs!.content!.map(({ logprob }) => logprob)).toEqual(
      choice!.token_ids.map(() => -0.5),
    );
    expect(reply.usage!.completion_tokens).toBe(choice!.token_ids.length);
  });
});

describe("the gateway", () => {
  const post = (url: string, body: unknown, headers: Record<string, string> = {}) =>
    fetch(url, {
      method: "POST",
      headers: { "content-type": "application/json", ...headers },
      body: typeof body === "string" ? body : JSON.stringify(body),
    });
  const hello = { model: "m", messages: [{ role: "user", content: "Hi" }] };

  it("is told by the runner what an episode is and what it earned, and takes no call after that", async () => {
    const { url, baseUrl } = await start({ openUnknown: false });
    const opened = await post(`${url}/episodes`, {
      id: "a",
      task: { id: "t", input: "Hi", split: "test" },
      group: "g",
    });
    expect(await opened.json()).toEqual({ id: "a", baseUrl: baseUrl("a") });
    await post(`${baseUrl("a")}/chat/completions`, hello);
    expect(await (await fetch(`${url}/episodes/a`)).json()).toMatchObject({ turns: 1, sealed: false });
    const sealed = await post(`${url}/episodes/a/seal`, {
      rewards: { good: 0.5 },
      reward: 0.5,
      outcome: { done: true },
    });
    expect(await sealed.json()).toMatchObject({ id: "a", status: "completed", reward: 0.5 });
    expect(trajectories[0]).toMatchObject({
      group: "g",
      task: { id: "t", split: "test" },
      outcome: { done: true },
    });
    const late = await post(`${baseUrl("a")}/chat/completions`, hello);
    expect([late.status, await late.json()]).toMatchObject([
      410,
      { error: { message: "episode a is sealed" } },
    ]);
    expect((await post(`${url}/episodes`, { id: "a" })).status).toBe(409);
    expect((await post(`${baseUrl("b")}/chat/completions`, hello)).status).toBe(404);
    expect((await post(`${url}/episodes/b/seal`, {})).status).toBe(404);
    expect(await (await post(`${url}/episodes`, { limits: { turns: 0 } })).json()).toMatchObject({
      error: { message: expect.stringContaining("limits.turns") },
    });
  });

  it("ends an episode at its budget with an answer that no client tries again", async () => {
    const { url, baseUrl, episodes } = await start();
    await post(`${url}/episodes`, { id: "a", limits: { turns: 1 }, sampling: { temperature: 0 } });
    await post(`${baseUrl("a")}/chat/completions`, hello);
    const client = new OpenAI({ baseURL: baseUrl("a"), apiKey: "-" });
    await expect(
      client.chat.completions.create({ ...hello, messages: [{ role: "user", content: "More" }] }),
    ).rejects.toThrow("410 the episode is over: 1 turns, limit 1");
    expect(episodes.seal("a", {})).toMatchObject({ status: "max_turns" });
  });

  it("gives a client that asks again the reply it did not get, and samples it once", async () => {
    let asked = 0;
    const slow = scriptedPolicy(() => `reply ${asked++}`, { renderer: byteRenderer, latencyMs: 50 });
    const { baseUrl, episodes } = await start({ policy: slow });
    const address = `${baseUrl("a")}/chat/completions`;
    const gone = new AbortController();
    const first = fetch(address, { method: "POST", body: JSON.stringify(hello), signal: gone.signal });
    setTimeout(() => gone.abort(), 20);
    await expect(first).rejects.toThrow();
    const again = await post(address, hello, { "x-stainless-retry-count": "1" });
    expect(await again.json()).toMatchObject({ choices: [{ message: { content: "reply 0" } }] });
    expect(episodes.state("a").turns).toBe(1);
    // asking the same once more without saying so is a wish for another sample
    expect(await (await post(address, hello)).json()).toMatchObject({
      choices: [{ message: { content: "reply 1" } }],
    });
  });

  it("records what was sampled for a client that has gone", async () => {
    const slow = scriptedPolicy(() => "late", { renderer: byteRenderer, latencyMs: 40 });
    const { baseUrl, episodes } = await start({ policy: slow });
    const gone = new AbortController();
    const call = fetch(`${baseUrl("a")}/responses`, {
      method: "POST",
      body: JSON.stringify({ model: "m", input: "Hi" }),
      signal: gone.signal,
    });
    setTimeout(() => gone.abort(), 10);
    await expect(call).rejects.toThrow();
    await expect.poll(() => episodes.state("a").turns).toBe(1);
  });

  it("takes the trajectory from the key of an agent whose address is fixed", async () => {
    const { url, episodes } = await start({ key: "secret" });
    const client = new OpenAI({ baseURL: `${url}/v1`, apiKey: "secret/mine" });
    await client.chat.completions.create({ model: "m", messages: [{ role: "user", content: "Hi" }] });
    expect(episodes.ids()).toEqual(["mine"]);
    const wrong = new Anthropic({ baseURL: url, apiKey: "guess", maxRetries: 0 });
    await expect(
      wrong.messages.create({ model: "m", max_tokens: 5, messages: [{ role: "user", content: "Hi" }] }),
    ).rejects.toThrow("got another one, expected the gateway's key");
    expect((await fetch(`${url}/health`)).status).toBe(401);
  });

  it("keeps images beside the text, and branches where a history was rewritten", async () => {
    const { baseUrl, episodes } = await start();
    const image = { type: "image_url", image_url: { url: "data:image/png;base64,AA==" } };
    const content = [{ type: "text", text: "See" }, image];
    await post(`${baseUrl("a")}/chat/completions`, { model: "m", messages: [{ role: "user", content }] });
    await post(`${baseUrl("a")}/chat/completions`, hello);
    const trajectory = episodes.seal("a", {});
    expect(trajectory.nodes[0]!.extra).toEqual([image]);
    expect(leavesOf(trajectory)).toHaveLength(2);
  });

  it.each<[string, string, unknown, string]>([
    ["chat/completions", "no JSON", "{", "body: expected JSON"],
    ["chat/completions", "no messages", { model: "m" }, "messages: "],
    [
      "chat/completions",
      "an unknown role",
      { model: "m", messages: [{ role: "robot", content: "" }] },
      "messages.0.role: ",
    ],
    [
      "chat/completions",
      "a result without its call",
      { model: "m", messages: [{ role: "tool", tool_call_id: "x", content: "" }] },
      'messages.0.tool_call_id: got a result of call "x", which was not made before it',
    ],
    ["chat/completions", "several replies at once", { ...hello, n: 2 }, "n: expected 1"],
    [
      "responses",
      "another's memory",
      { model: "m", input: "Hi", previous_response_id: "r" },
      "previous_response_id: ",
    ],
    [
      "responses",
      "arguments that are no JSON",
      { model: "m", input: [{ type: "function_call", call_id: "x", name: "f", arguments: "{" }] },
      "input.0.arguments: expected a JSON object",
    ],
    ["messages", "no limit", { model: "m", messages: [{ role: "user", content: "Hi" }] }, "max_tokens: "],
    [
      "messages",
      "a block without its text",
      { model: "m", max_tokens: 9, messages: [{ role: "user", content: [{ type: "text" }] }] },
      "messages.0.content.0.text: expected a text, got none",
    ],
  ])("names what is wrong with a request to %s: %s", async (path, _what, body, message) => {
    const { baseUrl, episodes } = await start();
    const response = await post(`${baseUrl("a")}/${path}`, body);
    const { error } = (await response.json()) as { error: { message: string } };
    expect([response.status, error.message]).toEqual([400, expect.stringContaining(message)]);
    expect(episodes.state("a").turns).toBe(0);
  });

  it("refuses a body that is too large before it is read, and a host that all can reach without a key", async () => {
    const { baseUrl } = await start({ maxBodyBytes: 1000 });
    const large = await post(`${baseUrl("a")}/chat/completions`, { ...hello, padding: "x".repeat(2000) });
    expect(large.status).toBe(413);
    expect((await post(`${baseUrl("a")}/chat/completions`, hello)).status).toBe(200);
    await expect(start({ host: "0.0.0.0" })).rejects.toThrow(
      "can be reached from other machines: give a key",
    );
  });

  it("says so when the policy fails, and stays up", async () => {
    let broken = true;
    const steady = scriptedPolicy(() => "fine", { renderer: byteRenderer });
    const policy: Policy = {
      ...steady,
      sample: async (request) => {
        if (broken) throw new Error("engine gone");
        return steady.sample(request);
      },
    };
    const { baseUrl } = await start({ policy });
    const failed = await post(`${baseUrl("a")}/messages`, { ...hello, max_tokens: 9 });
    expect([failed.status, await failed.json()]).toMatchObject([
      500,
      { type: "error", error: { type: "api_error", message: "engine gone" } },
    ]);
    broken = false;
    expect((await post(`${baseUrl("a")}/messages`, { ...hello, max_tokens: 9 })).status).toBe(200);
  });
});
