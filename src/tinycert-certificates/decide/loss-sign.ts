import { BUY_AT_ONCE_ANNOTATION } from '../../api/names.ts';
import type { CertificateStatus } from '../../api/tinycert/certificate-status.ts';
import { type CertificateRef, isSameAuthority } from '../../api/tinycert/identity.ts';
import { MAX_CLOCK_SKEW_MS } from '../../issuance/clock-skew.ts';
import type { Blocker } from '../../issuance/decide/inputs.ts';
import { rfc3339 } from '../../issuance/status/conditions.ts';
import type { Inputs } from '../context/inputs.ts';
import type { Need } from './types.ts';

/** How often a resource that waits looks whether something else has claimed what it may have lost. */
export const UNCLAIMED_RECHECK_MS = 60_000;
/** The most ids in a message. */
const MAX_NAMED = 5;
/** The maximum in the schema. */
const MAX_NOTED = 10;

type Facts = Pick<Inputs, 'certificate' | 'lossSign' | 'unclaimedWaitMs' | 'now'>;

/**
 * What a resource seems to have bought and lost with its status is not bought again at once: whoever put back a backup may still put
 * back the rest, and a person may know better (docs/adr/0022-sign-of-a-loss.md). A resource that has a certificate never
 * waits for that. Pure.
 */
export function statusMayBeLost(inputs: Facts, { remedy }: Pick<Need, 'remedy'>): Blocker | undefined {
  const { certificate, lossSign, unclaimedWaitMs, now } = inputs;
  if (lossSign.is !== 'unclaimed' || remedy !== 'issue') return undefined;
  const { metadata, status } = certificate;
  if (metadata.annotations?.[BUY_AT_ONCE_ANNOTATION] === 'true') return undefined;
  const { certificates } = lossSign;
  // In whole seconds, as status has it, so that the next decision reports the same.
  const since = waitsSince(status, certificates, now) ?? Math.floor(now / 1000) * 1000;
  const until = since + Math.ceil(unclaimedWaitMs / 1000) * 1000;
  if (until <= now) return undefined;
  const noted = { since: rfc3339(since), certificates: certificates.slice(0, MAX_NOTED) };
  return {
    reason: 'UnclaimedCertificates',
    message: messageOf(certificate, certificates, until),
    wakeBy: 'time',
    until: Math.min(until, now + UNCLAIMED_RECHECK_MS),
    change: { unclaimedCertificates: noted } satisfies CertificateStatus,
  };
}

/** Since when the resource waits for certificates of this authority, by its status; undefined for a time that cannot be. */
function waitsSince(
  { unclaimedCertificates: noted }: CertificateStatus = {},
  [first]: readonly CertificateRef[],
  now: number,
): number | undefined {
  const since = Date.parse(noted?.since ?? '');
  if (!noted?.certificates.some((each) => isSameAuthority(each, first))) return undefined;
  return since <= now + MAX_CLOCK_SKEW_MS ? Math.min(since, now) : undefined;
}

function messageOf(
  { metadata: { name, namespace } }: Facts['certificate'],
  certificates: readonly CertificateRef[],
  until: number,
): string {
  const ids = certificates.slice(0, MAX_NAMED).map(({ certificateId }) => certificateId);
  const more = certificates.length - ids.length;
  const named = more > 0 ? `${ids.join(', ')} and ${more} more` : ids.join(', ');
  return `TinyCert has good certificates for exactly these names that were issued after this resource was made, and no resource claims them: ${named}. The status of this resource may have been lost, for example with a backup that was put back. If you have the Secret of one of them, put it back, and the operator adopts it. Otherwise another certificate is bought at ${rfc3339(until)}. To buy it at once: kubectl annotate tinycertcertificate ${name} --namespace ${namespace} ${BUY_AT_ONCE_ANNOTATION}=true`;
}
