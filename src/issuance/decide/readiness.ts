import type { Reason } from '../../lib/reason.ts';
import { fingerprintOf } from '../../x509/certificate.ts';
import type { ChangedSecret } from '../secret/certificate-secrets.ts';
import { expiryOf } from '../certificate-kind.ts';
import type { WantedCondition } from '../status/conditions.ts';
import type { CertificateInputs } from './inputs.ts';

type Facts = Pick<CertificateInputs, 'certificate' | 'secret' | 'specHash' | 'now'>;

/** The Ready condition of a certificate that is served and valid. */
export const READY: WantedCondition = {
  type: 'Ready',
  status: 'True',
  reason: 'Ready',
  message: 'The Secret holds a valid certificate for this spec.',
};

/** Whether a Secret that changed still holds the certificate that status names. */
export function secretHoldsCurrent({
  certificate: { status },
  secret,
}: Pick<Facts, 'certificate' | 'secret'>): boolean {
  if (secret.state !== 'changed' || !secret.content) return false;
  const { leaf } = secret.content;
  if (leaf.serialNumber !== status?.serialNumber || leaf.notAfter !== Date.parse(status.notAfter ?? ''))
    return false;
  return status.fingerprint === undefined || status.fingerprint === fingerprintOf(leaf);
}

/** What a Secret lacks whose content is the present certificate; undefined if nothing. */
export function lackOf(
  { hasOutputs, hasMetadata }: Pick<ChangedSecret, 'hasOutputs' | 'hasMetadata'>,
  { secretName }: Facts['certificate']['spec'],
): Reason | undefined {
  if (!hasOutputs) {
    return {
      reason: 'SecretMismatch',
      message: `The Secret ${secretName} holds the certificate in other files than the spec asks for; they are written again.`,
    };
  }
  if (hasMetadata) return undefined;
  return {
    reason: 'SecretManagedMetadataMismatch',
    message: `The Secret ${secretName} lacks labels or annotations of the operator.`,
  };
}

/** Whether the Secret holds an unexpired certificate for exactly this spec. A Secret that was only touched still does. */
export function servesSpec(facts: Facts): boolean {
  const { certificate, secret, specHash, now } = facts;
  if (secret.state !== 'unchanged' && !secretHoldsCurrent(facts)) return false;
  const expiry = expiryOf(certificate);
  return expiry !== undefined && expiry > now && certificate.status?.specHash === specHash;
}

/**
 * The conditions while a need is being met. Ready reports whether what is served now is right, whatever is under way;
 * `ready` is the Ready condition of what is served.
 */
export function working(isServed: boolean, why: Reason, ready = READY): WantedCondition[] {
  return [isServed ? ready : notReady(why), { type: 'Issuing', status: 'True', ...textOf(why) }];
}

/** The conditions after a failure, with the same parameters as `working`. */
export function failed(isServed: boolean, why: Reason, ready = READY): WantedCondition[] {
  return [isServed ? ready : notReady(why), { type: 'Issuing', status: 'False', ...textOf(why) }];
}

function notReady(why: Reason): WantedCondition {
  return { type: 'Ready', status: 'False', ...textOf(why) };
}

function textOf({ reason, message }: Reason): Reason {
  return { reason, message };
}
