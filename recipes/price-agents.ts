// Two agents as they might exist already, one with the Vercel AI SDK and one with the OpenAI Agents SDK. All that
// changes for Attune is where the model comes from: it is handed in.
import { Agent, tool as agentTool, OpenAIChatCompletionsModel, run } from "@openai/agents";
import { generateText, isStepCount, type LanguageModel, tool } from "ai";
import OpenAI from "openai";
import { z } from "zod";

export const prices: Readonly<Record<string, number>> = {
  pen: 2,
  cup: 4,
  box: 6,
  hat: 7,
  bag: 9,
  lamp: 12,
  vase: 15,
  rug: 20,
};

const item = z.object({ item: z.string() });
const lookUp = (name: string) => String(prices[name] ?? "no such item");
const factors = z.object({ a: z.number(), b: z.number() });

export async function withAiSdk(question: string, model: LanguageModel): Promise<string> {
  const { text } = await generateText({
    model, // was: openai("gpt-5-mini")
    prompt: question,
    tools: {
      price: tool({
        description: "The price of an item.",
        inputSchema: item,
        execute: async (given) => lookUp(given.item),
      }),
      multiply: tool({
        description: "The product of two numbers.",
        inputSchema: factors,
        execute: async ({ a, b }) => String(a * b),
      }),
    },
    stopWhen: isStepCount(4),
  });
  return text;
}

export async function withOpenAiAgents(question: string, fetch: typeof globalThis.fetch): Promise<string> {
  const client = new OpenAI({ fetch, apiKey: "-" }); // was: new OpenAI()
  const agent = new Agent({
    name: "Prices",
    model: new OpenAIChatCompletionsModel(client, "any"),
    tools: [
      agentTool({
        name: "price",
        description: "The price of an item.",
        parameters: item,
        execute: async (given) => lookUp(given.item),
      }),
      agentTool({
        name: "multiply",
        description: "The product of two numbers.",
        parameters: factors,
        execute: async ({ a, b }) => String(a * b),
      }),
    ],
  });
  return (await run(agent, question, { maxTurns: 4 })).finalOutput ?? "";
}
