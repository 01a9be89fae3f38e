import { AppError, asError } from '../../src/lib/errors.ts';

/** The codes that a caller may branch on. */
export type ControlPlaneCode =
  | 'AssetsIncomplete'
  | 'BinariesMissing'
  | 'BuildFailed'
  | 'DownloadFailed'
  | 'RequestFailed'
  | 'StartFailed'
  | 'ProcessDied';

/** An error that keeps the control plane from running. `details` has lines for a person: what to do, or the end of a log. */
export class ControlPlaneError extends AppError {
  readonly details: readonly string[];

  constructor(
    code: ControlPlaneCode,
    message: string,
    details: readonly string[] = [],
    options?: ErrorOptions,
  ) {
    super(code, message, options);
    this.details = details;
  }
}

/** The text for a terminal: the message, then the details, then the causes. */
export function explain(thrown: unknown): string {
  const lines: string[] = [];
  for (let error: unknown = asError(thrown); error instanceof Error; error = error.cause) {
    lines.push(error.message);
    if (error instanceof ControlPlaneError) lines.push(...error.details.map((line) => `  ${line}`));
  }
  return lines.join('\n');
}
