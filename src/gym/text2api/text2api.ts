import { type OpenApiToolsOptions, openApiTools } from "../../connect/openapi/open-api-tools.ts";
import { defineEnvironment } from "../../environment/define-environment.ts";
import { type Move, scripted } from "../../environment/script.ts";
import { pickKinds, taskStream } from "../../environment/task-stream.ts";
import { givenAnswer, sameAnswer } from "../../reward/answer.ts";
import { format, toolUse } from "../../reward/components.ts";
import type { Environment, GradeContext, Task } from "../../spec/environment.ts";
import type { Json } from "../../spec/json.ts";
import { shopDocument } from "./document.ts";
import { kinds, type Text2ApiInput } from "./kinds.ts";
import { hallucinatedParameters, ungroundedValues, unnecessaryCalls } from "./metrics.ts";
import { fill, lookUp, type ShopAnswer } from "./plan.ts";
import { createSharedServer } from "./server.ts";
import { changesBetween, createShop } from "./shop.ts";

export type { Text2ApiInput } from "./kinds.ts";

const system =
  "You run a shop's back office through its API. Look up the ids you need, invent nothing, change only what is " +
  "asked for. End with <answer>the value asked for</answer>, or <answer>done</answer>.";

const server = createSharedServer();
const toolsAt = (options: OpenApiToolsOptions) =>
  openApiTools(shopDocument, { responseCharacters: 4000, ...options });
const specs = new Map(toolsAt({ baseUrl: "http://127.0.0.1" }).map((tool) => [tool.name, tool]));

/**
 * Doing what a sentence asks through a real HTTP API, with tools made from its OpenAPI document. Graded on what was
 * changed and on the answer. `kinds` chooses among look-up, filter, create, update, follow, two-step and
 * chain.
 */
export function text2api({
  kinds: only = Object.keys(kinds),
}: {
  kinds?: readonly string[];
} = {}): Environment {
  const asked = pickKinds(kinds, { only, environment: "text2api" });
  return defineEnvironment<Text2ApiInput>({
    name: "text2api",
    description: "Run a shop's back office through its HTTP API.",
    tasks: ({ split, seed }) =>
      taskStream({ environment: "text2api", kinds: asked, salt: "text2api-1", split, seed }),
    async start({ input }) {
      const shop = createShop(input.shop);
      const { url, headers, release } = await server.join(shop);
      return {
        messages: [
          { role: "system", content: system },
          { role: "user", content: input.question },
        ],
        tools: toolsAt({ baseUrl: url, headers }),
        outcome: () => changesBetween(createShop(input.shop), shop),
        close: release,
      };
    },
    rewards: {
      correct: { weight: 1, grade: (context) => (isDone(context) ? 1 : 0) },
      format: format(),
      toolUse: toolUse({ isCorrect: isDone }),
      hallucinatedParameters: hallucinatedParameters(specs),
      ungroundedValues: ungroundedValues(specs),
      unnecessaryCalls: unnecessaryCalls({
        needed: (input) => (input as Text2ApiInput).plan.length,
        isDone,
      }),
    },
    experts: { careful: (task) => play(task, "careful"), hasty: (task) => play(task, "hasty") },
  });
}

function isDone({ task, status, answer, outcome }: GradeContext): boolean {
  const { changes, value } = task.answer as ShopAnswer;
  if (status !== "completed" || !sameChanges(outcome, changes)) return false;
  return value === null || sameAnswer(givenAnswer(answer), value);
}

function sameChanges(outcome: Json | undefined, expected: ShopAnswer["changes"]): boolean {
  if (outcome === undefined) return false;
  const changes = outcome as ShopAnswer["changes"];
  const names = Object.keys(expected);
  // records keep the order of their fields, so that their text decides
  return (
    Object.keys(changes).length === names.length &&
    names.every((name) => JSON.stringify(changes[name]) === JSON.stringify(expected[name]))
  );
}

/** Careful looks up every id; hasty skips the first search and makes up what it would have given. */
function play(task: Task, style: "careful" | "hasty") {
  const { plan, answer } = task.input as Text2ApiInput;
  const skipped = style === "hasty" && plan.length > 1 ? 1 : 0;
  return scripted((observations): Move => {
    const given: Json[] = [...(skipped > 0 ? [invented] : []), ...observations.map(parsed)];
    const step = plan[given.length];
    if (!step)
      return {
        answer: answer === null ? "done" : String(lookUp(answer, given) as string | number) || "unknown",
      };
    const thought = /^(get|list)/.test(step.name)
      ? "look up"
      : step.name.startsWith("create")
        ? "create"
        : "change";
    return { thought, call: { name: step.name, arguments: fill(step, given) } };
  });
}

const invented = { id: "x100", customer_id: "c100", product_id: "p100" };

function parsed(observation: string): Json {
  try {
    return JSON.parse(observation) as Json;
  } catch {
    return null;
  }
}
