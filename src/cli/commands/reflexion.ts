import { existsSync } from "node:fs";
import { type Command, Option } from "commander";
import { toConversationRow, toPreferenceRow } from "../../data/format/lesson.ts";
import { takeTasks } from "../../data/tasks.ts";
import { writeFileAtomic } from "../../kit/files.ts";
import { deriveSeed } from "../../kit/random.ts";
import { toRequests } from "../../rollout/groups.ts";
import { playWithPlayer } from "../../rollout/player.ts";
import {
  type ReflexionResult,
  type ReflexionStrategy,
  reflectWith,
  reflexion,
  reflexionDefaults,
} from "../../rollout/reflexion.ts";
import { toLessons } from "../../rollout/reflexion-lessons.ts";
import type { ChatModel } from "../../spec/chat-model.ts";
import type { Environment, Player, Task } from "../../spec/environment.ts";
import { AttuneError } from "../../spec/error.ts";
import type { JsonObject } from "../../spec/json.ts";
import { grade } from "../../train/grade.ts";
import { appendTrajectories } from "../../trajectory/store.ts";
import { openChatModel } from "../chat-models.ts";
import { createCountedDisplay } from "../display/counted.ts";
import { drawTable } from "../display/table.ts";
import { ExitError } from "../errors.ts";
import { resolveEnvironments } from "../load-config.ts";
import { nonNegativeInteger, nonNegativeNumber, positiveInteger } from "../options.ts";

type Options = {
  model: string;
  reflector?: string;
  baseUrl?: string;
  keyEnv: string;
  tasks: number;
  trials: number;
  window: number;
  strategy: ReflexionStrategy;
  acrossTasks: boolean;
  concurrency: number;
  temperature: number;
  seed: number;
  output: string;
  lessons?: string;
  json: boolean;
};

export function addReflexion(program: Command): void {
  program
    .command("reflexion <environment>")
    .description("try tasks again and again, telling each attempt what was learnt from those before")
    .requiredOption(
      "--model <who>",
      "who plays: a model's name at an OpenAI-compatible endpoint, a run's or model's folder, or a module that exports one",
    )
    .option("--reflector <who>", "who says what went wrong (default: who plays)")
    .option("--base-url <url>", "the endpoint (default: OPENAI_BASE_URL, or OpenAI's own)")
    .option("--key-env <variable>", "the environment variable that holds its key", "OPENAI_API_KEY")
    .option("--tasks <number>", "tasks of the train split", positiveInteger, 20)
    .option("--trials <number>", "attempts at a task at most", positiveInteger, reflexionDefaults.trials)
    .addOption(
      new Option("--strategy <name>", "what an attempt is told of those before it")
        .choices(["none", "last_attempt", "reflexion", "last_attempt_and_reflexion"])
        .default(reflexionDefaults.strategy),
    )
    .option("--window <number>", "reflections that are kept", positiveInteger, reflexionDefaults.window)
    .option("--across-tasks", "tasks share what was learnt", false)
    .option("--concurrency <number>", "attempts at a time", positiveInteger, reflexionDefaults.concurrency)
    .option("--temperature <number>", "0 is greedy", nonNegativeNumber, 0.7)
    .option("--seed <number>", "seed of tasks and attempts", nonNegativeInteger, 0)
    .option("--output <file>", "every attempt, in a JSONL file that does not exist yet", "reflexion.jsonl")
    .option("--lessons <name>", "what was learnt, as NAME.sft.jsonl and NAME.preferences.jsonl")
    .option("--json", "print one JSON object and nothing else", false)
    .addHelpText(
      "after",
      "\nA task that was solved after failing gives lessons: the reflection that helped, the solution as if it had been\nfound at once, and that solution beside each failure.\n\nExamples:\n  attune reflexion shop --model gpt-5-mini --tasks 50 --trials 5 --lessons shop\n  attune reflexion atlas --model runs/quickstart-1 --strategy last_attempt\n",
    )
    .action(runReflexion);
}

async function runReflexion(name: string, options: Options): Promise<void> {
  const { output, lessons, json, seed, temperature } = options;
  const files = lessons === undefined ? [] : [`${lessons}.sft.jsonl`, `${lessons}.preferences.jsonl`];
  for (const file of [output, ...files])
    if (existsSync(file)) throw new AttuneError("usage", `${file}: exists already; give another name`);
  const [environment] = (await resolveEnvironments([name])) as [Environment];
  const tasks = takeTasks({
    environments: [environment],
    split: "train",
    count: options.tasks,
    seed,
    whenUsedUp: "stop",
  });
  const open = (who: string) => {
    const { baseUrl, keyEnv } = options;
    return openChatModel(who, { keyEnv, seed, ...(baseUrl !== undefined && { baseUrl }) });
  };
  const stop = new AbortController();
  const onSignal = () => {
    process.stderr.write(`\nstopped; the attempts that were made are in ${output}\n`);
    stop.abort(new ExitError(130));
  };
  process.once("SIGINT", onSignal);
  const player = await open(options.model);
  let reflector: Awaited<ReturnType<typeof open>> | undefined;
  const stream = process.stderr;
  const live = !json && stream.isTTY === true && !process.env["CI"];
  const display = createCountedDisplay({ stream, live, what: "trials" });
  let saving = Promise.resolve();
  try {
    reflector = options.reflector === undefined ? player : await open(options.reflector);
    const { signal } = stop;
    const results = await reflexion({
      environment,
      tasks,
      strategy: options.strategy,
      trials: options.trials,
      window: options.window,
      acrossTasks: options.acrossTasks,
      concurrency: options.concurrency,
      reflect: reflectWith(reflector.model, { signal }),
      play: async (world, task, trial) => {
        const attempt = await playTrial(world, { task, trial, seed, temperature, signal, ...player });
        // an attempt costs; it is kept whatever happens to those after it
        saving = saving.then(() => appendTrajectories(output, [attempt]));
        await saving;
        return attempt;
      },
      signal,
      onTrial: (trial, solved) =>
        display.show({
          done: trial + 1,
          total: options.trials,
          note: `${solved} of ${tasks.length} tasks solved`,
        }),
    });
    const taught = results.map(toLessons);
    const sft = taught.flatMap((each) => each.sft).map(toConversationRow);
    const preferences = taught.flatMap((each) => each.preferences).map(toPreferenceRow);
    if (files.length > 0) {
      writeRows(files[0]!, sft);
      writeRows(files[1]!, preferences);
    }
    display.stop();
    const summary = toSummary(results, options.trials);
    if (json)
      process.stdout.write(
        `${JSON.stringify({ ...summary, output, sft: sft.length, preferences: preferences.length, files })}\n`,
      );
    else process.stdout.write(`${drawSummary(summary, { output, files }).join("\n")}\n`);
  } finally {
    display.stop();
    process.off("SIGINT", onSignal);
    if (reflector !== player) await reflector?.model.close?.();
    await player.model.close?.();
  }
}

type Trial = {
  task: Task;
  trial: number;
  seed: number;
  temperature: number;
  model: ChatModel;
  name: string;
  signal: AbortSignal;
};

function playTrial(environment: Environment, { task, trial, seed, temperature, model, name, signal }: Trial) {
  const runSeed = deriveSeed(seed, "reflexion", trial);
  const [request] = toRequests({
    tasks: [task],
    groupSize: 1,
    step: trial,
    runSeed,
    sampling: { temperature },
  });
  let turn = 0;
  const player: Player = async ({ messages, tools }) => {
    const drawn = deriveSeed(request!.seed, "turn", turn++) % 2 ** 31;
    const { message } = await model.complete({ messages, tools, temperature, seed: drawn, signal });
    return message;
  };
  return playWithPlayer({ environment, request: request!, player, playerName: name, grade, signal });
}

type Summary = { tasks: number; solved: number; solvedAt: number[]; reflections: number; broken: number };

/** `solvedAt[i]` is how many tasks were solved after i + 1 trials. */
function toSummary(results: readonly ReflexionResult[], trials: number): Summary {
  const solvedBy = (trial: number) =>
    results.filter(({ solvedAt }) => solvedAt !== null && solvedAt <= trial).length;
  return {
    tasks: results.length,
    solved: solvedBy(trials),
    solvedAt: Array.from({ length: trials }, (_, trial) => solvedBy(trial)),
    reflections: results.reduce((total, { reflections }) => total + reflections.length, 0),
    broken: results.flatMap(({ attempts }) => attempts).filter(({ reward }) => reward === null).length,
  };
}

function drawSummary(
  { tasks, solvedAt, reflections, broken }: Summary,
  { output, files }: { output: string; files: readonly string[] },
): string[] {
  const rows = solvedAt.map((solved, trial) => [String(trial + 1), String(solved), String(tasks)]);
  return [
    ...drawTable(["trial", "solved", "tasks"], rows),
    "",
    `${reflections} reflections; attempts in ${output}${files.length > 0 ? `, lessons in ${files.join(" and ")}` : ""}`,
    ...(broken > 0 ? [`${broken} attempts that the world broke have no reward`] : []),
  ];
}

function writeRows(file: string, rows: readonly JsonObject[]): void {
  writeFileAtomic(file, rows.map((row) => `${JSON.stringify(row)}\n`).join(""));
}
