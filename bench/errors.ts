import { AppError } from '../src/lib/errors.ts';

/** The bench cannot continue. The message is for the person who started it; `details` are lines of a log. */
export class BenchError extends AppError {
  readonly details: readonly string[];

  constructor(message: string, details: readonly string[] = [], options?: ErrorOptions) {
    super('BenchFailed', message, options);
    this.details = details;
  }
}
