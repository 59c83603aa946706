/**
 * What Python would have raised, by the name of its class. The decoders and simulators throw it where the original
 * raises, and the caller turns it into the original's verdict; it never leaves this room. The message is what
 * `str(exception)` gives: for a `KeyError` that is the key as `repr` prints it.
 */
export class PythonError extends Error {
  readonly type: string;

  constructor(type: string, message: string) {
    super(message);
    this.name = "PythonError";
    this.type = type;
  }
}
