import { AttuneError } from "../../spec/error.ts";
import type { JsonObject } from "../../spec/json.ts";
import type { Trajectory } from "../../spec/trajectory.ts";
import { type Edit, requireOriginal } from "../../trajectory/edit.ts";
import { pathTo } from "../../trajectory/path.ts";
import { toChatMessage, toFunction } from "./chat.ts";

/**
 * An edited turn as a preference pair in TRL's form: `prompt` is what stood before it, `chosen` what it should have
 * said, `rejected` what it said; tools beside them.
 */
export function toPreference(trajectory: Trajectory, edit: Edit): JsonObject {
  requireOriginal(trajectory, edit);
  if (edit.original.role !== "assistant")
    throw new AttuneError(
      "input",
      `trajectory ${trajectory.id}, node ${edit.node}: a preference is between two turns, got a ${edit.original.role} message`,
    );
  const path = pathTo(trajectory, edit.node);
  const offered = path.at(-1)!.offered?.map((index) => trajectory.tools[index]!) ?? trajectory.tools;
  const before = path.slice(0, -1).flatMap(({ message }) => (message ? [message] : []));
  return {
    prompt: before.map((message) => toChatMessage(message, "object")),
    chosen: [toChatMessage(edit.edited, "object")],
    rejected: [toChatMessage(edit.original, "object")],
    ...(offered.length > 0 && { tools: offered.map(toFunction) }),
  };
}
