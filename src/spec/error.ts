/**
 * The one error that Attune raises on purpose. Its message is a single line that says what was got, what was
 * expected and where; the CLI prints it as it is. Anything else that reaches the CLI is a bug and is said to be one.
 */
export class AttuneError extends Error {
  /** What kind of mistake this is: `usage` is the caller's (exit code 2), every other kind is a failure (exit code 1). */
  readonly kind: AttuneErrorKind;

  constructor(kind: AttuneErrorKind, message: string, options?: { cause?: unknown }) {
    super(message, options);
    this.name = "AttuneError";
    this.kind = kind;
  }
}

export type AttuneErrorKind =
  | "usage" // unknown option, environment or command; a config that does not say what it must
  | "input" // a file, checkpoint or message from outside is not what it should be
  | "environment" // the world failed: not the policy's doing
  | "engine" // the trainer or sampler cannot go on: non-finite loss, prompt longer than the context
  | "no_learning" // a run that would train on nothing
  | "io"; // disk full, permission denied
