import type { CertificateSpec } from '../../api/tinycert/certificate-spec.ts';
import type { CertificateStatus } from '../../api/tinycert/certificate-status.ts';
import { type CertificateRef, certificateRef, isSameCertificate } from '../../api/tinycert/identity.ts';
import { durationMs } from '../../api/schema/duration.ts';
import { type Attempt, previousOf } from '../../issuance/tinycert/attempt.ts';
import { rfc3339 } from '../../issuance/status/conditions.ts';

/** The schema's limit. */
const MAX_PENDING = 100;
/** With this many pending, none waits any longer, so that the list stays within its limit. */
const CROWDED = 50;

type Change = Pick<CertificateStatus, 'pendingRevocations' | 'observedDesiredStatus'>;

/**
 * What a new certificate adds to status, written with its result so that no crash loses it: the certificate it replaced is
 * held or revoked later, as `onReplace` asks, once consumers have had time to reload. A reissue adds nothing, since the CA
 * has made the old certificate obsolete itself. A new certificate is good, which may be what `desiredStatus` asks for. `attempt`:
 * the one that the certificate came of, if it came of one.
 */
export function afterReplacement(
  spec: Pick<CertificateSpec, 'revocation' | 'desiredStatus'>,
  status: CertificateStatus | undefined,
  certificate: CertificateRef,
  { now, attempt }: { now: number; attempt?: Attempt | undefined },
): Change {
  const pending = pendingAfter(spec, status, certificate, { now, attempt });
  return {
    ...(pending ? { pendingRevocations: pending } : {}),
    ...(spec.desiredStatus === 'Good' && !isSameCertificate(certificate, status)
      ? { observedDesiredStatus: 'Good' }
      : {}),
  };
}

function pendingAfter(
  { revocation }: Pick<CertificateSpec, 'revocation'>,
  status: CertificateStatus | undefined,
  certificate: CertificateRef,
  { now, attempt }: { now: number; attempt: Attempt | undefined },
): CertificateStatus['pendingRevocations'] {
  const { pendingRevocations = [] } = status ?? {};
  const old = certificateRef(status);
  const { onReplace = 'None', delay = '1h' } = revocation ?? {};
  if (onReplace === 'None' || !old || isSameCertificate(old, certificate)) return undefined;
  if (attempt?.operation === 'Reissue' && isSameCertificate(previousOf(attempt), old)) return undefined;
  const { certificateStatus } = status ?? {};
  if (certificateStatus === 'revoked' || certificateStatus === 'obsolete') return undefined;
  if (Date.parse(status?.notAfter ?? '') <= now) return undefined;
  const others = pendingRevocations.filter((pending) => !isSameCertificate(pending, old));
  const isCrowded = others.length >= CROWDED;
  // Status has whole seconds, so it may be up to a second later.
  const notBefore = rfc3339(now + (isCrowded ? 0 : (durationMs(delay) ?? 0)) + 1000);
  const next = [...others, { ...old, action: onReplace, notBefore }];
  const due = isCrowded
    ? next.map((pending) => (pending.notBefore > notBefore ? { ...pending, notBefore } : pending))
    : next;
  return due.slice(-MAX_PENDING);
}
