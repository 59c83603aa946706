import type { Environment, Session, Task } from "../spec/environment.ts";
import { AttuneError } from "../spec/error.ts";
import type { Json } from "../spec/json.ts";
import { freeze } from "./task.ts";

/**
 * Checks an environment when it is defined, and each of its sessions when it is started, so that a mistake has a
 * name before an episode is played. Its tasks come out frozen. Throws `AttuneError`: `usage` for the definition,
 * `environment` for a session.
 */
export function defineEnvironment<Input extends Json>(environment: Environment<Input>): Environment {
  const { name, rewards } = environment;
  const refuse = (message: string): never => {
    throw new AttuneError("usage", `environment "${name}": ${message}`);
  };
  if (!/^[a-z0-9][a-z0-9-]*$/.test(name)) refuse("expected a name of lower-case letters, digits and dashes");
  if (Object.keys(rewards).length === 0) refuse("expected at least one reward component");
  for (const [component, { weight }] of Object.entries(rewards)) {
    if (!Number.isFinite(weight)) refuse(`reward "${component}": expected a finite weight, got ${weight}`);
  }
  if (!Object.values(rewards).some(({ weight }) => weight !== 0)) {
    refuse("every reward has weight 0: there is nothing to learn from");
  }
  for (const [player, expected] of Object.entries(environment.baselines ?? {})) {
    if (!Number.isFinite(expected))
      refuse(`baseline "${player}": expected a finite mean reward, got ${expected}`);
  }
  return {
    ...(environment as unknown as Environment),
    *tasks(query) {
      for (const task of environment.tasks(query)) yield freeze(task) as unknown as Task;
    },
    start(task, context) {
      const session = environment.start(task as Parameters<typeof environment.start>[0], context);
      return "then" in session ? session.then((late) => checked(name, late)) : checked(name, session);
    },
  };
}

/** The session; one that is not what it should be is closed and refused, which takes time only then. */
function checked(environment: string, session: Session): Session | Promise<never> {
  try {
    checkSession(environment, session);
    return session;
  } catch (error) {
    return (async () => {
      await session.close?.();
      throw error;
    })();
  }
}

function checkSession(environment: string, { messages, tools }: Session): void {
  const refuse = (message: string): never => {
    throw new AttuneError("environment", `environment "${environment}": ${message}`);
  };
  if (messages.length === 0) refuse("a session started without messages");
  const names = tools.map(({ name }) => name);
  const twice = names.find((name, index) => names.indexOf(name) !== index);
  if (twice) refuse(`tool "${twice}" is there twice`);
}
