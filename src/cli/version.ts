import { readFileSync } from "node:fs";

/** The version of package.json, which stands two folders above both src/cli and dist/cli. */
export const version: string = (
  JSON.parse(readFileSync(new URL("../../package.json", import.meta.url), "utf8")) as { version: string }
).version;

/** How the user started this program, to print commands that will work for them. */
export const invocation = process.env["npm_lifecycle_event"] ? "npm run attune --" : "attune";
