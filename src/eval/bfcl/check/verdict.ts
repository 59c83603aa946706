/** What a check found: the original's `valid` and `error_type` (`""` where valid). */
export type Verdict = { valid: boolean; errorType: string };

export const passed: Verdict = { valid: true, errorType: "" };

export function failed(errorType: string): Verdict {
  return { valid: false, errorType };
}
