import { AppError, asError } from '../../src/lib/errors.ts';

/** The codes that a caller may branch on. */
export type ImageCode = 'NoEngine' | 'ToolMissing' | 'CommandFailed' | 'ArchiveInvalid' | 'OptionInvalid';

/** An error that a person has to act on. `details` has what to do, or the end of a program's output. */
export class ImageError extends AppError {
  readonly details: readonly string[];

  constructor(code: ImageCode, message: string, details: readonly string[] = [], options?: ErrorOptions) {
    super(code, message, options);
    this.details = details;
  }
}

/** The text for a terminal: the message, then the details. */
export function explain(thrown: unknown): string {
  const error = asError(thrown);
  const details = error instanceof ImageError ? error.details : [];
  return [error.message, ...details.map((line) => `  ${line}`)].join('\n');
}
