import { type BackoffOptions, backoffDelay } from '../../lib/backoff.ts';
import { rfc3339 } from '../status/conditions.ts';
import type { CertificateResource } from '../certificate-kind.ts';

/** A fault of one certificate: 1 minute doubling to 8 hours. */
const OWN_FAULT: BackoffOptions = { base: 60_000, max: 8 * 3_600_000, jitter: 0.1 };

/** What a status says after a try that failed, and in how long the next one comes. */
export interface AfterFailure {
  change: { failedAttempts: number; lastFailureTime: string; nextAttemptTime: string | null };
  /** Undefined where the spec has to change first. */
  requeueAfterMs: number | undefined;
}

/** Counts a failure of a certificate's own. `isFinal`: nothing but another spec can help. `leastMs`: wait at least so long. */
export function afterFailure(
  { status }: Pick<CertificateResource, 'status'>,
  now: number,
  { isFinal = false, leastMs = 0 }: { isFinal?: boolean; leastMs?: number } = {},
): AfterFailure {
  const failedAttempts = (status?.failedAttempts ?? 0) + 1;
  const delay = isFinal ? undefined : Math.max(leastMs, backoffDelay(OWN_FAULT, failedAttempts));
  return {
    change: {
      failedAttempts,
      lastFailureTime: rfc3339(now),
      nextAttemptTime: delay === undefined ? null : rfc3339(now + delay + 999),
    },
    requeueAfterMs: delay === undefined ? undefined : delay + 1_000,
  };
}

/** No failure any more. */
export const NO_FAILURE = {
  failedAttempts: null,
  lastFailureTime: null,
  nextAttemptTime: null,
} as const;
