import type { ToolSpec } from "../spec/tool.ts";

/** The tools that a choice leaves: none, one by its name, or all. A policy cannot be made to call one. */
export function offered(tools: readonly ToolSpec[], choice: string | { name: string }): readonly ToolSpec[] {
  if (choice === "none") return [];
  return typeof choice === "string" ? tools : tools.filter(({ name }) => name === choice.name);
}
