import { ApiError, isAlreadyExists, isConflict, isNotFound } from '../../kube/errors.ts';
import { secrets } from '../../kube/objects.ts';
import type { Reason } from '../../lib/reason.ts';
import { SECRET_ALTERED, SecretAltered } from './kept.ts';
import { trimEndOf } from '../../lib/text.ts';

/** The reason that reports a Secret which the API server does not let the operator write. */
export const SECRET_NOT_WRITTEN = 'SecretNotWritten';

/** The reasons of a Secret that the API server did not store as it was written. */
export const SECRET_FAULTS: ReadonlySet<string> = new Set([SECRET_NOT_WRITTEN, SECRET_ALTERED]);

const WRITES: ReadonlySet<string> = new Set(['POST', 'PATCH', 'PUT']);

/** A Secret that cannot be written, or that is stored otherwise than it was written. */
export type SecretFailure = ApiError | SecretAltered;

/**
 * Whether an error is the API server's refusal to write a Secret. A Secret that changed, appeared or went away since it was
 * read is none: the next decision starts from what is there now. Without an answer nobody knows what happened, and a status
 * would not arrive either.
 */
export function isSecretRefused(error: unknown): error is SecretFailure {
  if (error instanceof SecretAltered) return true;
  if (!(error instanceof ApiError) || error.status === 0) return false;
  if (isConflict(error) || isAlreadyExists(error) || isNotFound(error)) return false;
  return error.resource === secrets.plural && WRITES.has(error.verb);
}

/** What to report about a Secret that could not be written, and the cure. */
export function secretNotWritten(secretName: string, error: SecretFailure): Reason {
  if (error instanceof SecretAltered) return { reason: error.code, message: error.message };
  const { status, message } = error;
  const said = trimEndOf(message, '. ');
  return {
    reason: SECRET_NOT_WRITTEN,
    message: `The Secret ${secretName} could not be written: ${said}. ${cureFor(status)} The operator tries again by itself.`,
  };
}

function cureFor(status: number): string {
  if (status === 403)
    return 'Let the operator write it: check its role, quotas and the admission policies of the cluster.';
  if (status === 413 || status === 422) return 'Remove from the Secret what makes it invalid or too large.';
  return 'If this lasts, check the API server and its admission webhooks.';
}
