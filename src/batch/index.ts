// Trajectories and credit → token rows. Read to-rows.ts first.
export { tokenWeights } from "./aggregation.ts";
export { type Batch, isTied, toRows } from "./to-rows.ts";
export { toSftRows } from "./to-sft-rows.ts";
