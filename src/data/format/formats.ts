import { AttuneError } from "../../spec/error.ts";
import { agentInstruct } from "./agent-instruct.ts";
import { atif } from "./atif.ts";
import type { FormatName } from "./carries.ts";
import type { Format } from "./format.ts";
import { huggingFace } from "./hugging-face.ts";
import { msSwift } from "./ms-swift.ts";
import { openai } from "./openai.ts";
import { sharegpt } from "./sharegpt.ts";
import { trl } from "./trl.ts";
import { verifiers } from "./verifiers.ts";
import { verl } from "./verl.ts";

/** The formats that trajectories are exported to and imported from, by name. */
export const formats: Readonly<Record<FormatName, Format>> = {
  atif,
  openai,
  trl,
  "ms-swift": msSwift,
  sharegpt,
  "agent-instruct": agentInstruct,
  verl,
  "hugging-face": huggingFace,
  verifiers,
};

export function formatNamed(name: string): Format {
  if (Object.hasOwn(formats, name)) return formats[name as FormatName];
  throw new AttuneError("usage", `format: expected one of ${Object.keys(formats).join(", ")}, got "${name}"`);
}
