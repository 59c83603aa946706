import { existsSync } from "node:fs";
import type { Command } from "commander";
import { askForTokens } from "../../connect/chat/observed-tokens.ts";
import { openAiChatModel } from "../../connect/chat/open-ai.ts";
import { embedded } from "../../embedded.ts";
import { createConversation } from "../../gateway/conversation.ts";
import type { ConversationFactory } from "../../gateway/episodes.ts";
import { serveGateway } from "../../gateway/server.ts";
import { createUpstreamConversation } from "../../gateway/upstream-conversation.ts";
import { resolveLimits } from "../../rollout/limits.ts";
import { AttuneError } from "../../spec/error.ts";
import { appendTrajectories } from "../../trajectory/store.ts";
import { nonNegativeInteger, nonNegativeNumber } from "../options.ts";
import { resolveModel } from "../play.ts";

type Options = {
  model?: string;
  upstream?: string;
  upstreamModel?: string;
  tokenIds: boolean;
  port: number;
  host: string;
  key?: string;
  temperature?: number;
  output: string;
};

export function addGateway(program: Command): void {
  program
    .command("gateway")
    .description("record what any agent does: a server that speaks the OpenAI and Anthropic APIs")
    .option("--model <directory>", "who answers: a run, checkpoint or model directory")
    .option(
      "--upstream <url>",
      "or a server that speaks OpenAI's chat completions (its key in ATTUNE_UPSTREAM_KEY)",
    )
    .option("--upstream-model <name>", "the model to ask for there")
    .option("--token-ids", "ask it for token ids and log-probabilities, where it knows of them", false)
    .option("--port <number>", "0 takes a free one", nonNegativeInteger, 8100)
    .option("--host <address>", "other machines can call it only with --key", "127.0.0.1")
    .option("--key <text>", "what callers must give as their API key, alone or as KEY/TRAJECTORY")
    .option("--temperature <number>", "wins over what the agent asks for", nonNegativeNumber)
    .option("--output <file>", "where sealed trajectories are added", "captured.jsonl")
    .addHelpText(
      "after",
      '\nGive an agent http://127.0.0.1:8100/t/NAME/v1 as its base URL, with a NAME for each task. POST /episodes/NAME/seal with\n{"reward": 1} ends a trajectory; Ctrl-C seals what is open.\n\nExamples:\n  attune gateway --model runs/quickstart-1\n  attune gateway --upstream https://api.openai.com/v1 --upstream-model gpt-5-mini\n',
    )
    .action(async (options: Options) => {
      const { create, player, close } = await modelOf(options);
      const { temperature, output, port, host, key } = options;
      let writing: Promise<void> = Promise.resolve();
      let written = 0;
      const gateway = await serveGateway({
        create: (episode) =>
          create({
            ...episode,
            sampling: { ...(temperature !== undefined && { temperature }), ...episode.sampling },
          }),
        player,
        port,
        host,
        ...(key !== undefined && { key }),
        onTrajectory(trajectory) {
          written++;
          writing = writing.then(() => appendTrajectories(output, [trajectory]));
        },
      });
      process.stderr.write(
        `${player} answers on ${gateway.baseUrl("NAME")}\nsealed trajectories go to ${output}${existsSync(output) ? ", which exists and is added to" : ""}; Ctrl-C stops\n`,
      );
      await new Promise<void>((resolve) => {
        process.once("SIGINT", resolve);
        process.once("SIGTERM", resolve);
      });
      await gateway.close();
      await writing;
      await close();
      process.stderr.write(`${written} trajectories in ${output}\n`);
    });
}

async function modelOf(
  options: Options,
): Promise<{ create: ConversationFactory; player: string; close(): Promise<void> }> {
  const { model, upstream, upstreamModel, tokenIds } = options;
  if ((model === undefined) === (upstream === undefined))
    throw new AttuneError("usage", "gateway: say who answers: --model DIRECTORY or --upstream URL");
  if (upstream !== undefined) {
    if (upstreamModel === undefined)
      throw new AttuneError("usage", "gateway: --upstream needs --upstream-model");
    const key = process.env["ATTUNE_UPSTREAM_KEY"];
    const chat = openAiChatModel({
      baseUrl: upstream,
      model: upstreamModel,
      ...(key !== undefined && { key }),
      ...(tokenIds && { extra: askForTokens }),
    });
    return {
      player: upstreamModel,
      close: async () => chat.close?.(),
      create: ({ limits, ...episode }) =>
        createUpstreamConversation({ model: chat, limits: resolveLimits(limits), ...episode }),
    };
  }
  const directory = resolveModel(model!);
  const { trainer, renderer } = await embedded({ model: { directory } }).create({
    seed: 0,
    tokenizerDirectory: directory,
    demonstrations: async () => [],
  });
  const policy = await trainer.policy();
  return {
    player: policy.name,
    close: () => trainer.close(),
    create: ({ limits, ...episode }) =>
      createConversation({ policy, renderer, limits: resolveLimits(limits), ...episode }),
  };
}
