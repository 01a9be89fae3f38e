import { NO_FAILURE } from '../attempt/retry-backoff.ts';
import { dueAt, type Renewable } from '../renewal/plan.ts';
import { present } from '../secret/certificate-secrets.ts';
import { conditionOf, rfc3339, type WantedCondition } from '../status/conditions.ts';
import { idleConditions } from './blockers.ts';
import type { CertificateInputs } from './inputs.ts';

type Facts = Pick<
  CertificateInputs<Renewable & CertificateInputs['certificate']>,
  'certificate' | 'abandoned' | 'now'
>;

/** Whether the status of a certificate that needs nothing reports that: Ready as wanted, and the time of its renewal. */
export function isUpToDate({ certificate, abandoned, now }: Facts, wanted: WantedCondition): boolean {
  const { metadata, status } = certificate;
  const ready = conditionOf(status?.conditions, 'Ready');
  const due = dueAt({ certificate, now });
  return (
    ready?.status === wanted.status &&
    ready.reason === wanted.reason &&
    ready.observedGeneration === metadata.generation &&
    conditionOf(status?.conditions, 'Issuing')?.reason ===
      idleConditions({ certificate, abandoned })[0]?.reason &&
    status?.renewalTime === (due === undefined ? undefined : rfc3339(due))
  );
}

/** The write that brings the status up to date. */
export function upToDateStatus(
  inputs: Facts & Pick<CertificateInputs, 'secret'>,
  wanted: WantedCondition,
): { change: UpToDateChange; conditions: WantedCondition[]; removed: string[] } {
  const { secret } = inputs;
  const due = dueAt(inputs);
  const idle = idleConditions(inputs);
  const { uid, resourceVersion } = present(secret)?.metadata ?? {};
  return {
    change: {
      ...(uid === undefined ? {} : { secretUID: uid }),
      ...(resourceVersion === undefined ? {} : { secretResourceVersion: resourceVersion }),
      renewalTime: due === undefined ? null : rfc3339(due),
      ...NO_FAILURE,
    },
    conditions: [wanted, ...idle],
    removed: idle.length > 0 ? [] : ['Issuing'],
  };
}

interface UpToDateChange {
  secretUID?: string;
  secretResourceVersion?: string;
  renewalTime: string | null;
  failedAttempts: null;
  lastFailureTime: null;
  lastFailure: null;
  nextAttemptTime: null;
}
