// How a world is written: defineEnvironment, its tools, its tasks, scripted players. Read define-environment.ts
// first, then gym/calculator for a whole one.
export { defineEnvironment } from "./define-environment.ts";
export { type Move, scripted, toMessage } from "./script.ts";
export { splitOf, toTask } from "./task.ts";
export { type TaskKind, taskStream } from "./task-stream.ts";
export { type ToolDefinition, tool } from "./tool.ts";
