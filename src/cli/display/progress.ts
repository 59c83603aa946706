import { styleText } from "node:util";
import { createLogUpdate } from "log-update";
import type { EvaluationReport } from "../../eval/report.ts";
import type { TrainEvent } from "../../train/event.ts";
import { drawCurve } from "./curve.ts";
import { count, duration, percent } from "./format.ts";

/** What is known of a run while it is watched. */
export type RunView = {
  stages: { name: string; steps: number; stepsDone: number }[];
  stage: string | undefined;
  /** What the current stage's curve shows: reward where there is one, else loss. */
  curves: Map<string, { metric: "reward" | "loss"; values: number[] }>;
  metrics: Record<string, number>;
  /** What was said aloud last. */
  note?: string;
  /** Absent where no workers play. */
  workers?: { alive: number; slots: number };
  tokensPerSecond: number;
  evaluating: { label: string; done: number; total: number } | undefined;
  reports: Map<string, EvaluationReport>;
  secondsLeft: number;
};

export const emptyView = (): RunView => ({
  stages: [],
  stage: undefined,
  curves: new Map(),
  metrics: {},
  tokensPerSecond: 0,
  evaluating: undefined,
  reports: new Map(),
  secondsLeft: 0,
});

/** The view after an event. */
export function follow(view: RunView, event: TrainEvent): RunView {
  switch (event.type) {
    case "run-start":
      return { ...view, stages: event.stages.map((stage) => ({ ...stage, stepsDone: 0 })) };
    case "stage-start":
      return {
        ...view,
        stage: event.stage,
        evaluating: undefined,
        // stages before the one a resumed run begins with are done
        stages: view.stages.map((stage, index, all) => {
          const current = all.findIndex(({ name }) => name === event.stage);
          return index < current
            ? { ...stage, stepsDone: stage.steps }
            : index === current
              ? { ...stage, stepsDone: event.stepsDone }
              : stage;
        }),
      };
    case "step": {
      const { metrics } = event;
      const metric = metrics["reward"] === undefined ? "loss" : "reward";
      const curve = view.curves.get(event.stage) ?? { metric, values: [] };
      curve.values.push(metrics[metric] ?? 0);
      const rate =
        ((metrics["tokensTrained"] ?? 0) + (metrics["tokensSampled"] ?? 0)) / (metrics["seconds"] || 1);
      return {
        ...view,
        metrics,
        ...(event.notes && { note: event.notes.at(-1)! }),
        curves: new Map(view.curves).set(event.stage, curve),
        tokensPerSecond: view.tokensPerSecond === 0 ? rate : 0.95 * view.tokensPerSecond + 0.05 * rate,
        secondsLeft: event.secondsLeft,
        stages: view.stages.map((stage) =>
          stage.name === event.stage ? { ...stage, stepsDone: event.step + 1 } : stage,
        ),
      };
    }
    case "evaluation-progress":
      return { ...view, evaluating: event, secondsLeft: event.secondsLeft };
    case "evaluation":
      return {
        ...view,
        evaluating: undefined,
        reports: new Map(view.reports).set(event.label, event.report),
      };
    case "run-end":
      return {
        ...view,
        evaluating: undefined,
        secondsLeft: 0,
        stages: view.stages.map((stage) => ({ ...stage, stepsDone: stage.steps })),
      };
    case "workers":
      return { ...view, workers: event };
    case "demonstrations":
    case "checkpoint":
      return view;
    default:
      return event satisfies never;
  }
}

/** The view as lines of at most `width` characters. */
export function drawView(view: RunView, { width, note }: { width: number; note?: string }): string[] {
  const lines: string[] = [];
  for (const { name, steps, stepsDone } of view.stages) {
    const done = stepsDone === steps;
    const active = !done && name === view.stage;
    const mark = done ? styleText("green", "✓") : active ? styleText("cyan", "▸") : " ";
    const report = view.reports.get(name);
    const result = report ? `  success ${percent(report.success)}` : "";
    lines.push(
      `${mark} ${name.padEnd(8)} ${bar(stepsDone / steps, 20)} ${`${stepsDone}/${steps}`.padStart(9)}${result}`,
    );
  }
  if (view.evaluating) {
    const { label, done, total } = view.evaluating;
    lines.push(
      `${styleText("cyan", "▸")} held-out evaluation "${label}" ${bar(done / total, 20)} ${done}/${total}`,
    );
  } else if (view.stage) lines.push(describeMetrics(view));
  const curve = view.stage ? view.curves.get(view.stage) : undefined;
  if (curve && curve.values.length > 1) {
    const high = curve.metric === "reward" ? 1 : Math.max(...curve.values.slice(0, 50));
    lines.push(
      "",
      `${curve.metric} of ${view.stage}, step by step`,
      ...drawCurve(smooth(curve.values), { width: Math.min(width, 72), height: 6, low: 0, high }),
    );
  }
  if (view.workers) lines.push("", describeWorkers(view.workers));
  for (const said of [view.note, note]) if (said) lines.push("", said);
  return lines;
}

function describeWorkers({ alive, slots }: NonNullable<RunView["workers"]>): string {
  if (alive === 0) return "no workers alive; start some with: attune worker CONFIG --redis URL";
  return `${alive} ${alive === 1 ? "worker" : "workers"} alive, ${slots} episodes at a time`;
}

/** One line for logs and pipes. */
function describeMetrics({ stage, metrics, tokensPerSecond, secondsLeft, stages }: RunView): string {
  const step = stages.find(({ name }) => name === stage);
  const parts = [`${stage} ${step?.stepsDone}/${step?.steps}`];
  if (metrics["reward"] !== undefined)
    parts.push(`reward ${metrics["reward"].toFixed(2)}`, `turns ${metrics["turns"]?.toFixed(1)}`);
  else if (metrics["loss"] !== undefined) parts.push(`loss ${metrics["loss"].toFixed(3)}`);
  parts.push(`${count(tokensPerSecond)} tokens/s`, `${duration(secondsLeft)} left`);
  return parts.join(" · ");
}

export type ProgressDisplay = {
  onEvent(event: TrainEvent): void;
  reports(): ReadonlyMap<string, EvaluationReport>;
  stop(): void;
};

/** Shows a run as it goes: a live region on a terminal, a line now and then elsewhere. Writes to `stream` alone. */
export function createProgressDisplay({
  stream,
  live,
}: {
  stream: NodeJS.WriteStream;
  live: boolean;
}): ProgressDisplay {
  let view = emptyView();
  let shownAt = 0;
  const update = live ? createLogUpdate(stream) : undefined;

  const show = (now: boolean) => {
    const at = performance.now();
    if (!now && at - shownAt < (live ? 100 : 5000)) return;
    shownAt = at;
    if (update) update(drawView(view, { width: stream.columns ?? 80 }).join("\n"));
    else if (view.evaluating)
      stream.write(`evaluation ${view.evaluating.label} ${view.evaluating.done}/${view.evaluating.total}\n`);
    else if (view.stage && view.metrics["seconds"] !== undefined) stream.write(`${describeMetrics(view)}\n`);
  };
  if (update) update("Experts are playing demonstrations…");
  else stream.write("experts are playing demonstrations\n");
  return {
    onEvent(event) {
      view = follow(view, event);
      if (!live && event.type === "demonstrations") {
        stream.write(
          `${event.stage}: ${event.kept} of ${event.played} demonstrations, mean reward ${event.meanReward.toFixed(2)}\n`,
        );
      }
      if (!live && event.type === "step") for (const note of event.notes ?? []) stream.write(`${note}\n`);
      if (!live && event.type === "evaluation")
        stream.write(`evaluation ${event.label}: success ${percent(event.report.success)}\n`);
      if (!live && event.type === "workers") stream.write(`${describeWorkers(event)}\n`);
      show(event.type === "stage-start" || event.type === "run-end");
    },
    reports: () => view.reports,
    stop: () => update?.done(),
  };
}

function bar(share: number, width: number): string {
  const full = Math.round(Math.min(1, share) * width);
  return styleText("cyan", "█".repeat(full)) + styleText("gray", "░".repeat(width - full));
}

/** A running mean that settles as the curve grows. */
function smooth(values: readonly number[]): number[] {
  let mean = values[0]!;
  return values.map((value) => {
    mean = 0.8 * mean + 0.2 * value;
    return mean;
  });
}
