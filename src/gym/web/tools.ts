import { z } from "zod";
import { tool } from "../../environment/tool.ts";
import { type Tool, ToolError } from "../../spec/tool.ts";
import type { Hands } from "./hands.ts";
import { viewport } from "./layout.ts";
import { keys } from "./page.ts";

/** Whether the agent said that it is done, and what it answered. */
export type Finished = { answer: string | null; isFinished: boolean };

const element = z.int().min(1);
const text = z.string().max(2000);

const inputs = {
  click: z
    .object({
      element: element.optional(),
      x: z.number().min(0).max(viewport.width).optional(),
      y: z.number().min(0).max(viewport.height).optional(),
    })
    .refine(({ element, x, y }) => (element === undefined) === (x !== undefined && y !== undefined), {
      message: "expected either element, or both x and y",
    }),
  type: z.object({ element, text }),
  select: z.object({ element, option: text }),
  scroll: z.object({ direction: z.enum(["up", "down"]) }),
  press: z.object({ key: z.enum(keys) }),
  back: z.object({}),
  finish: z.object({ answer: text.optional() }),
};

/** The tools that an agent has in a browser. */
export function webTools(hands: Hands, finished: Finished): Tool[] {
  const acting = (act: () => Promise<string>) => {
    if (finished.isFinished) throw new ToolError("you have finished");
    return act();
  };
  return [
    tool({
      name: "click",
      description: "Clicks an element by its number, or a point of the view in pixels.",
      input: inputs.click,
      execute: ({ element, x, y }) =>
        acting(() => hands.click(element === undefined ? { x: x!, y: y! } : { element })),
    }),
    tool({
      name: "type",
      description: "Writes text into a field in place of what it holds. A date is written YYYY-MM-DD.",
      input: inputs.type,
      execute: (target) => acting(() => hands.type(target)),
    }),
    tool({
      name: "select",
      description: "Selects an option of a combobox.",
      input: inputs.select,
      execute: (target) => acting(() => hands.select(target)),
    }),
    tool({
      name: "scroll",
      description: "Scrolls the page by a view.",
      input: inputs.scroll,
      execute: ({ direction }) => acting(() => hands.scroll(direction)),
    }),
    tool({
      name: "press",
      description: "Presses a key where the focus is.",
      input: inputs.press,
      execute: ({ key }) => acting(() => hands.press(key)),
    }),
    tool({
      name: "back",
      description: "Goes back to the page before.",
      input: inputs.back,
      execute: () => acting(() => hands.back()),
    }),
    tool({
      name: "finish",
      description: "Says that the task is done, with the answer if one was asked for.",
      input: inputs.finish,
      execute: ({ answer }) =>
        acting(async () => {
          finished.isFinished = true;
          finished.answer = answer ?? null;
          return "finished";
        }),
    }),
  ];
}
