import { AttuneError } from "../spec/error.ts";
import type { SandboxLimits } from "../spec/sandbox.ts";

/** A driver's limits with some of them set otherwise. Throws `AttuneError` (usage) for one that is no count above 0. */
export function setLimits(
  driver: string,
  defaults: SandboxLimits,
  given: Partial<Omit<SandboxLimits, "network">> = {},
  { leastMemoryBytes = 1 }: { leastMemoryBytes?: number } = {},
): SandboxLimits {
  for (const [name, value] of Object.entries(given)) {
    if (!Object.hasOwn(defaults, name) || name === "network")
      throw new AttuneError("usage", `sandbox "${driver}": no limit "${name}" to set`);
    if (!(Number.isSafeInteger(value) && value > 0))
      throw new AttuneError(
        "usage",
        `sandbox "${driver}": expected ${name} as a whole number above 0, got ${value}`,
      );
  }
  const limits = { ...defaults, ...given };
  if (limits.memoryBytes < leastMemoryBytes)
    throw new AttuneError(
      "usage",
      `sandbox "${driver}": expected memoryBytes of ${leastMemoryBytes} or more, got ${limits.memoryBytes}`,
    );
  return limits;
}
