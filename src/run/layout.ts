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
    /** The trajectories of one stage (or of one evaluation), one line each. */
    trajectories: (name: string) => join(directory, "trajectories", `${name}.jsonl`),
    evaluation: (label: string) => join(directory, "eval", `${label}.json`),
    checkpoints: join(directory, "checkpoints"),
    checkpoint: (name: string) => join(directory, "checkpoints", name),
  };
}
