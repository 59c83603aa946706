import { spaces } from "../python/number.ts";

/** Names that are never called, whatever they stand for. */
const forbidden = new Set(["kill", "exit", "quit", "remove", "unlink", "popen", "Popen", "run"]);

const beforeBracket = new RegExp(`(?<![\\p{L}\\p{N}_])([a-zA-Z_][\\p{L}\\p{N}_]*)[${spaces}]*(?=\\()`, "gu");

/**
 * The call as the original rewrites it before it is run: every word before a bracket loses the spaces behind it, and
 * gets the instance's name in front when it is a method's. That happens inside of quotes as well, so it can change
 * what a text argument says.
 */
export function addInstanceNames(call: string, instanceOf: (method: string) => string | undefined): string {
  return call.replace(beforeBracket, (_, name: string) => {
    const instance = instanceOf(name);
    return instance === undefined ? name : `${instance}.${name}`;
  });
}

/** The forbidden name that a rewritten call starts with, found as the original does: by its text alone. */
export function forbiddenName(call: string): string | undefined {
  const bracket = call.indexOf("(");
  const callee = bracket < 0 ? call : call.slice(0, bracket);
  const name = callee.includes(".") ? (callee.split(".")[1] as string) : callee;
  return forbidden.has(name) ? name : undefined;
}
