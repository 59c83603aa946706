// How a world is written: defineEnvironment, its tools, its tasks, scripted players, and the check that it is fit to
// learn in. Read define-environment.ts first, then gym/calculator for a whole one, then health.ts.
export { type Attack, adversarialAnswers } from "./adversarial-answers.ts";
export { nullPlayer, parrot, randomPlayer } from "./baseline-players.ts";
export { defineEnvironment } from "./define-environment.ts";
export { type FaultOptions, type FaultRates, faults, parseFaultRates } from "./faults.ts";
export { checkEnvironment } from "./health.ts";
export {
  type HealthOptions,
  type HealthReport,
  type HealthThresholds,
  healthDefaults,
  type Play,
} from "./health-report.ts";
export { type Move, scripted, toMessage } from "./script.ts";
export { splitOf, toTask } from "./task.ts";
export { pickKinds, type TaskKind, taskStream } from "./task-stream.ts";
export { type ToolDefinition, tool } from "./tool.ts";
