import { existsSync, readFileSync } from "node:fs";
import type { Command } from "commander";
import { readCategories } from "../../eval/bfcl/category-names.ts";
import { type Conformance, measureConformance } from "../../eval/bfcl/conformance.ts";
import { openData } from "../../eval/bfcl/data.ts";
import { evaluateBfcl } from "../../eval/bfcl/evaluate.ts";
import {
  leaderboardPrompt,
  type PromptVariation,
  readVariation,
  variationText,
} from "../../eval/bfcl/prompt/variation.ts";
import { resultFolder } from "../../eval/bfcl/result-files.ts";
import type { Mode } from "../../eval/bfcl/run/mode.ts";
import { AttuneError } from "../../spec/error.ts";
import { openBfclWorlds, type WorldOptions } from "../bfcl-worlds.ts";
import { openChatModel } from "../chat-models.ts";
import { drawBfcl } from "../display/bfcl.ts";
import { createCountedDisplay } from "../display/counted.ts";
import { percent } from "../display/format.ts";
import { drawTable } from "../display/table.ts";
import { ExitError } from "../errors.ts";
import { nonNegativeInteger, nonNegativeNumber, positiveInteger } from "../options.ts";

/** Disagreements that are shown of each category. */
const shown = 3;

type Options = WorldOptions & {
  model?: string;
  name?: string;
  data: string;
  categories: string[];
  out: string;
  prompt?: string;
  baseUrl?: string;
  keyEnv: string;
  concurrency: number;
  limit?: number;
  temperature: number | "default";
  maxTokens?: number;
  seed?: number;
  inputPrice?: number;
  outputPrice?: number;
  json: boolean;
};

export function addBfcl(evaluate: Command): void {
  // `--json` and others are options of both; what comes after a command's name is that command's.
  for (const each of [evaluate, evaluate.parent]) each?.enablePositionalOptions();
  const bfcl = evaluate
    .command("bfcl")
    .description("the Berkeley Function-Calling Leaderboard, judged as its own checker does")
    .enablePositionalOptions()
    .option(
      "--model <who>",
      "a model's name at an OpenAI-compatible endpoint, a run's or model's folder, or a module that exports one; without it stored results are judged again",
    )
    .option(
      "--name <name>",
      "the model's name in files and table (default: the model's, and -FC for native calls)",
    )
    .option("--data <folder>", "the benchmark's data folder")
    .option(
      "--categories <names...>",
      "categories or groups: all, non_live, live, multi_turn, memory, …",
      names,
      ["all"],
    )
    .option(
      "--out <folder>",
      "where result/ and score/ are; what is answered there is not asked again",
      "bfcl",
    )
    .option(
      "--prompt <format>",
      "ask in text instead of by native tool calls: python (the leaderboard's), json, verbose_xml, concise_xml, or ret_fmt=…&…",
    )
    .option("--base-url <url>", "the endpoint (default: OPENAI_BASE_URL, or OpenAI's own)")
    .option("--key-env <variable>", "the environment variable that holds its key", "OPENAI_API_KEY")
    .option("--concurrency <number>", "questions asked at once", positiveInteger, 16)
    .option("--limit <number>", "items of each category", positiveInteger)
    .option("--temperature <number>", "0 is greedy; `default` leaves it to the model", temperature, 0.001)
    .option("--max-tokens <number>", "most tokens of a reply", positiveInteger)
    .option("--seed <number>", "seed of the replies, where the model takes one", nonNegativeInteger)
    .option(
      "--embedder <which>",
      "for memory_vector: the folder of a Sentence Transformers model with its ONNX export, or a model's name at an endpoint",
    )
    .option("--embedder-url <url>", "the endpoint of --embedder (default: OPENAI_BASE_URL, or OpenAI's own)")
    .option("--web <file>", "for web_search: a record of searches and pages to answer from")
    .option(
      "--web-live",
      "for web_search: the live web, with SerpApi's key in SERPAPI_API_KEY; answers are kept in --web",
      false,
    )
    .option("--input-price <dollars>", "for a million tokens", nonNegativeNumber)
    .option("--output-price <dollars>", "for a million tokens", nonNegativeNumber)
    .option("--json", "print one JSON object and nothing else", false)
    .option("--verbose", "show where an error came from")
    .addHelpText(
      "after",
      "\nExamples:\n  attune eval bfcl --model gpt-5 --data bfcl_eval/data\n  attune eval bfcl --model Qwen/Qwen3-8B --base-url http://localhost:8000/v1 --prompt python --data bfcl_eval/data\n  attune eval bfcl --name gpt-5-FC --data bfcl_eval/data        judges stored results again\n",
    )
    .action(evaluateModel);
  bfcl
    .command("conformance <directory>")
    .description("judge recorded outputs, and compare with the verdicts of the original checker")
    .option("--json", "print one JSON object and nothing else", false)
    .addHelpText(
      "after",
      "\nThe directory holds questions/, possible_answer/ and conformance/. Exits with 1 when a verdict differs.\n",
    )
    .action((directory: string, { json }: { json: boolean }) => {
      const report = measureConformance(directory);
      process.stdout.write(json ? `${JSON.stringify(report)}\n` : `${drawConformance(report).join("\n")}\n`);
      if (report.agree < report.rows) throw new ExitError(1);
    });
}

async function evaluateModel(options: Options): Promise<void> {
  if (options.data === undefined)
    throw new AttuneError("usage", "eval bfcl: say where the data is: --data FOLDER");
  const data = openData(options.data);
  const wanted = readCategories(options.categories);
  const opened =
    options.model === undefined
      ? undefined
      : await openChatModel(options.model, {
          keyEnv: options.keyEnv,
          seed: options.seed ?? 0,
          ...(options.baseUrl !== undefined && { baseUrl: options.baseUrl }),
        });
  let world: Awaited<ReturnType<typeof openBfclWorlds>> | undefined;
  try {
    const asked = toVariation(options.prompt);
    const modelName = options.name ?? (opened && defaultName(opened.name, asked));
    if (modelName === undefined)
      throw new AttuneError(
        "usage",
        "eval bfcl: say whom to measure: --model WHO, or --name NAME of stored results",
      );
    const { mode, variation } = opened ? asked : storedAs(options, modelName, asked);
    world = await openBfclWorlds(modelName, options);
    const stream = process.stderr;
    const live = !options.json && stream.isTTY === true && !process.env["CI"];
    const display = createCountedDisplay({ stream, live, what: "questions" });
    const stop = stopOnSignal(stream);
    const report = await evaluateBfcl({
      data,
      model: opened?.model,
      modelName,
      mode,
      variation,
      categories: wanted,
      worlds: world.worlds,
      worldsOf: world.names,
      out: options.out,
      concurrency: options.concurrency,
      request: {
        ...(options.temperature !== "default" && { temperature: options.temperature }),
        ...(options.maxTokens !== undefined && { maxTokens: options.maxTokens }),
        ...(options.seed !== undefined && { seed: options.seed }),
      },
      ...(options.limit !== undefined && { limit: options.limit }),
      ...priceOf(options),
      signal: stop.signal,
      onProgress: ({ category, done, total, failed }) =>
        display.show({
          done,
          total,
          note: failed > 0 ? `${category} · ${failed} without an answer` : category,
        }),
    }).finally(() => {
      display.stop();
      stop.end();
    });
    process.stdout.write(options.json ? `${JSON.stringify(report)}\n` : `${drawBfcl(report).join("\n")}\n`);
    if (report.unanswered.length > 0) throw new ExitError(1);
  } finally {
    await world?.close();
    await opened?.model.close?.();
  }
}

type Way = { mode: Mode; variation: PromptVariation };

function toVariation(prompt: string | undefined): Way {
  return prompt === undefined
    ? { mode: "native", variation: leaderboardPrompt }
    : { mode: "prompt", variation: readVariation(prompt) };
}

/** As the leaderboard names its entries: `-FC` for native calls. */
function defaultName(name: string, { mode, variation }: Way): string {
  if (mode === "native") return `${name}-FC`;
  const text = variationText(variation);
  return text === variationText(leaderboardPrompt) ? name : `${name}-${text.replace(/[^\w=]+/g, "-")}`;
}

/** How stored results were asked for: as they say themselves, else as the leaderboard's name or `--prompt` says. */
function storedAs({ out, prompt }: Options, modelName: string, asked: Way): Way {
  const { settings } = resultFolder(out, modelName);
  if (!existsSync(settings))
    return prompt !== undefined || modelName.includes("FC") ? asked : toVariation("python");
  const { prompt: stored } = JSON.parse(readFileSync(settings, "utf8")) as { prompt: string | null };
  return toVariation(stored ?? undefined);
}

function priceOf({ inputPrice, outputPrice }: Options): { price?: { input: number; output: number } } {
  if (inputPrice === undefined && outputPrice === undefined) return {};
  return { price: { input: inputPrice ?? 0, output: outputPrice ?? 0 } };
}

function stopOnSignal(stream: NodeJS.WriteStream): { signal: AbortSignal; end(): void } {
  const controller = new AbortController();
  const onSignal = () => {
    if (controller.signal.aborted) process.exit(130);
    stream.write("\nStopping; what is answered is kept, and the same command goes on from there.\n");
    controller.abort(new ExitError(130));
  };
  process.on("SIGINT", onSignal);
  process.on("SIGTERM", onSignal);
  return {
    signal: controller.signal,
    end() {
      process.off("SIGINT", onSignal);
      process.off("SIGTERM", onSignal);
    },
  };
}

/** `a b`, `a,b`, and repeated. */
function names(value: string, sofar: string[]): string[] {
  const given = value.split(",").filter((name) => name !== "");
  return sofar.length === 1 && sofar[0] === "all" ? given : [...sofar, ...given];
}

function temperature(text: string): number | "default" {
  return text === "default" ? text : nonNegativeNumber(text);
}

function drawConformance({ categories, rows, agree }: Conformance): string[] {
  const share = (agreeing: number, all: number) => (all === 0 ? "" : percent(agreeing / all));
  const table = [
    ...Object.entries(categories).map(([name, each]) => [name, each.rows, each.agree] as const),
    ["all", rows, agree] as const,
  ].map(([name, all, agreeing]) => [name, String(all), String(agreeing), share(agreeing, all)]);
  const differing = Object.entries(categories).flatMap(([name, { disagreements }]) =>
    disagreements
      .slice(0, shown)
      .map(({ id, kind, expected, got }) => `${name} ${id} (${kind}): expected ${expected}, got ${got}`),
  );
  return [
    ...drawTable(["category", "rows", "agree", ""], table),
    ...(differing.length > 0 ? ["", ...differing] : []),
  ];
}
