import type { Attempt } from '../../api/tinycert/certificate-status.ts';
import { type CertificateRef, certificateRef, isSameAuthority } from '../../api/tinycert/identity.ts';
import { boughtBy } from '../../issuance/attempt/memory.ts';
import { isOpen } from '../../issuance/tinycert/attempt.ts';
import type { Inputs } from '../context/inputs.ts';
import { certificateGone } from './certificate-gone.ts';
import type { Need } from './types.ts';

/**
 * The need that an attempt without a result creates. It comes before every other, a changed spec included
 * (`concludeFirst`): what it bought has to be found before more is bought.
 */
export function openAttempt(inputs: Inputs): Need | undefined {
  const { attempt: known } = inputs;
  const { status } = inputs.certificate;
  const attempt = status?.attempt;
  if (!attempt || !known || !isOpen(status)) return undefined;
  const isLate = isOutdated(attempt, inputs);
  const bought = boughtIn(inputs);
  if (bought) {
    if (isLate) return { remedy: 'close', ...REQUEST_CHANGED, givesUp: bought };
    const gone = certificateGone(inputs, bought, { isNew: true });
    if (gone) return { remedy: 'issue', ...gone, givesUp: bought };
    return {
      remedy: 'resume',
      bought,
      reason: 'Issuing',
      message: `Certificate ${bought.certificateId} is issued and is being fetched.`,
    };
  }
  if (known.progress.is === 'unsent') {
    if (isLate) return { remedy: 'close', ...REQUEST_CHANGED };
    return {
      remedy: attempt.operation === 'New' ? 'issue' : 'renew',
      reason: 'Issuing',
      message: 'The last attempt was not sent; it is made again.',
    };
  }
  return {
    remedy: 'recover',
    quietAt: known.quietAt,
    reason: 'Recovering',
    message: 'An attempt has no result; the operator finds out what it bought before it makes another one.',
  };
}

/** The certificate that an open attempt bought. What this process heard from the CA itself needs no seal. */
function boughtIn({ attempt: known, sealed, certificate }: Inputs): CertificateRef | undefined {
  return boughtBy(known) ?? (sealed === false ? undefined : certificateRef(certificate.status?.attempt));
}

/** Whether an attempt asked for something else than the resource wants by now. */
export function isOutdated(
  attempt: Attempt,
  { specHash, issuer }: Pick<Inputs, 'specHash' | 'issuer'>,
): boolean {
  if (attempt.specHash !== specHash) return true;
  return issuer?.ready === true && !isSameAuthority(attempt, issuer.issuer.authority);
}

/** Why the purchase of an outdated attempt is not served. */
export const REQUEST_CHANGED = {
  reason: 'RequestChanged',
  message: 'The spec changed while a certificate was being requested.',
} as const;

/** Why an attempt replaces one whose purchase cannot be found. The words never change. */
export const MADE_AGAIN = {
  reason: 'AttemptRepeated',
  message:
    'TinyCert was asked before, and no certificate can be identified as the result; it is asked again.',
} as const;
