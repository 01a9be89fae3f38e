import { expiryOf } from '../issuance/certificate-kind.ts';
import { READY, failed, servesSpec, working } from '../issuance/decide/readiness.ts';
import type { WantedCondition } from '../issuance/status/conditions.ts';
import type { Reason } from '../lib/reason.ts';
import type { Inputs } from './inputs.ts';

/** The Ready condition of a valid certificate in its Secret. Only a person can revoke it, so the message explains how. */
export const SERVED: WantedCondition = {
  ...READY,
  message:
    'The Secret holds a valid certificate for this spec, which can log in to the account until it expires. To revoke it, find its serial number in the web account (account.php?id=5).',
};

/** The conditions while a need is being met. */
export function workingConditions(inputs: Inputs, why: Reason): WantedCondition[] {
  return working(servesSpec(inputs), why, SERVED);
}

/** The conditions after a failed attempt, or while something blocks the need. */
export function failedConditions(inputs: Inputs, why: Reason): WantedCondition[] {
  return failed(servesSpec(inputs), why, SERVED);
}

/** The Ready condition of a certificate that needs nothing. It may have expired with its renewal disabled. */
export function settledCondition({ certificate, now }: Pick<Inputs, 'certificate' | 'now'>): WantedCondition {
  const expiry = expiryOf(certificate);
  if (expiry === undefined || expiry > now) return SERVED;
  const { serialNumber, notAfter } = certificate.status ?? {};
  return {
    type: 'Ready',
    status: 'False',
    reason: 'Expired',
    message: `The certificate with the serial number ${serialNumber} expired at ${notAfter} and is not renewed.`,
  };
}

/** When Ready turns false without any change, if it is true now. A certificate that waits must be reconciled then. */
export function servedUntil(inputs: Inputs): number | undefined {
  return servesSpec(inputs) ? expiryOf(inputs.certificate) : undefined;
}
