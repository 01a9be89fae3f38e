import { type CertificateRef, isSameAuthority, isSameCertificate } from '../../api/tinycert/identity.ts';
import { type Attempt, boughtIn } from '../../issuance/tinycert/attempt.ts';
import { mayBeSealed } from '../../issuance/tinycert/seal.ts';
import type { Reason } from '../../lib/reason.ts';
import type { Inputs } from '../context/inputs.ts';
import { certificateGone } from './certificate-gone.ts';
import type { Need } from './types.ts';

/**
 * The need that an attempt without a result creates. It comes before every other, a changed spec included
 * (`concludeFirst`): what it bought has to be found before more is bought.
 */
export function openAttempt(inputs: Inputs): Need | undefined {
  const { attempt: open } = inputs;
  if (!open) return undefined;
  const { attempt, progress } = open;
  const outdated = whyOutdated(attempt, inputs);
  const bought = boughtIn(open);
  if (bought) {
    if (isServedAlready(bought, inputs)) return { remedy: 'close', ...SUPERSEDED };
    if (outdated === REQUEST_CHANGED && isHeld(bought, inputs))
      return { remedy: 'take', ...outdated, bought };
    if (outdated) return { remedy: 'close', ...outdated, givesUp: bought };
    const gone = certificateGone(inputs, bought, { isNew: true });
    if (gone) return { remedy: 'issue', ...gone, givesUp: bought };
    return {
      remedy: 'resume',
      bought,
      reason: 'Issuing',
      message: `Certificate ${bought.certificateId} is issued and is being fetched.`,
    };
  }
  if (progress.is === 'unsent') {
    if (outdated) return { remedy: 'close', ...outdated };
    return {
      remedy: attempt.operation === 'New' ? 'issue' : 'renew',
      reason: 'Issuing',
      message: 'The last attempt was not sent; it is made again.',
    };
  }
  return {
    remedy: 'recover',
    quietAt: open.quietAt,
    reason: 'Recovering',
    message: 'An attempt has no result; the operator finds out what it bought before it makes another one.',
  };
}

/**
 * Whether the resource's own Secret seems to hold what its attempt bought: the process died before it wrote the result. What is
 * served belongs into status, so that it is replaced like any other, whatever the spec asks for by now (`heldNotGivenUp`). But
 * if the spec asks again for what status has, that is served again without a purchase.
 */
function isHeld(bought: CertificateRef, inputs: Inputs): boolean {
  const { certificate, secret, sealed, specHash, issuer } = inputs;
  const { status } = certificate;
  if (secret.state !== 'changed' || !issuer?.ready || !mayBeSealed(sealed, status)) return false;
  const { authority } = issuer.issuer;
  if (status?.specHash === specHash && isSameAuthority(status, authority)) return false;
  return isSameAuthority(bought, authority) && isSameCertificate(bought, secret.content?.claimed);
}

/** Whether the status has a certificate under its seal. Without the seal anybody may have written that it has (`sealed`). */
export function isServedAlready(
  bought: CertificateRef,
  { sealed, certificate }: Pick<Inputs, 'sealed' | 'certificate'>,
): boolean {
  return sealed === true && isSameCertificate(bought, certificate.status);
}

/** Whether what an attempt buys is not what the resource needs by now. */
export function isOutdated(
  attempt: Attempt,
  inputs: Pick<Inputs, 'specHash' | 'issuer' | 'certificate' | 'sealed'>,
): boolean {
  return whyOutdated(attempt, inputs) !== undefined;
}

/**
 * Why what an attempt buys is not what the resource needs by now: it asks for something else, or has had its certificate from
 * another attempt meanwhile (`reachedDropped`).
 */
function whyOutdated(
  attempt: Attempt,
  { specHash, issuer, certificate, sealed }: Pick<Inputs, 'specHash' | 'issuer' | 'certificate' | 'sealed'>,
): Reason | undefined {
  if (attempt.specHash !== specHash) return REQUEST_CHANGED;
  if (issuer?.ready && !isSameAuthority(attempt, issuer.issuer.authority)) return REQUEST_CHANGED;
  const { status } = certificate;
  const isReached =
    sealed === true &&
    (status?.revision ?? 0) >= attempt.revision &&
    status?.specHash === attempt.specHash &&
    isSameAuthority(status, attempt);
  return isReached ? SUPERSEDED : undefined;
}

/** Why the purchase of an outdated attempt is not served. */
export const REQUEST_CHANGED = {
  reason: 'RequestChanged',
  message: 'The spec changed while a certificate was being requested.',
} as const;

/** Why the purchase of an attempt is not served that another one has overtaken. */
export const SUPERSEDED = {
  reason: 'Superseded',
  message: 'The resource has its certificate from another attempt by now.',
} as const;

/** Why an attempt replaces one whose purchase cannot be found. The words never change. */
export const MADE_AGAIN = {
  reason: 'AttemptRepeated',
  message:
    'TinyCert was asked before, and no certificate can be identified as the result; it is asked again.',
} as const;
