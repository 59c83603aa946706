import { type Move, toMessage } from "../../environment/script.ts";
import type { Player, Task } from "../../spec/environment.ts";
import type { Message } from "../../spec/message.ts";
import type { PlanStep, WebAnswer, WebInput } from "./goal.ts";

type Style = "careful" | "hasty";

/**
 * Carries out a task's plan on what it is shown: looks the elements up by role and name, scrolls to those out of
 * view, and turns pages. Hasty leaves the last step out, and answers a question with the first guess.
 */
export function planPlayer(task: Task, style: Style): Player {
  const { plan, guess } = task.input as WebInput;
  const { value } = task.answer as WebAnswer;
  const steps = style === "hasty" ? plan.slice(0, -1) : plan;
  const end = { answer: (style === "hasty" ? guess : value) ?? "done" };
  return ({ messages }) => {
    // the way so far is gone through again, so that a player holds nothing between turns
    let at = 0;
    let move: Move = end;
    for (const page of pagesOf(messages)) {
      const next = nextMove(page, steps, at);
      move = next?.move ?? end;
      at = next?.at ?? steps.length;
    }
    return toMessage(move);
  };
}

/** What was seen: the page in the first message, then those that calls returned. */
const pagesOf = (messages: readonly Message[]) =>
  messages.flatMap(({ role, content }) =>
    role === "user" || (role === "tool" && !content.startsWith("error: ")) ? [content] : [],
  );

function nextMove(
  page: string,
  steps: readonly PlanStep[],
  from: number,
): { move: Move; at: number } | undefined {
  for (let at = from; at < steps.length; at++) {
    const step = steps[at]!;
    if ("press" in step)
      return {
        move: { thought: `press ${step.press}`, call: { name: "press", arguments: { key: step.press } } },
        at: at + 1,
      };
    if ("seek" in step) {
      if (numberOf(page, step.seek) !== undefined) continue;
      if (page.includes("(more below)")) return { move: scroll("down"), at };
      const element = numberOf(page, step.by);
      return element === undefined
        ? undefined
        : { move: click(element, `${step.seek} is not here; next page`), at };
    }
    const target = "click" in step ? step.click : "type" in step ? step.type : step.select;
    const element = numberOf(page, target);
    if (element === undefined) return { move: scroll(page.includes("(more below)") ? "down" : "up"), at };
    if ("click" in step) return { move: click(element, `click ${target}`), at: at + 1 };
    const thought = `set ${target}`;
    const move: Move =
      "type" in step
        ? { thought, call: { name: "type", arguments: { element, text: step.text } } }
        : { thought, call: { name: "select", arguments: { element, option: step.option } } };
    return { move, at: at + 1 };
  }
  return undefined;
}

const click = (element: number, thought: string): Move => ({
  thought,
  call: { name: "click", arguments: { element } },
});

const scroll = (direction: "up" | "down"): Move => ({
  thought: `look further ${direction}`,
  call: { name: "scroll", arguments: { direction } },
});

/** The number of the element shown under a role and name. */
function numberOf(page: string, target: string): number | undefined {
  for (const line of page.split("\n")) {
    const shown = /^ *\[(\d+)\] (.*)$/.exec(line);
    if (shown && (shown[2] === target || shown[2]!.startsWith(`${target} `))) return Number(shown[1]);
  }
  return undefined;
}
