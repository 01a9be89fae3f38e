/**
 * An error with a stable code, on which callers branch instead of on its text. The message is a fixed sentence; variable
 * data goes into fields or `cause`.
 */
export class AppError extends Error {
  readonly code: string;

  constructor(code: string, message: string, options?: ErrorOptions) {
    super(message, options);
    this.name = new.target.name;
    this.code = code;
  }
}

/** An error that no retry can resolve: the reconcile waits for a change of its inputs instead of backing off. */
export class TerminalError extends AppError {}

/** A text of unknown origin, cut to `max` characters so it cannot flood a log line. */
export function clip(text: string, max = 256): string {
  return text.length <= max ? text : `${text.slice(0, max)}…`;
}

/** The thrown value as an Error. */
export function asError(thrown: unknown): Error {
  return thrown instanceof Error ? thrown : new Error(clip(String(thrown)));
}
