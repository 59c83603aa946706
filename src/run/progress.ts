import { z } from "zod";

/** How far a run has come: written after its checkpoint is complete, so that it never points at half of one. */
export const progressSchema = z.object({
  format: z.literal(1),
  /** Stage the next step belongs to; equal to the number of stages when the run is finished. */
  stageIndex: z.number().int().nonnegative(),
  /** Steps of that stage that are done. */
  stepsDone: z.number().int().nonnegative(),
  /** Directory name under checkpoints/ that holds weights and optimizer, or null before the first. */
  checkpoint: z.string().nullable(),
  tokensTrained: z.number().nonnegative(),
  tokensSampled: z.number().nonnegative(),
  wallSeconds: z.number().nonnegative(),
});

export type Progress = z.infer<typeof progressSchema>;

export const initialProgress: Progress = {
  format: 1,
  stageIndex: 0,
  stepsDone: 0,
  checkpoint: null,
  tokensTrained: 0,
  tokensSampled: 0,
  wallSeconds: 0,
};
