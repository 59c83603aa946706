import { join } from "node:path";

/** Where things are in a run directory. Files are the truth; anything else is an index that can be deleted. */
export function runLayout(directory: string) {
  return {
    manifest: join(directory, "run.json"),
    config: join(directory, "config.json"),
    lock: join(directory, "run.lock"),
    progress: join(directory, "progress.json"),
    metrics: join(directory, "metrics.jsonl"),
    log: join(directory, "log.txt"),
    summary: join(directory, "summary.json"),
    tokenizer: join(directory, "tokenizer"),
    /** A store of trajectories; its series are the stages, and `eval-LABEL` for each evaluation. */
    trajectories: join(directory, "trajectories"),
    evaluation: (label: string) => join(directory, "eval", `${label}.json`),
    checkpoints: join(directory, "checkpoints"),
    checkpoint: (name: string) => join(directory, "checkpoints", name),
  };
}
