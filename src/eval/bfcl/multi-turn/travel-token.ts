import { PythonError } from "../python/error.ts";
import { isEqual, type PythonDict, type PythonValue } from "../python/value.ts";
import type { PythonRandom } from "./random.ts";

// What the methods of the travel service share: who may call, and how ids are drawn.

export const accessToken = { name: "access_token" };

/** What stands against a call with this token, if anything does. */
export function refusal(state: PythonDict, token: PythonValue): string | undefined {
  if (isEqual(state.get("token_expires_in")!, 0n)) return "Token expired";
  return isEqual(token, state.get("access_token")!) ? undefined : "Invalid access token";
}

/** A random integer as text. */
export const draw = (random: PythonRandom, low: bigint, high: bigint) => String(random.randint(low, high));

/** Whether an act raises a `ValueError`; anything else that it raises is passed on. */
export function isValueError(act: () => unknown): boolean {
  try {
    act();
    return false;
  } catch (error) {
    if (error instanceof PythonError && error.type === "ValueError") return true;
    throw error;
  }
}
