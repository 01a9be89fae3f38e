import type { CertificateSpec } from '../../api/tinycert/certificate-spec.ts';
import type { CertificateStatus } from '../../api/tinycert/certificate-status.ts';
import { durationMs } from '../../api/schema/duration.ts';
import { rfc3339 } from '../../issuance/status/conditions.ts';

/** As many as the schema allows. */
const MAX_PENDING = 100;
/** With more than these waiting, whatever waits does so no longer: the list must not grow over its bounds. */
const CROWDED = 50;

type Kept = Pick<CertificateStatus, 'pendingRevocations' | 'observedDesiredStatus'>;

/**
 * What a new certificate promises, to be written with its result so that no crash forgets it: the one that it replaced is
 * held or revoked later, as `onReplace` says and once whoever uses it has had time to reload. A reissue promises nothing,
 * since the CA has made the old one obsolete itself. A certificate that was just issued is good, as may be wanted.
 */
export function afterReplacement(
  spec: Pick<CertificateSpec, 'revocation' | 'desiredStatus'>,
  status: CertificateStatus | undefined,
  certificateId: number,
  now: number,
): Kept {
  const pending = pendingAfter(spec, status, certificateId, now);
  return {
    ...(pending ? { pendingRevocations: pending } : {}),
    ...(spec.desiredStatus === 'Good' && certificateId !== status?.certificateId
      ? { observedDesiredStatus: 'Good' }
      : {}),
  };
}

function pendingAfter(
  { revocation }: Pick<CertificateSpec, 'revocation'>,
  status: CertificateStatus | undefined,
  certificateId: number,
  now: number,
): CertificateStatus['pendingRevocations'] {
  const { certificateId: old, attempt, pendingRevocations = [] } = status ?? {};
  const { onReplace = 'None', delay = '1h' } = revocation ?? {};
  if (onReplace === 'None' || old === undefined || old === certificateId) return undefined;
  if (attempt?.operation === 'Reissue' && attempt.previousId === old) return undefined;
  const { certificateStatus } = status ?? {};
  if (certificateStatus === 'revoked' || certificateStatus === 'obsolete') return undefined;
  if (Date.parse(status?.notAfter ?? '') <= now) return undefined;
  const others = pendingRevocations.filter((pending) => pending.certificateId !== old);
  const isCrowded = others.length >= CROWDED;
  // Up to a second later, since status knows whole seconds.
  const notBefore = rfc3339(now + (isCrowded ? 0 : (durationMs(delay) ?? 0)) + 1000);
  const next = [...others, { certificateId: old, action: onReplace, notBefore }];
  const hurried = isCrowded
    ? next.map((pending) => (pending.notBefore > notBefore ? { ...pending, notBefore } : pending))
    : next;
  return hurried.slice(-MAX_PENDING);
}
