// Credit: what a trajectory earned against its group. One estimator a file, pure functions over numbers. Losses and
// how they are averaged are choices of their own. Read grpo.ts first.
export { dapo, overlongPenalty } from "./dapo.ts";
export { drGrpo } from "./dr-grpo.ts";
export { grpo } from "./grpo.ts";
export { klEstimators } from "./kl.ts";
export { normalizedPerEnvironment } from "./per-environment.ts";
export { reinforce } from "./reinforce.ts";
export { reinforcePlusPlus, reinforcePlusPlusBaseline } from "./reinforce-plus-plus.ts";
export { rloo } from "./rloo.ts";
export { whiten } from "./whiten.ts";
