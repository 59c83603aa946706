import { setTimeout as wait } from "node:timers/promises";
import { createRandom, deriveSeed, type Random } from "../kit/random.ts";
import type { Environment, Session, StartContext, Task } from "../spec/environment.ts";
import { AttuneError } from "../spec/error.ts";
import type { Message } from "../spec/message.ts";
import type { Tool } from "../spec/tool.ts";

/** Chances between 0 and 1. `crash` is that of a start, the others are those of one call of a tool or an answer. */
export type FaultRates = {
  /** Throws, as a broken connection does. */
  fail: number;
  /** Takes `delayMs`, give or take a half, and then goes on as it would have. */
  delay: number;
  /** Never comes back, and hears no signal. */
  hang: number;
  /** Throws instead of opening a session. */
  crash: number;
  /** Gives something that is no observation: nothing, a number, bytes. */
  garbage: number;
};

export type Fault = keyof FaultRates;

export type FaultOptions = {
  seed: number;
  rates: Partial<FaultRates>;
  /** Milliseconds that a delay takes on average. */
  delayMs?: number;
};

/** Where a fault may strike: which session, and which of its calls in order (or its start). */
export type FaultPoint = {
  environment: string;
  task: string;
  /** The session's seed. */
  session: number;
  /** Which attempt at the episode it is. */
  attempt: number;
  call: number | "start";
};

/**
 * The same environment with faults of the world let loose on it: for showing that they are noticed, retried and
 * never taken for what the policy did. What happens where follows from the seed, the task, the session's seed, the
 * attempt and the number of the call, and from nothing else. Throws `AttuneError` (usage) for chances that are none.
 */
export function faults(environment: Environment, options: FaultOptions): Environment {
  checkRates(options.rates);
  return {
    ...environment,
    async start(task: Task, context: StartContext) {
      const { seed, attempt = 0 } = context;
      const point = { environment: environment.name, task: task.id, session: seed, attempt };
      if (drawFault(options, { ...point, call: "start" }).fault === "crash")
        throw new Error("injected crash at the start");
      const session = await environment.start(task, context);
      let calls = 0;
      return faultySession(session, () => {
        const drawn = drawFault(options, { ...point, call: calls++ });
        return { ...drawn, delayMs: (options.delayMs ?? 100) * (0.5 + drawn.random.next()) };
      });
    },
  };
}

/** What strikes at a point, if anything does; `random` goes on with the point's own numbers. */
export function drawFault(
  { seed, rates }: FaultOptions,
  { environment, task, session, attempt, call }: FaultPoint,
): { fault: Fault | undefined; random: Random } {
  const random = createRandom(deriveSeed(seed, "fault", environment, task, session, attempt, call));
  const possible: readonly Fault[] = call === "start" ? ["crash"] : ["fail", "delay", "hang", "garbage"];
  let left = random.next();
  for (const fault of possible) {
    left -= rates[fault] ?? 0;
    if (left < 0) return { fault, random };
  }
  return { fault: undefined, random };
}

type Struck = { fault: Fault | undefined; random: Random; delayMs: number };

function faultySession(session: Session, strike: () => Struck): Session {
  return {
    messages: session.messages,
    tools: session.tools.map((tool) => faultyTool(tool, strike)),
    ...(session.respond && {
      async respond(message) {
        const { fault, random, delayMs } = strike();
        if (fault === "garbage") return random.pick(garbledAnswers) as Message[];
        await suffer(fault, { delayMs });
        return session.respond!(message);
      },
    }),
    ...(session.ended && { ended: () => session.ended!() }),
    ...(session.outcome && { outcome: () => session.outcome!() }),
    ...(session.close && { close: () => session.close!() }),
  };
}

/** A tool whose calls are struck. Arguments are still checked by the tool itself, so the policy's own errors stay. */
export function faultyTool(tool: Tool, strike: () => Struck): Tool {
  return {
    name: tool.name,
    description: tool.description,
    parameters: tool.parameters,
    ...(tool.timeoutMs !== undefined && { timeoutMs: tool.timeoutMs }),
    check: (input) => tool.check(input),
    async execute(value, context) {
      const { fault, random, delayMs } = strike();
      if (fault === "garbage") return random.pick(garbage) as string;
      await suffer(fault, { delayMs, signal: context.signal });
      return tool.execute(value, context);
    },
  };
}

async function suffer(
  fault: Fault | undefined,
  { delayMs, signal }: { delayMs: number; signal?: AbortSignal },
): Promise<void> {
  if (fault === "fail") throw new Error("injected failure");
  if (fault === "hang") await new Promise<never>(() => undefined);
  if (fault === "delay") await wait(delayMs, undefined, signal && { signal });
}

/** Only what can be told from an observation: text that is wrong is for the environment to notice. */
const garbage: readonly unknown[] = [undefined, null, 42, false, {}, ["text"], new Uint8Array([255, 254])];
/** Nothing, and a list of nothing, would mean that the session has ended. */
const garbledAnswers: readonly unknown[] = [42, "text", {}, [{ role: "user" }], [undefined]];

const faultNames: readonly Fault[] = ["fail", "delay", "hang", "crash", "garbage"];

function checkRates(rates: Partial<FaultRates>): void {
  for (const [name, rate] of Object.entries(rates)) {
    if (!faultNames.includes(name as Fault))
      throw new AttuneError("usage", `faults: no fault "${name}"; there are ${faultNames.join(", ")}`);
    if (!(rate >= 0 && rate <= 1))
      throw new AttuneError("usage", `faults: expected ${name} between 0 and 1, got ${rate}`);
  }
  const { fail = 0, delay = 0, hang = 0, garbage = 0 } = rates;
  const together = fail + delay + hang + garbage;
  if (together > 1 + 1e-9)
    throw new AttuneError(
      "usage",
      `faults: fail, delay, hang and garbage exclude each other, expected at most 1 together, got ${together}`,
    );
}

/** Chances as the command line writes them: `fail=0.1,hang=0.05`. */
export function parseFaultRates(text: string): Partial<FaultRates> {
  const rates = Object.fromEntries(
    text.split(",").map((part) => {
      const [name = "", rate = "", ...more] = part.split("=").map((piece) => piece.trim());
      if (rate === "" || more.length > 0)
        throw new AttuneError("usage", `faults: expected NAME=CHANCE, got "${part}"`);
      return [name, Number(rate)];
    }),
  );
  checkRates(rates);
  return rates;
}
