import { isSameAuthority } from '../../api/tinycert/identity.ts';
import { expiryOf } from '../../issuance/certificate-kind.ts';
import { failed, READY, servesSpec, working } from '../../issuance/decide/readiness.ts';
import type { WantedCondition } from '../../issuance/status/conditions.ts';
import type { Reason } from '../../lib/reason.ts';
import type { Inputs } from '../context/inputs.ts';
import { heldOrRevoked, notListed } from './desired-status.ts';

/** What Ready and Issuing report of a certificate. Pure. */

/** Whether the Secret holds a valid certificate of the present authority for exactly this spec. */
export function isServed(inputs: Inputs): boolean {
  const { certificate, issuer } = inputs;
  if (!servesSpec(inputs) || heldOrRevoked(certificate)) return false;
  return !issuer?.ready || isSameAuthority(certificate.status, issuer.issuer.authority);
}

/** When Ready stops being true by itself, if it is true now: milliseconds since the epoch. Status has to change then. */
export function servedUntil(inputs: Inputs): number | undefined {
  return isServed(inputs) ? expiryOf(inputs.certificate) : undefined;
}

/** The conditions while a need is being met. */
export function workingConditions(inputs: Inputs, why: Reason): WantedCondition[] {
  return working(isServed(inputs), why);
}

/** The conditions after a failure. */
export function failedConditions(inputs: Inputs, why: Reason): WantedCondition[] {
  return failed(isServed(inputs), why);
}

/** The Ready condition of a certificate that needs nothing: it may have expired without a renewal, or be on hold. */
export function settledCondition(inputs: Inputs): WantedCondition {
  const { certificate, now } = inputs;
  const { certificateId, notAfter } = certificate.status ?? {};
  const expiry = expiryOf(certificate);
  if (expiry !== undefined && expiry <= now) {
    return {
      type: 'Ready',
      status: 'False',
      reason: 'Expired',
      message: `Certificate ${certificateId} expired at ${notAfter} and is not renewed.`,
    };
  }
  const unusable = heldOrRevoked(certificate);
  return unusable ? { type: 'Ready', status: 'False', ...unusable } : { ...READY, ...notListed(certificate) };
}

/** The conditions to write with a status that the CA lists: none where the next decision will report more than Ready. */
export function caStatusConditions(inputs: Inputs): WantedCondition[] {
  return isServed(inputs) || heldOrRevoked(inputs.certificate) ? [settledCondition(inputs)] : [];
}
