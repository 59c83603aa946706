import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import Anthropic from "@anthropic-ai/sdk";
import OpenAI from "openai";
import { afterEach, describe, expect, it } from "vitest";
import { askForTokens } from "../connect/chat/observed-tokens.ts";
import { openAiChatModel } from "../connect/chat/open-ai.ts";
import { resolveLimits } from "../rollout/limits.ts";
import type { Trajectory } from "../spec/trajectory.ts";
import { serveGateway } from "./server.ts";
import { createUpstreamConversation } from "./upstream-conversation.ts";

const closing: (() => Promise<unknown>)[] = [];
afterEach(async () => {
  for (const close of closing.splice(0).reverse()) await close();
});

type Body = { stream?: boolean; messages: unknown[] };
type Say = (response: Speaker, body: Body, count: number) => void | Promise<void>;
type Speaker = {
  delta(delta: object, rest?: object): void;
  end(reason: string): void;
  response: ServerResponse;
};

/** A server of chat completions that streams what `say` says, and a gateway in front of it. */
async function open(say: Say) {
  const bodies: Body[] = [];
  const attend = async (request: IncomingMessage, response: ServerResponse) => {
    const parts: Buffer[] = [];
    for await (const part of request) parts.push(part as Buffer);
    const body = JSON.parse(Buffer.concat(parts).toString()) as Body;
    bodies.push(body);
    const send = (data: object) => {
      if (!response.headersSent) response.writeHead(200, { "content-type": "text/event-stream" });
      response.write(`data: ${JSON.stringify(data)}\n\n`);
    };
    const speaker: Speaker = {
      response,
      delta: (delta, rest = {}) => send({ choices: [{ index: 0, delta, finish_reason: null, ...rest }] }),
      end(reason) {
        send({ choices: [{ index: 0, delta: {}, finish_reason: reason }] });
        send({ choices: [], usage: { prompt_tokens: 7, completion_tokens: 3 } });
        response.end("data: [DONE]\n\n");
      },
    };
    await say(speaker, body, bodies.length);
  };
  const server = createServer((request, response) => void attend(request, response));
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  closing.push(async () => {
    server.closeAllConnections();
    await new Promise((resolve) => server.close(resolve));
  });
  const upstream = openAiChatModel({
    baseUrl: `http://127.0.0.1:${(server.address() as AddressInfo).port}/v1`,
    model: "m",
    extra: askForTokens,
    patience: { retries: 1, firstDelayMs: 1 },
  });
  const trajectories: Trajectory[] = [];
  const gateway = await serveGateway({
    port: 0,
    player: "m",
    create: ({ limits, ...episode }) =>
      createUpstreamConversation({ model: upstream, limits: resolveLimits(limits), ...episode }),
    onTrajectory: (trajectory) => trajectories.push(trajectory),
  });
  closing.push(() => gateway.close());
  const base = `${gateway.url}/t/one`;
  const seal = async () => {
    await fetch(`${gateway.url}/episodes/one/seal`, { method: "POST", body: "{}" });
    return trajectories[0]!;
  };
  const openai = new OpenAI({ baseURL: `${base}/v1`, apiKey: "-", maxRetries: 0 });
  const anthropic = new Anthropic({ baseURL: base, apiKey: "-", maxRetries: 0 });
  return { bodies, openai, anthropic, seal };
}

const ask = [{ role: "user" as const, content: "Hello?" }];

/** Says two words, the second once the first has been heard. */
function twoWords() {
  const heard = Promise.withResolvers<void>();
  const say: Say = async ({ delta, end }) => {
    delta({ role: "assistant", content: "" }, { prompt_token_ids: [1, 2] });
    delta({ content: "Good" }, { token_ids: [5], logprobs: { content: [{ logprob: -0.5 }] } });
    await heard.promise;
    delta({ content: " day" }, { token_ids: [6], logprobs: { content: [{ logprob: -0.25 }] } });
    end("stop");
  };
  return { say, heard: heard.resolve };
}

describe("a reply that an upstream streams", () => {
  it("reaches a client of chat completions as it comes, and is recorded token by token", async () => {
    const { say, heard } = twoWords();
    const { openai, seal } = await open(say);
    const texts: string[] = [];
    const stream = await openai.chat.completions.create({ model: "m", messages: ask, stream: true });
    for await (const { choices } of stream) {
      const text = choices[0]?.delta.content;
      if (text) texts.push(text);
      if (texts.length > 0) heard();
    }
    expect(texts).toEqual(["Good", " day"]);
    const reply = (await seal()).nodes.at(-1)!;
    expect([...reply.tokens]).toEqual([5, 6]);
    expect([...reply.logprobs!]).toEqual([-0.5, -0.25]);
    expect(reply.gap).toBeUndefined();
  });

  it("reaches a client of Responses as it comes", async () => {
    const { say, heard } = twoWords();
    const { openai } = await open(say);
    const texts: string[] = [];
    const stream = openai.responses.stream({ model: "m", input: "Hello?" });
    for await (const event of stream)
      if (event.type === "response.output_text.delta") {
        texts.push(event.delta);
        heard();
      }
    expect(texts).toEqual(["Good", " day"]);
    expect((await stream.finalResponse()).output_text).toBe("Good day");
  });

  it("reaches a client of Messages as it comes, with calls behind the text", async () => {
    const heard = Promise.withResolvers<void>();
    const { anthropic } = await open(async ({ delta, end }) => {
      delta({ content: "I add." });
      await heard.promise;
      delta({ tool_calls: [{ index: 0, id: "c1", function: { name: "add", arguments: '{"a":' } }] });
      delta({ tool_calls: [{ index: 0, function: { arguments: "1}" } }] });
      end("tool_calls");
    });
    const stream = anthropic.messages.stream({ model: "m", max_tokens: 9, messages: ask });
    stream.on("text", () => heard.resolve());
    const { content, stop_reason: reason } = await stream.finalMessage();
    expect(content).toMatchObject([
      { type: "text", text: "I add." },
      { type: "tool_use", id: "c1", name: "add", input: { a: 1 } },
    ]);
    expect(reason).toBe("tool_use");
  });

  it("that breaks off is an error to the client, and what came is recorded with its end missing", async () => {
    const { openai, seal } = await open(({ delta, end, response }, _, count) => {
      delta({ content: "Good" }, { token_ids: [5], logprobs: { content: [{ logprob: -0.5 }] } });
      if (count === 1) setTimeout(() => response.destroy(), 20);
      else end("stop");
    });
    const texts: string[] = [];
    const read = async () => {
      const stream = await openai.chat.completions.create({ model: "m", messages: ask, stream: true });
      for await (const { choices } of stream) texts.push(choices[0]?.delta.content ?? "");
    };
    await expect(read()).rejects.toThrow("the reply broke off");
    expect(texts.join("")).toBe("Good");
    await read();
    const trajectory = await seal();
    const replies = trajectory.nodes.filter(({ message }) => message?.role === "assistant");
    expect(replies.map(({ gap }) => gap ?? [])).toEqual([["prompt", "rest"], ["prompt"]]);
    expect(replies.map(({ tokens }) => [...tokens])).toEqual([[5], [5]]);
    expect(trajectory.status).toBe("completed");
  });

  it("that breaks off before it began is asked for again", async () => {
    const { openai, bodies } = await open(({ delta, end, response }, _, count) => {
      if (count === 1) return void response.destroy();
      delta({ content: "Good" });
      return end("stop");
    });
    const reply = await openai.chat.completions.stream({ model: "m", messages: ask }).finalChatCompletion();
    expect(reply.choices[0]!.message.content).toBe("Good");
    expect(bodies).toHaveLength(2);
  });

  it("that is no stream after all is told at once", async () => {
    const { openai } = await open(({ response }) => {
      const choices = [{ message: { role: "assistant", content: "Good day" }, finish_reason: "stop" }];
      response.end(JSON.stringify({ choices }));
    });
    const reply = await openai.chat.completions.stream({ model: "m", messages: ask }).finalChatCompletion();
    expect(reply.choices[0]!.message.content).toBe("Good day");
  });

  it("that holds an error is one, and has a status as long as nothing was told", async () => {
    const { openai } = await open(({ response }) => {
      response.writeHead(200, { "content-type": "text/event-stream" });
      response.end('data: {"error": {"message": "out of memory"}}\n\n');
    });
    const asked = openai.chat.completions.create({ model: "m", messages: ask, stream: true });
    await expect(asked).rejects.toMatchObject({
      status: 500,
      message: expect.stringContaining("out of memory"),
    });
  });
});

describe("an image", () => {
  const pixel = "iVBORw0KGgo=";
  const url = `data:image/png;base64,${pixel}`;
  const sent = [
    { type: "text", text: "What is this?" },
    { type: "image_url", image_url: { url } },
  ];
  const answerWhole: Say = ({ response }) => {
    response.end(JSON.stringify({ choices: [{ message: { content: "A dot." }, finish_reason: "stop" }] }));
  };

  it("goes on to the upstream, whichever dialect it came in", async () => {
    const { openai, anthropic, bodies } = await open(answerWhole);
    await openai.chat.completions.create({
      model: "m",
      messages: [
        {
          role: "user",
          content: [
            { type: "text", text: "What is this?" },
            { type: "image_url", image_url: { url } },
          ],
        },
      ],
    });
    await openai.responses.create({
      model: "m",
      input: [
        {
          role: "user",
          content: [
            { type: "input_text", text: "What is this?" },
            { type: "input_image", image_url: url, detail: "auto" },
          ],
        },
      ],
    });
    await anthropic.messages.create({
      model: "m",
      max_tokens: 9,
      messages: [
        {
          role: "user",
          content: [
            { type: "text", text: "What is this?" },
            { type: "image", source: { type: "base64", media_type: "image/png", data: pixel } },
          ],
        },
      ],
    });
    const contents = bodies.map(({ messages }) => (messages[0] as { content: unknown }).content);
    expect(contents).toEqual([
      sent,
      [sent[0], { type: "image_url", image_url: { url, detail: "auto" } }],
      sent,
    ]);
  });
});
