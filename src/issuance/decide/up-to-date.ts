import { NO_FAILURE } from '../attempt/retry-backoff.ts';
import { dueAt, type Renewable } from '../renewal/plan.ts';
import { isChecked, present } from '../secret/certificate-secrets.ts';
import { type RecordedSecret, recordedSecret } from '../secret/recorded.ts';
import { rfc3339, says, type WantedCondition } from '../status/conditions.ts';
import { idleConditions } from './blockers.ts';
import type { CertificateInputs } from './inputs.ts';

type Facts = Pick<
  CertificateInputs<Renewable & CertificateInputs['certificate']>,
  'certificate' | 'secret' | 'abandoned' | 'now'
>;

/** Whether the status of a certificate that needs nothing reports that: Ready as wanted, its Secret, and the time of its renewal. */
export function isUpToDate(facts: Facts, wanted: WantedCondition): boolean {
  const { metadata, status } = facts.certificate;
  const { change, conditions, removed } = upToDateStatus(facts, wanted);
  return (
    says(status?.conditions, conditions, { generation: metadata.generation, removed }) &&
    (change.secretGeneration === undefined || change.secretGeneration === status?.secretGeneration) &&
    status?.renewalTime === (change.renewalTime ?? undefined)
  );
}

/** The write that brings the status up to date. A Secret that lacks something is not recorded as one that was checked. */
export function upToDateStatus(
  { certificate, secret, abandoned, now }: Facts,
  wanted: WantedCondition,
): { change: UpToDateChange; conditions: WantedCondition[]; removed: string[] } {
  const due = dueAt({ certificate, now });
  const idle = idleConditions({ certificate, abandoned });
  const held = isChecked(secret) ? present(secret) : undefined;
  return {
    change: {
      ...(held ? recordedSecret(certificate, held.metadata) : {}),
      renewalTime: due === undefined ? null : rfc3339(due),
      ...NO_FAILURE,
    },
    conditions: [wanted, ...idle],
    removed: idle.length > 0 ? [] : ['Issuing'],
  };
}

interface UpToDateChange extends Partial<RecordedSecret> {
  renewalTime: string | null;
  failedAttempts: null;
  lastFailureTime: null;
  lastFailure: null;
  nextAttemptTime: null;
}
