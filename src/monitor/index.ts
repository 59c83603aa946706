// What is watched while a policy plays: how every tool did, and whose doing its failures were. Read tool-table.ts first.
export { type SessionUse, toolMetrics } from "./tool-metrics.ts";
export { type ToolRow, type ToolUse, toolTable } from "./tool-table.ts";
