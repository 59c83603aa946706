// The nouns and contracts of Attune. This room imports nothing; every other room speaks in its words.
// Read environment.ts first, then trajectory.ts, then trainer.ts.
export type * from "./algorithm.ts";
export type * from "./chat-model.ts";
export type * from "./embedder.ts";
export type * from "./environment.ts";
export { AttuneError, type AttuneErrorKind } from "./error.ts";
export type * from "./json.ts";
export type * from "./message.ts";
export type * from "./policy.ts";
export type * from "./preference.ts";
export {
  type Execution,
  type Sandbox,
  type SandboxDriver,
  SandboxError,
  type SandboxFailureKind,
  type SandboxLanguage,
  type SandboxLimits,
  type SandboxSnapshot,
  type SandboxStep,
} from "./sandbox.ts";
export type * from "./tokenizer.ts";
export {
  type ArgumentCheck,
  type Tool,
  type ToolContext,
  ToolError,
  type ToolFailureKind,
  type ToolSpec,
} from "./tool.ts";
export type * from "./trainer.ts";
export type * from "./trajectory.ts";
export type * from "./web.ts";
