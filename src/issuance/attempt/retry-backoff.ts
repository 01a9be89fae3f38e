import { MAX_FAILURE_MESSAGE } from '../../api/schema/failure.ts';
import type { Reason } from '../../lib/reason.ts';
import { type BackoffOptions, backoffDelay } from '../../lib/backoff.ts';
import { rfc3339 } from '../status/conditions.ts';
import type { CertificateResource } from '../certificate-kind.ts';

/** After a failure of one certificate: 1 minute, doubling to 8 hours. */
export const RETRY_BACKOFF: BackoffOptions = { base: 60_000, max: 8 * 3_600_000, jitter: 0.1 };

/** The change of status after a failed attempt, and the wait before the next one. */
export interface AfterFailure {
  change: {
    failedAttempts: number;
    lastFailureTime: string;
    lastFailure: NonNullable<NonNullable<CertificateResource['status']>['lastFailure']>;
    nextAttemptTime: string | null;
  };
  /** Undefined if only another spec can help. */
  requeueAfterMs: number | undefined;
}

/** Counts a failure of this certificate, for the reason `why`. `isFinal`: only another spec can help. `leastMs`: the minimum wait. */
export function afterFailure(
  { metadata: { generation }, status }: Pick<CertificateResource, 'metadata' | 'status'>,
  now: number,
  { reason, message }: Reason,
  { isFinal = false, leastMs = 0 }: { isFinal?: boolean; leastMs?: number } = {},
): AfterFailure {
  const failedAttempts = (status?.failedAttempts ?? 0) + 1;
  const delay = isFinal ? undefined : Math.max(leastMs, backoffDelay(RETRY_BACKOFF, failedAttempts));
  return {
    change: {
      failedAttempts,
      lastFailureTime: rfc3339(now),
      lastFailure: {
        reason,
        message: message.slice(0, MAX_FAILURE_MESSAGE),
        ...(generation === undefined ? {} : { observedGeneration: generation }),
      },
      // Status has whole seconds: round up here and wait a second more, so that the time has come when the reconcile runs.
      nextAttemptTime: delay === undefined ? null : rfc3339(now + delay + 999),
    },
    requeueAfterMs: delay === undefined ? undefined : delay + 1_000,
  };
}

/** The change of status that clears past failures. */
export const NO_FAILURE = {
  failedAttempts: null,
  lastFailureTime: null,
  lastFailure: null,
  nextAttemptTime: null,
} as const;
