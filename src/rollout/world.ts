import type { Environment, RolloutLimits, Session, StartContext } from "../spec/environment.ts";
import type { Json } from "../spec/json.ts";
import type { AssistantMessage, Message } from "../spec/message.ts";
import type { Tool } from "../spec/tool.ts";
import type { EpisodeRequest } from "../spec/trajectory.ts";
import { type Clock, isPromise, within } from "./deadline.ts";

/** A failure on the world's side of the boundary: it ends the episode and says nothing about who played. */
export class WorldError extends Error {}

/** Milliseconds a session may take to close before it is left behind. */
const closeTimeoutMs = 5000;

/** Opens a session. One that comes after the signal has fired is closed unused. */
export async function openSession(
  environment: Environment,
  { request, attempt, clock }: { request: EpisodeRequest; attempt: number; clock: Clock },
): Promise<Session> {
  return ofWorld(clock, async () => {
    // the seed is the same for every attempt; a world that must tell them apart can
    const context: StartContext = { seed: request.seed, attempt, signal: clock.signal };
    const opening = environment.start(request.task, context);
    if (!isPromise(opening)) return opening;
    try {
      return await within(() => opening, { outer: clock });
    } catch (error) {
      void opening.then(closeSession, () => undefined);
      throw error;
    }
  });
}

/** What a session offers the agent, made sure to be what the contract says. */
export function offeredBy({ messages, tools }: Session): { messages: Message[]; tools: Tool[] } {
  if (messages?.length === 0) throw new WorldError("the session starts with no message");
  if (!Array.isArray(tools)) throw new WorldError(`the session's tools are ${typeof tools}, expected a list`);
  return { messages: checked(messages, "messages"), tools };
}

/** The world's answer to a turn without tool calls; none ends the episode. */
export async function respond(
  session: Session,
  message: AssistantMessage,
  { limits, clock }: { limits: RolloutLimits; clock: Clock },
): Promise<Message[]> {
  if (!session.respond) return [];
  return ofWorld(clock, async () => {
    const options = { milliseconds: limits.toolTimeoutMs, outer: clock };
    const answers = (await within(() => session.respond!(message), options)) ?? [];
    return checked(answers, "respond").map((answer) => ({
      ...answer,
      content: truncate(answer.content, limits.observationCharacters),
    }));
  });
}

/** Whether the world says, after the tools of a turn, that the episode is over. */
export function hasEnded(session: Session): boolean {
  try {
    return session.ended?.() ?? false;
  } catch (error) {
    throw new WorldError(described(error), { cause: error });
  }
}

/** What the world looks like at the end: a copy as JSON, which closing the session cannot change. */
export async function outcomeOf(
  session: Session,
  { limits, clock }: { limits: RolloutLimits; clock: Clock },
): Promise<Json | undefined> {
  if (!session.outcome) return undefined;
  return ofWorld(clock, async () => {
    const outcome = await within(() => session.outcome!(), {
      milliseconds: limits.toolTimeoutMs,
      outer: clock,
    });
    return outcome === undefined ? undefined : (JSON.parse(JSON.stringify(outcome)) as Json);
  });
}

/** Closes a session, or leaves it behind when it hangs. Never throws; says what went wrong. */
export async function closeSession(session: Session | undefined): Promise<string | undefined> {
  try {
    await within(() => session?.close?.(), { milliseconds: closeTimeoutMs });
    return undefined;
  } catch (error) {
    return `the session could not be closed: ${described(error)}`;
  }
}

/** One line on anything that can be thrown. */
export function described(thrown: unknown): string {
  const text = thrown instanceof Error ? thrown.message || thrown.name : String(thrown);
  return text.split("\n", 1)[0]!;
}

/** Text cut to a number of characters, with a note of how many are missing. */
export function truncate(text: string, characters: number): string {
  if (text.length <= characters) return text;
  const kept = text.slice(0, characters).replace(/[\uD800-\uDBFF]$/, "");
  return `${kept}… (${text.length - kept.length} more characters)`;
}

/** Whatever fails in there is the world's failure, unless the episode was being stopped. */
async function ofWorld<Result>(clock: Clock, work: () => Promise<Result>): Promise<Result> {
  try {
    return await work();
  } catch (error) {
    clock.throwIfStopped();
    if (error instanceof WorldError) throw error;
    throw new WorldError(described(error), { cause: error });
  }
}

function checked(messages: readonly Message[], where: string): Message[] {
  if (!Array.isArray(messages))
    throw new WorldError(`the session's ${where} gave ${typeof messages}, expected a list of messages`);
  for (const message of messages as readonly Message[])
    if (typeof message?.content !== "string")
      throw new WorldError(`the session's ${where} gave a message without text`);
  return [...messages];
}
