import type { LanguageModelV2, LanguageModelV3 } from "@ai-sdk/provider";
import { generateText, isStepCount, streamText, tool } from "ai";
import { generateText as generateTextV5, stepCountIs as stepCountIsV5, tool as toolV5 } from "ai5";
import {
  generateText as generateTextV6,
  stepCountIs as stepCountIsV6,
  streamText as streamTextV6,
  tool as toolV6,
} from "ai6";
import { describe, expect, it } from "vitest";
import { z } from "zod";
import { toTask } from "../environment/task.ts";
import { correct } from "../reward/components.ts";
import { toRequests } from "../rollout/groups.ts";
import { rollout } from "../rollout/rollout.ts";
import type { Message } from "../spec/message.ts";
import type { Policy } from "../spec/policy.ts";
import { byteRenderer } from "../testing/byte-tokenizer.ts";
import { scriptedPolicy } from "../testing/scripted-policy.ts";
import { grade } from "../train/grade.ts";
import { leavesOf, mainPath, pathTo } from "../trajectory/path.ts";
import { type AgentContext, type AgentDefinition, type AgentResult, defineAgent } from "./define-agent.ts";

const task = toTask({
  environment: "adder",
  kind: "sum",
  input: "What is 40 + 2?",
  answer: "42",
  split: "train",
});

/** Adds with its tool, then says what it was told. */
const adding = (prompt: string) => {
  const told = /tool:(\d+)/.exec(prompt.slice(prompt.lastIndexOf("user:")));
  return told ? `It is <answer>${told[1]}</answer>` : 'I add.\n→add {"a":40,"b":2}';
};

const play = async (
  run: (context: AgentContext<string>) => Promise<AgentResult>,
  {
    policy = scriptedPolicy(adding, { renderer: byteRenderer }),
    signal,
    ...definition
  }: { policy?: Policy; signal?: AbortSignal } & Partial<AgentDefinition<string>> = {},
) => {
  const environment = defineAgent<string>({
    name: "adder",
    tasks: () => [task],
    run,
    rewards: { correct: correct() },
    ...definition,
  });
  const [trajectory] = await rollout({
    environments: [environment],
    requests: toRequests({ tasks: [task], groupSize: 1, step: 0, runSeed: 0, sampling: { temperature: 1 } }),
    policy,
    renderer: byteRenderer,
    grade,
    concurrency: 4,
    order: "lockstep",
    ...(signal && { signal }),
  });
  return trajectory!;
};

const inputSchema = z.object({ a: z.number(), b: z.number() });
const execute = async ({ a, b }: { a: number; b: number }) => String(a + b);
const description = "Adds two numbers.";

/** The whole text that the policy saw and wrote on the way to a leaf. */
const textOf = (trajectory: Awaited<ReturnType<typeof play>>) =>
  byteRenderer.tokenizer.decode(mainPath(trajectory).flatMap(({ tokens }) => [...tokens]));

const whole =
  'user:What is 40 + 2?\nassistant:I add.\n→add {"a":40,"b":2}\ntool:42\nassistant:It is <answer>42</answer>';

describe("an agent of the AI SDK", () => {
  const agents: Record<string, (context: AgentContext<string>) => Promise<string>> = {
    "of version 7": async ({ model, input, signal }) =>
      (
        await generateText({
          model: model satisfies LanguageModelV3,
          prompt: input,
          tools: { add: tool({ description, inputSchema, execute }) },
          stopWhen: isStepCount(5),
          abortSignal: signal,
        })
      ).text,
    "of version 7, streaming": async ({ model, input }) => {
      const { textStream } = streamText({
        model,
        prompt: input,
        tools: { add: tool({ description, inputSchema, execute }) },
        stopWhen: isStepCount(5),
      });
      let text = "";
      for await (const delta of textStream) text += delta;
      return text;
    },
    "of version 6": async ({ model, input }) =>
      (
        await generateTextV6({
          model,
          prompt: input,
          tools: { add: toolV6({ description, inputSchema, execute }) },
          stopWhen: stepCountIsV6(5),
        })
      ).text,
    "of version 6, streaming": async ({ model, input }) =>
      await streamTextV6({
        model,
        prompt: input,
        tools: { add: toolV6({ description, inputSchema, execute }) },
        stopWhen: stepCountIsV6(5),
      }).text,
    "of version 5": async ({ modelV2, input }) =>
      (
        await generateTextV5({
          model: modelV2 satisfies LanguageModelV2,
          prompt: input,
          tools: { add: toolV5({ description, inputSchema, execute }) },
          stopWhen: stepCountIsV5(5),
        })
      ).text,
  };

  it.each(Object.entries(agents))(
    "%s is recorded token by token, unchanged but for its model",
    async (_name, run) => {
      const trajectory = await play(run);
      expect(trajectory).toMatchObject({ status: "completed", reward: 1 });
      expect(textOf(trajectory)).toBe(whole);
      expect(
        trajectory.nodes.filter(({ sampled }) => sampled).map(({ logprobs }) => logprobs!.length),
      ).toEqual(trajectory.nodes.filter(({ sampled }) => sampled).map(({ tokens }) => tokens.length));
      expect(trajectory.calls).toMatchObject([
        { turn: 0, name: "add", arguments: { a: 40, b: 2 }, observation: "42", failure: null },
      ]);
      expect(trajectory.tools).toMatchObject([{ name: "add", description }]);
      expect(trajectory.nodes.some(({ gap }) => gap)).toBe(false);
    },
  );

  it("may send helpers side by side, which become branches of one trajectory", async () => {
    const trajectory = await play(async ({ model, input }) => {
      const ask = async (system: string) =>
        (await generateText({ model, instructions: system, prompt: input })).text;
      const both = await Promise.all([ask("Be brief."), ask("Be exact.")]);
      return both.length === 2 ? "<answer>42</answer>" : "";
    });
    const leaves = leavesOf(trajectory);
    expect(leaves).toHaveLength(2);
    expect(leaves.map((leaf) => pathTo(trajectory, leaf)[0]!.message!.content)).toEqual([
      "Be brief.",
      "Be exact.",
    ]);
    expect(trajectory.reward).toBe(1);
  });
});

describe("an agent's conversation", () => {
  it("goes on behind a turn that was cut, which then ends where it was cut", async () => {
    const trajectory = await play(
      async ({ conversation }) => {
        const messages: Message[] = [{ role: "user", content: "Tell." }];
        const { message, stopReason } = await conversation.ask({ messages, tools: [], maxTokens: 5 });
        messages.push(message, { role: "user", content: "Go on." });
        await conversation.ask({ messages, tools: [], maxTokens: 5 });
        return stopReason;
      },
      { policy: scriptedPolicy(() => "a long story", { renderer: byteRenderer }) },
    );
    const tokens = mainPath(trajectory).flatMap((node) => [...node.tokens]);
    expect(tokens.filter((token) => token === byteRenderer.stopTokens[0])).toHaveLength(1);
    expect(byteRenderer.tokenizer.decode(tokens)).toBe(
      "user:Tell.\nassistant:a lon\nuser:Go on.\nassistant:a lon",
    );
    expect(leavesOf(trajectory)).toHaveLength(1);
  });
});

describe("an agent's episode", () => {
  const ask = ({ conversation, input }: AgentContext<string>, more: string[] = []) =>
    conversation.ask({
      messages: [input, ...more].map((content) => ({ role: "user" as const, content })),
      tools: [],
    });

  it("grades what the agent answers, not what its model said last", async () => {
    const trajectory = await play(async (context) => {
      await ask(context);
      return "<answer>42</answer>";
    });
    expect(trajectory).toMatchObject({ reward: 1, outcome: { answer: "<answer>42</answer>" } });
    expect((await play(async (context) => void (await ask(context)))).reward).toBe(0);
  });

  it("ends at its limits however the agent takes the refusal", async () => {
    const stubborn = async (context: AgentContext<string>) => {
      for (let turn = 0; ; turn++) {
        try {
          await ask(context, [String(turn)]);
        } catch (error) {
          return (error as Error).message;
        }
      }
    };
    const trajectory = await play(stubborn, { limits: { turns: 3 } });
    expect(trajectory).toMatchObject({
      status: "max_turns",
      error: "3 turns, limit 3",
      outcome: { answer: "the episode is over: 3 turns, limit 3" },
    });
    const long = await play(stubborn, { limits: { tokens: 30 } });
    expect(long.status).toBe("max_tokens");
  });

  it("is the world's failure when the agent's own code fails, unless it is said to be the policy's", async () => {
    const failing = async (context: AgentContext<string>) => {
      await ask(context);
      throw new TypeError("no socket");
    };
    expect(await play(failing)).toMatchObject({
      status: "environment_error",
      error: "the agent failed: no socket",
      reward: null,
    });
    const blamed = await play(failing, { isPolicyError: (error) => error instanceof TypeError });
    expect(blamed).toMatchObject({ status: "policy_error", error: "no socket", reward: 0 });
  });

  it("ends in time when the agent hangs, and lets it talk no more", async () => {
    let late: Promise<unknown> | undefined;
    const trajectory = await play(
      (context) => {
        late = new Promise((resolve) => setTimeout(resolve, 60)).then(() => ask(context));
        return new Promise(() => {});
      },
      { limits: { wallTimeMs: 20 } },
    );
    expect(trajectory).toMatchObject({ status: "timeout", reward: null });
    await expect(late).rejects.toThrow();
  });

  it("stops the run when the policy fails, whatever the agent made of it", async () => {
    const broken: Policy = {
      ...scriptedPolicy(adding, { renderer: byteRenderer }),
      sample: async () => {
        throw new Error("engine gone");
      },
    };
    await expect(
      play(
        (context) =>
          ask(context).then(
            () => "",
            () => "ok",
          ),
        { policy: broken },
      ),
    ).rejects.toThrow("engine gone");
  });

  it("is cancelled with the run", async () => {
    const stop = new AbortController();
    const playing = play(
      async () => {
        stop.abort(new Error("enough"));
        return new Promise(() => {});
      },
      { signal: stop.signal },
    );
    await expect(playing).rejects.toThrow("enough");
  });
});
