import { writeFileAtomic } from "../../../kit/files.ts";
import { wilsonInterval } from "../../../kit/statistics.ts";
import { isAgentic, isMultiTurn } from "../categories.ts";
import { jsonText, repr } from "../python/text.ts";
import { dictGet, type PythonDict, type PythonValue, toDict } from "../python/value.ts";
import type { StoredRow } from "../result-files.ts";
import type { Mode } from "../run/mode.ts";
import { formatSensitivity, type Question } from "../run/question.ts";
import { type Judgement, judgeResult } from "./judge.ts";
import { type Sensitivity, sensitivityHeader, toSensitivity } from "./sensitivity.ts";

/** A category's score, over the items that have a result. */
export type CategoryScore = {
  category: string;
  correct: number;
  total: number;
  accuracy: number;
  /** 95 %, Wilson. */
  low: number;
  high: number;
  /** Items that the data has; more than `total` where some have no result. */
  items: number;
  errors: Record<string, number>;
  sensitivity?: Sensitivity;
};

/** Judges stored results and writes the category's score file: a line of sums, then one for each failure. */
export function scoreCategory({
  category,
  questions,
  items,
  rows,
  mode,
  modelName,
  file,
}: {
  category: string;
  questions: readonly Question[];
  items: number;
  rows: ReadonlyMap<string, StoredRow>;
  mode: Mode;
  modelName: string;
  file: string;
}): CategoryScore {
  const failures: PythonDict[] = [];
  const verdicts: { id: string; valid: boolean }[] = [];
  const errors: Record<string, number> = {};
  for (const question of questions) {
    const stored = rows.get(question.id);
    if (stored === undefined) continue;
    const judgement = judgeResult(question, dictGet(stored.row, "result") as PythonValue, mode);
    verdicts.push({ id: question.id, valid: judgement.valid });
    if (judgement.valid) continue;
    errors[judgement.errorType] = (errors[judgement.errorType] ?? 0) + 1;
    failures.push(toFailure({ question, stored, judgement, modelName, category }));
  }
  const total = verdicts.length;
  const correct = total - failures.length;
  const accuracy = total === 0 ? 0 : correct / total;
  const sensitivity = category === formatSensitivity ? toSensitivity(verdicts) : undefined;
  if (total > 0) {
    const header = new Map<PythonValue, PythonValue>([
      ["accuracy", accuracy],
      ["correct_count", BigInt(correct)],
      ["total_count", BigInt(total)],
      ...(sensitivity === undefined ? [] : sensitivityHeader(sensitivity)),
    ]);
    const lines = [header, ...failures].map((row) => `${jsonText(row, { ensureAscii: false })}\n`);
    writeFileAtomic(file, lines.join(""));
  }
  return {
    category,
    correct,
    total,
    accuracy,
    ...wilsonInterval(correct, total),
    items,
    errors,
    ...(sensitivity && { sensitivity }),
  };
}

function toFailure({
  question,
  stored,
  judgement,
  modelName,
  category,
}: {
  question: Question;
  stored: StoredRow;
  judgement: Judgement;
  modelName: string;
  category: string;
}): PythonDict {
  const { errorType, message, decoded } = judgement;
  const { id, turns, item } = question;
  const isStateful = isMultiTurn(category) || isAgentic(category);
  const log = dictGet(stored.row, "inference_log");
  const result = dictGet(stored.row, "result") as PythonValue;
  const failure = toDict({
    id,
    model_name: modelName,
    test_category: category,
    valid: false,
    ...(isStateful
      ? { error: toDict({ error_message: [message ?? errorType], error_type: errorType }) }
      : { error: [message ?? errorType], error_type: errorType }),
    prompt: toDict({ id, question: turns.map((turn) => turn.map((said) => toDict(said))) }),
    model_result_raw: result,
    ...(decoded !== undefined && { model_result_decoded: toWritable(decoded) }),
    possible_answer: item?.groundTruth ?? null,
    ...(isStateful && { inference_log: log ?? "" }),
  });
  return failure;
}

/** The value where JSON has words for all of it, else as Python prints it. */
function toWritable(value: PythonValue): PythonValue {
  try {
    jsonText(value);
    return value;
  } catch {
    return repr(value);
  }
}
