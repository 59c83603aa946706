import { setTracingDisabled } from "@openai/agents";
import {
  type AgentContext,
  correct,
  defineAgent,
  defineRun,
  embedded,
  grpo,
  type Move,
  type Random,
  scripted,
  taskStream,
} from "attune";
import { prices, withAiSdk, withOpenAiAgents } from "./price-agents.ts";

setTracingDisabled(true);

type Order = { count: number; item: string };

const names = Object.keys(prices);
const question = ({ count, item }: Order) => `What do ${count} of ${item} cost?`;

function order(random: Random) {
  const input = { count: 2 + random.integer(60), item: random.pick(names) };
  return { input, answer: String(input.count * prices[input.item]!), key: `${input.count} ${input.item}` };
}

/** Shows how it is done, by taking the model's turns in the agent's own loop. */
const careful = ({ input }: { input: unknown }) => {
  const { count, item } = input as Order;
  return scripted(([price, product]): Move => {
    if (price === undefined)
      return { thought: "first the price", call: { name: "price", arguments: { item } } };
    if (product === undefined)
      return {
        thought: "now for all",
        call: { name: "multiply", arguments: { a: count, b: Number(price) } },
      };
    return { answer: product };
  });
};

const agent = (name: string, run: (context: AgentContext<Order>) => Promise<string>) =>
  defineAgent<Order>({
    name,
    tasks: (query) => taskStream({ environment: name, salt: "1", kinds: { order }, ...query }),
    run,
    rewards: { correct: correct() },
    limits: { turns: 4 },
    experts: { careful },
    // an answer that its SDK could not use is the model's doing
    isPolicyError: () => true,
  });

export default defineRun({
  name: "price-agents",
  environments: [
    agent("ai-sdk", ({ input, model }) => withAiSdk(question(input), model)),
    agent("openai-agents", ({ input, fetch }) => withOpenAiAgents(question(input), fetch)),
  ],
  trainer: embedded({ model: "nano", contextLength: 1024 }),
  stages: [
    {
      name: "sft",
      sft: { demonstrations: { count: 960 }, steps: 120, optimizer: { kind: "muon", learningRate: 4e-3 } },
      evaluate: true,
    },
    {
      name: "rl",
      rl: { algorithm: grpo(), steps: 20, optimizer: { kind: "muon", learningRate: 4e-4 } },
      evaluate: true,
    },
  ],
  evaluation: { tasks: 100 },
});
