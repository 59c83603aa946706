import type { Policy } from "./policy.ts";

/**
 * One row of token-level training data, in Tinker's shift convention: `tokens` are the model's inputs and every
 * other array has their length and speaks of the target at that position.
 */
export type TrainRow = {
  tokens: Int32Array;
  targets: Int32Array;
  /** Multiplies the position's loss; 0 leaves it out altogether. */
  weights: Float32Array;
  /** Log-probabilities of the targets when they were sampled. Needed by every loss but cross_entropy. */
  logprobs?: Float32Array;
  advantages?: Float32Array;
};

/**
 * A loss as a function of the targets' log-probabilities p, the sampler's q, advantages A and weights w, with
 * r = exp(p − q) (log-ratio clamped to ±20). All are sums over positions; scale is the caller's, through `weights`.
 */
export type Loss =
  /** −Σ w·p */
  | { name: "cross_entropy" }
  /** −Σ w·r·A */
  | { name: "importance_sampling" }
  /** −Σ w·min(r·A, clip(r, low, high)·A); with `dualClip` c, at least −c·|A| where A < 0. Bounds are ratios. */
  | { name: "ppo"; clipLow: number; clipHigh: number; dualClip?: number }
  /** −Σ w·sg(clip(r, low, high))·A·p */
  | { name: "cispo"; clipLow: number; clipHigh: number }
  /** −Σ w·(p·A − ½β(p − q)²) */
  | { name: "dro"; beta: number }
  | { name: "custom"; evaluate: CustomLoss };

/**
 * A loss of one's own: gets the log-probabilities of every row and returns the loss and its derivative by each of
 * them. Costs one extra forward pass. Positions of weight 0 are not computed; their entries are 0 on both sides.
 */
export type CustomLoss = (
  rows: readonly TrainRow[],
  logprobs: readonly Float32Array[],
) => { loss: number; gradients: Float32Array[] };

export type ForwardBackwardResult = {
  /** Sum over positions. */
  loss: number;
  /** Per row and position, before the update; 0 where the weight is 0. */
  logprobs: Float32Array[];
};

export type OptimizerParams = {
  learningRate: number;
  /** `adamw` for everything, or `muon` for matrices with AdamW for the rest. */
  kind: "adamw" | "muon";
  beta1: number;
  beta2: number;
  epsilon: number;
  /** Decoupled (AdamW). */
  weightDecay: number;
  /** Largest global L2 norm of the gradient; 0 is off. */
  gradientClip: number;
};

export type OptimizerResult = {
  /** Global L2 norm before clipping. */
  gradientNorm: number;
};

/** Learns. Four verbs, as in the Tinker protocol; gradients add up over forwardBackward calls until optimStep. */
export interface Trainer {
  forwardBackward(
    rows: readonly TrainRow[],
    loss: Loss,
    options?: { signal?: AbortSignal },
  ): Promise<ForwardBackwardResult>;
  /** Applies and clears the gradient. Refuses a non-finite gradient before any weight is touched. */
  optimStep(params: OptimizerParams): Promise<OptimizerResult>;
  /** A policy with the weights as they are now. */
  policy(): Promise<Policy>;
  /** Forgets optimizer state, as between two stages of a recipe. */
  resetOptimizer(): Promise<void>;
  /** Writes weights and optimizer state into a directory that does not exist yet, atomically. */
  save(directory: string): Promise<void>;
  load(directory: string): Promise<void>;
  close(): Promise<void>;
}
