// The run directory: manifest, resolved config, progress, metrics. Files are the truth. Read run.ts first.
export { runLayout } from "./layout.ts";
export { initialProgress, type Progress } from "./progress.ts";
export {
  createRun,
  listRuns,
  type MetricsRecord,
  openRun,
  type Run,
  type RunManifest,
  readManifest,
  readProgress,
} from "./run.ts";
