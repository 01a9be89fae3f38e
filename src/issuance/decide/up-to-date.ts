import { NO_FAILURE } from '../attempt/retry-backoff.ts';
import { present } from '../secret/certificate-secrets.ts';
import { conditionOf, rfc3339, type WantedCondition } from '../status/conditions.ts';
import type { CertificateInputs } from './inputs.ts';
import { idleConditions } from './blockers.ts';
import { dueAt, type Renewable } from '../renewal/plan.ts';

type Settled = Pick<CertificateInputs<Renewable & CertificateInputs['certificate']>, 'certificate' | 'now'>;

/** Whether the status of a certificate that needs nothing says so: Ready as wanted, and when it will be renewed. */
export function isUpToDate({ certificate, now }: Settled, wanted: WantedCondition): boolean {
  const { metadata, status } = certificate;
  const ready = conditionOf(status?.conditions, 'Ready');
  const due = dueAt({ certificate, now });
  return (
    ready?.status === wanted.status &&
    ready.reason === wanted.reason &&
    ready.observedGeneration === metadata.generation &&
    conditionOf(status?.conditions, 'Issuing')?.reason === idleConditions(certificate)[0]?.reason &&
    status?.renewalTime === (due === undefined ? undefined : rfc3339(due))
  );
}

/** The write that makes it so. */
export function upToDateStatus(
  inputs: Settled & Pick<CertificateInputs, 'secret'>,
  wanted: WantedCondition,
): { change: SettledChange; conditions: WantedCondition[]; removed: string[] } {
  const { certificate, secret } = inputs;
  const due = dueAt(inputs);
  const { uid, resourceVersion } = present(secret)?.metadata ?? {};
  return {
    change: {
      ...(uid === undefined ? {} : { secretUID: uid }),
      ...(resourceVersion === undefined ? {} : { secretResourceVersion: resourceVersion }),
      renewalTime: due === undefined ? null : rfc3339(due),
      ...NO_FAILURE,
    },
    conditions: [wanted, ...idleConditions(certificate)],
    removed: certificate.spec.suspend ? [] : ['Issuing'],
  };
}

interface SettledChange {
  secretUID?: string;
  secretResourceVersion?: string;
  renewalTime: string | null;
  failedAttempts: null;
  lastFailureTime: null;
  nextAttemptTime: null;
}
