import type { Reason } from '../../lib/reason.ts';
import { expiryOf } from '../certificate-kind.ts';
import type { WantedCondition } from '../status/conditions.ts';
import type { CertificateInputs } from './inputs.ts';

type Seen = Pick<CertificateInputs, 'certificate' | 'secret' | 'specHash' | 'now'>;

/** The condition of a certificate that is served and valid. */
export const READY: WantedCondition = {
  type: 'Ready',
  status: 'True',
  reason: 'Ready',
  message: 'The Secret holds a valid certificate for this spec.',
};

/** Whether a Secret that changed still holds the certificate that status names, as far as its content tells. */
export function secretHoldsCurrent({
  certificate: { status },
  secret,
}: Pick<Seen, 'certificate' | 'secret'>): boolean {
  if (secret.state !== 'changed' || !secret.held) return false;
  const { serialNumber, notAfter } = secret.held.leaf;
  return serialNumber === status?.serialNumber && notAfter === Date.parse(status.notAfter ?? '');
}

/** Whether the Secret holds a certificate for this very spec that has not expired. A touched one that still does serves it. */
export function servesSpec(seen: Seen): boolean {
  const { certificate, secret, specHash, now } = seen;
  if (secret.state !== 'unchanged' && !secretHoldsCurrent(seen)) return false;
  const expiry = expiryOf(certificate);
  return expiry !== undefined && expiry > now && certificate.status?.specHash === specHash;
}

/** The conditions while a need is being met. Ready tells whether what is served now is right, whatever is done about tomorrow; `ready`: what it says then. */
export function working(isServed: boolean, why: Reason, ready = READY): WantedCondition[] {
  return [isServed ? ready : notReady(why), { type: 'Issuing', status: 'True', ...textOf(why) }];
}

/** The conditions after a try that failed. */
export function failed(isServed: boolean, why: Reason, ready = READY): WantedCondition[] {
  return [isServed ? ready : notReady(why), { type: 'Issuing', status: 'False', ...textOf(why) }];
}

function notReady(why: Reason): WantedCondition {
  return { type: 'Ready', status: 'False', ...textOf(why) };
}

function textOf({ reason, message }: Reason): Reason {
  return { reason, message };
}
