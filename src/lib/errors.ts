/**
 * Errors that carry a stable code, so that callers branch on data and not on texts.
 * Messages are fixed sentences; what varies goes into fields or `cause`.
 */
export class AppError extends Error {
  readonly code: string;

  constructor(code: string, message: string, options?: ErrorOptions) {
    super(message, options);
    this.name = new.target.name;
    this.code = code;
  }
}

/** An error that no retry can mend: the reconcile waits for a change of its inputs instead of backing off. */
export class TerminalError extends AppError {}

/** Text of unknown origin, cut so that it cannot flood a log line. */
export function clip(text: string, max = 256): string {
  return text.length <= max ? text : `${text.slice(0, max)}…`;
}

/** Whatever was thrown, as an Error. */
export function asError(thrown: unknown): Error {
  return thrown instanceof Error ? thrown : new Error(clip(String(thrown)));
}
