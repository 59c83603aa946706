// The front door: what a config, an environment or an algorithm is written with. Everything else has its own room.
export { type CommandAgentOptions, commandAgent } from "./agent/command-agent.ts";
export {
  type AgentContext,
  type AgentDefinition,
  type AgentResult,
  defineAgent,
} from "./agent/define-agent.ts";
export { dapo, overlongPenalty } from "./algorithm/dapo.ts";
export { drGrpo } from "./algorithm/dr-grpo.ts";
export { grpo } from "./algorithm/grpo.ts";
export { klEstimators } from "./algorithm/kl.ts";
export { normalizedPerEnvironment } from "./algorithm/per-environment.ts";
export { reinforce } from "./algorithm/reinforce.ts";
export { reinforcePlusPlus, reinforcePlusPlusBaseline } from "./algorithm/reinforce-plus-plus.ts";
export { rloo } from "./algorithm/rloo.ts";
export { type AgentBenchOptions, agentBench, agentBenchTasks } from "./connect/agentbench/agent-bench.ts";
export type { McpServerAddress } from "./connect/mcp/connection.ts";
export { type McpTools, type McpToolsOptions, mcpTools } from "./connect/mcp/mcp-tools.ts";
export {
  type McpEnvironmentServer,
  type ServeEnvironmentOptions,
  serveEnvironment,
} from "./connect/mcp/serve-environment.ts";
export { type ServeStreamsOptions, serveEnvironmentOverStreams } from "./connect/mcp/serve-streams.ts";
export type { ServedResult } from "./connect/mcp/served-session.ts";
export type { OpenApiDocument } from "./connect/openapi/document.ts";
export { type OpenApiToolsOptions, openApiTools } from "./connect/openapi/open-api-tools.ts";
export { type OpenEnvOptions, openEnv } from "./connect/openenv/open-env.ts";
export { type OpenEnvServer, type ServeOptions, serveOpenEnv } from "./connect/openenv/serve.ts";
export { readConversations } from "./data/conversations.ts";
export { mixture, type Source } from "./data/mixture.ts";
export { takeTasks } from "./data/tasks.ts";
export { type EmbeddedOptions, embedded } from "./embedded.ts";
export { createEmbeddedTrainer } from "./engine/embedded.ts";
export { loadHuggingFace, type SaveOptions, saveHuggingFace } from "./engine/hugging-face.ts";
export { defineEnvironment } from "./environment/define-environment.ts";
export { type FaultOptions, type FaultRates, faults } from "./environment/faults.ts";
export { checkEnvironment, type HealthOptions, type HealthReport } from "./environment/health.ts";
export { type Move, scripted } from "./environment/script.ts";
export { splitOf, toTask } from "./environment/task.ts";
export { type TaskKind, taskStream } from "./environment/task-stream.ts";
export { type ToolDefinition, tool } from "./environment/tool.ts";
export { compare, compareTrajectories } from "./eval/compare.ts";
export { passAtK, passHatK, toPasses } from "./eval/pass-at-k.ts";
export { type EvaluationReport, toReport } from "./eval/report.ts";
export { type Conversation, createConversation } from "./gateway/conversation.ts";
export { type Gateway, type GatewayOptions, serveGateway } from "./gateway/server.ts";
export {
  atlas,
  type BfclOptions,
  bfcl,
  bfclCategories,
  calculator,
  database,
  echo,
  files,
  household,
  httpEngine,
  knowledgeGraph,
  math,
  os,
  recordedEngine,
  replayedEngine,
  type SearchEngine,
  search,
  shop,
  text2api,
  web,
} from "./gym/index.ts";
export { createRandom, deriveSeed, type Random } from "./kit/random.ts";
export { reactModel, reactRenderer } from "./render/react.ts";
export { loadRenderer } from "./render/renderer.ts";
export { correct, economy, format, toolFailures, toolUse } from "./reward/components.ts";
export {
  type ReflexionOptions,
  type ReflexionResult,
  type ReflexionStrategy,
  reflectWith,
  reflexion,
} from "./rollout/reflexion.ts";
export { type Lesson, toLessons } from "./rollout/reflexion-lessons.ts";
export { type Difference, type Replay, replay } from "./rollout/replay.ts";
export type { RetryBudget } from "./rollout/retry.ts";
export { type Rollout, rollout } from "./rollout/rollout.ts";
export {
  createMemoryShell,
  createNamespace,
  createPyodide,
  createQuickJs,
  whyNoNamespaces,
} from "./sandbox/index.ts";
export { AttuneError } from "./spec/error.ts";
export type * from "./spec/index.ts";
export { SandboxError } from "./spec/sandbox.ts";
export { ToolError } from "./spec/tool.ts";
export { defineRun, type RunConfig, type Stage } from "./train/define-run.ts";
export type { RunSummary, TrainEvent } from "./train/event.ts";
export { type TrainOptions, train } from "./train/train.ts";
export { openStore, type TrajectoryStore } from "./trajectory/directory-store.ts";
export type { Heading, TrajectoryFilter } from "./trajectory/heading.ts";
export { createRecorder, type Exchange, type Recorder } from "./trajectory/recorder.ts";
export { retokenize } from "./trajectory/retokenize.ts";
export type { StoredHeading } from "./trajectory/segment-index.ts";
export { appendTrajectories, readTrajectories } from "./trajectory/store.ts";
