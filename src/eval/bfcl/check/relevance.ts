import type { PythonValue } from "../python/value.ts";
import { isCallList } from "./shape.ts";
import { failed, passed, type Verdict } from "./verdict.ts";

/**
 * Irrelevance is right where nothing was called, relevance where anything was. What did not decode (undefined), an
 * empty list and anything that is not a list of calls count as no call.
 */
export function checkRelevance(decoded: PythonValue | undefined, category: string): Verdict {
  const called = isCallList(decoded) && decoded.length > 0;
  if (category.includes("irrelevance")) return called ? failed("irrelevance_error:decoder_success") : passed;
  return called ? passed : failed("relevance_error:decoder_failed");
}
