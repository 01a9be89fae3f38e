import type { CertificateStatus } from '../../api/tinycert/certificate-status.ts';
import { secretHoldsCurrent } from '../../issuance/decide/readiness.ts';
import { renewalPlan } from '../../issuance/renewal/plan.ts';
import { firstOf } from '../../lib/first-of.ts';
import type { Reason } from '../../lib/reason.ts';
import type { Inputs } from '../context/inputs.ts';
import { certificateGone } from './certificate-gone.ts';
import { revokedButWanted } from './desired-status.ts';
import { statusChangedAtCa, revokedExternally } from './external-changes.ts';
import { openAttempt } from './open-attempt.ts';

/** What would bring the world to what the spec wants, and why. */
export type Need = Reason &
  (
    | { remedy: 'renew' | 'republish' | 'relabel' | 'settle' }
    /** `givesUp`: what was bought for an earlier spec, and becomes a former certificate. */
    | { remedy: 'issue' | 'close'; givesUp?: number }
    | { remedy: 'observe'; to: NonNullable<CertificateStatus['certificateStatus']> }
    | { remedy: 'follow'; candidates: readonly number[] }
    | { remedy: 'resume'; certificateId: number }
    | { remedy: 'recover'; quietAt: number }
  );

/** The reason of a renewal that no window was left for. */
export const OUTSIDE_WINDOW = 'RenewalOutsideWindow';

type Policy = (inputs: Inputs) => Need | undefined;

/** In this order: the first that finds something decides. */
const policies: readonly Policy[] = [
  statusChangedAtCa,
  neverIssued,
  otherAuthority,
  otherNames,
  revokedButWanted,
  revokedExternally,
  expiredOrDue,
  secretAbsent,
  secretChanged,
];

/** What is needed, or undefined if all is as it should be. An open attempt comes before everything. */
export function firstNeed(inputs: Inputs): Need | undefined {
  const open = openAttempt(inputs);
  if (open?.remedy !== 'close') return open ?? nextNeed(inputs);
  // What a status without its seal says of the present certificate is no reason to want nothing, nor to be sealed.
  const isWanted = inputs.sealed === false || nextNeed(inputs)?.remedy === 'issue';
  return isWanted ? { ...open, remedy: 'issue' } : open;
}

/** What is needed apart from any open attempt. */
export function nextNeed(inputs: Inputs): Need | undefined {
  return firstOf(policies, inputs);
}

function neverIssued({ certificate: { status } }: Inputs): Need | undefined {
  if (status?.certificateId !== undefined) return undefined;
  return { remedy: 'issue', reason: 'DoesNotExist', message: 'No certificate has been issued yet.' };
}

function otherAuthority({ certificate: { status }, issuer }: Inputs): Need | undefined {
  if (!issuer?.ready || status?.authorityId === issuer.issuer.authority.id) return undefined;
  return {
    remedy: 'issue',
    reason: 'IncorrectIssuer',
    message: `The certificate was issued by authority ${status?.authorityId}, the issuer now names ${issuer.issuer.authority.id}.`,
  };
}

function otherNames({ certificate: { status }, specHash }: Inputs): Need | undefined {
  if (status?.specHash === specHash) return undefined;
  return {
    remedy: 'issue',
    reason: 'RequestChanged',
    message: 'The spec asks for other names or another subject.',
  };
}

function expiredOrDue(inputs: Inputs): Need | undefined {
  const { certificate, now } = inputs;
  const { notAfter, certificateId } = certificate.status ?? {};
  const plan = renewalPlan(certificate, now);
  if (notAfter === undefined || plan === undefined || plan.at > now) return undefined;
  const isExpired = Date.parse(notAfter) <= now;
  const { attempt } = certificate.status ?? {};
  // What the CA no longer has cannot be reissued.
  const isGone = attempt?.outcome === 'NotFound' && attempt.previousId === certificateId;
  const remedy = isGone || certificate.spec.privateKey?.rotationPolicy === 'Always' ? 'issue' : 'renew';
  if (plan.isOutside && !isExpired) {
    return {
      remedy,
      reason: OUTSIDE_WINDOW,
      message: `No renewal window opens in time before certificate ${certificateId} expires at ${notAfter}; it is renewed outside of them.`,
    };
  }
  return {
    remedy,
    reason: isExpired ? 'Expired' : 'Renewing',
    message: `Certificate ${certificateId} ${isExpired ? 'expired' : 'expires'} at ${notAfter} and is being renewed.`,
  };
}

/** A Secret that is gone is made again, of the same certificate. */
export function secretAbsent(inputs: Inputs): Need | undefined {
  const { certificate, secret } = inputs;
  if (secret.state !== 'absent') return undefined;
  return again(inputs, {
    reason: 'SecretMissing',
    message: `The Secret ${certificate.spec.secretName} does not exist; the certificate is fetched again.`,
  });
}

/** A Secret that holds something else gets the same certificate again; one that lacks only metadata gets that. */
export function secretChanged(inputs: Inputs): Need | undefined {
  const { certificate, secret } = inputs;
  const { spec } = certificate;
  if (secret.state === 'unchanged') return undefined;
  if (secret.state !== 'changed' || !secretHoldsCurrent({ certificate, secret }) || !secret.held?.isPlain) {
    return again(inputs, {
      reason: 'SecretMismatch',
      message: `The Secret ${spec.secretName} does not hold the certificate; it is fetched again.`,
    });
  }
  return secret.hasMetadata
    ? { remedy: 'settle', reason: 'Ready', message: 'The Secret was touched and is sound.' }
    : {
        remedy: 'relabel',
        reason: 'SecretManagedMetadataMismatch',
        message: `The Secret ${spec.secretName} lacks labels or annotations of the operator.`,
      };
}

/** The same certificate again, or another one if the CA no longer has it. */
function again(inputs: Inputs, why: Reason): Need {
  const gone = certificateGone(inputs);
  return gone ? { remedy: 'issue', ...gone } : { remedy: 'republish', ...why };
}
