import type { Json } from "../spec/json.ts";
import type { ResolvedRun } from "./define-run.ts";

/** A run's config as plain data, for config.json: environments and algorithms by name, functions left out. */
export function describeRun(config: ResolvedRun): Json {
  const plain = {
    ...config,
    environments: config.environments.map(({ name }) => name),
    // where an episode is played makes no difference to it, and a run may go on elsewhere
    rollouts: undefined,
    trainer: { name: config.trainer.name, settings: config.trainer.settings },
    stages: config.stages.map((stage) =>
      "sft" in stage ? { ...stage, sft: { ...stage.sft, ...describeDemonstrations(stage.sft) } } : stage,
    ),
  };
  return JSON.parse(JSON.stringify(plain));
}

function describeDemonstrations({
  demonstrations,
  general,
}: {
  demonstrations: { environments?: readonly { name: string }[] } | { trajectories: string };
  general?: { conversations: readonly unknown[]; share: number };
}) {
  return {
    demonstrations:
      "trajectories" in demonstrations
        ? demonstrations
        : { ...demonstrations, environments: demonstrations.environments?.map(({ name }) => name) },
    general: general && { conversations: general.conversations.length, share: general.share },
  };
}

/** The first place where two descriptions differ, in words; undefined when they are the same. */
export function differenceOf(before: Json, after: Json, path = "config"): string | undefined {
  if (Object.is(before, after)) return undefined;
  if (isContainer(before) && isContainer(after)) {
    for (const key of new Set([...Object.keys(before), ...Object.keys(after)])) {
      const difference = differenceOf(valueAt(before, key), valueAt(after, key), `${path}.${key}`);
      if (difference !== undefined) return difference;
    }
    return undefined;
  }
  return `${path} was ${JSON.stringify(before)} and is ${JSON.stringify(after)}`;
}

const isContainer = (value: Json): value is Json[] | { [key: string]: Json } =>
  typeof value === "object" && value !== null;

const valueAt = (container: Json[] | { [key: string]: Json }, key: string): Json =>
  (container as { [key: string]: Json })[key] ?? null;
