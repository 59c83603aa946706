// How a world is written: defineEnvironment, its tools, its tasks, scripted players, and the check that it is fit to
// learn in. Read define-environment.ts first, then gym/calculator for a whole one, then health.ts.
export { baselinePlayers, nullPlayer, parrot, randomPlayer } from "./baseline-players.ts";
export { defineEnvironment } from "./define-environment.ts";
export {
  checkEnvironment,
  type HealthOptions,
  type HealthReport,
  healthDefaults,
  type Play,
  type ToolHealth,
} from "./health.ts";
export { type Move, scripted, toMessage } from "./script.ts";
export { splitOf, toTask } from "./task.ts";
export { pickKinds, type TaskKind, taskStream } from "./task-stream.ts";
export { type ToolDefinition, tool } from "./tool.ts";
