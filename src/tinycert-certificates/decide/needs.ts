import { certificateRef, isSameAuthority, isSameCertificate } from '../../api/tinycert/identity.ts';
import { lackOf, secretHoldsCurrent } from '../../issuance/decide/readiness.ts';
import { renewalPlan } from '../../issuance/renewal/plan.ts';
import { firstOf } from '../../lib/first-of.ts';
import type { Reason } from '../../lib/reason.ts';
import type { Inputs } from '../context/inputs.ts';
import { certificateGone } from './certificate-gone.ts';
import { revokedButWanted } from './desired-status.ts';
import { revokedExternally, statusChangedAtCa } from './external-changes.ts';
import { openAttempt } from './open-attempt.ts';
import type { Need, Policy } from './types.ts';

/** The reason of a renewal for which no window opens in time. */
export const OUTSIDE_WINDOW = 'RenewalOutsideWindow';

/** The first need found wins. */
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

/** What the resource needs, or undefined if nothing. An open attempt comes before everything else. Pure. */
export function firstNeed(inputs: Inputs): Need | undefined {
  return openAttempt(inputs) ?? nextNeed(inputs);
}

/** What the resource needs apart from any open attempt. Pure. */
export function nextNeed(inputs: Inputs): Need | undefined {
  return firstOf(policies, inputs);
}

function neverIssued({ certificate: { status } }: Inputs): Need | undefined {
  if (status?.certificateId !== undefined) return undefined;
  if (status?.formerAccounts?.some(({ certificateId }) => certificateId !== undefined)) {
    return {
      remedy: 'issue',
      reason: 'IncorrectIssuer',
      message: 'The issuer now names another account than the one that issued the certificate.',
    };
  }
  return { remedy: 'issue', reason: 'DoesNotExist', message: 'No certificate has been issued yet.' };
}

function otherAuthority({ certificate: { status }, issuer }: Inputs): Need | undefined {
  if (!issuer?.ready || isSameAuthority(status, issuer.issuer.authority)) return undefined;
  const { account, authorityId } = issuer.issuer.authority;
  const now =
    status?.account === account ? `authority ${authorityId}` : `authority ${authorityId} of another account`;
  return {
    remedy: 'issue',
    reason: 'IncorrectIssuer',
    message: `The certificate was issued by authority ${status?.authorityId}; the issuer now names ${now}.`,
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
  const { status } = certificate;
  const { notAfter, certificateId, refusedFetches } = status ?? {};
  const plan = renewalPlan(certificate, now);
  if (notAfter === undefined || plan === undefined || plan.at > now) return undefined;
  const isExpired = Date.parse(notAfter) <= now;
  // The CA cannot reissue what it no longer has.
  const isGone = refusedFetches?.confirmed === true && isSameCertificate(refusedFetches, status);
  const remedy = isGone || certificate.spec.privateKey?.rotationPolicy === 'Always' ? 'issue' : 'renew';
  if (plan.isOutside && !isExpired) {
    return {
      remedy,
      reason: OUTSIDE_WINDOW,
      message: `No renewal window opens in time before certificate ${certificateId} expires at ${notAfter}; it is renewed outside the windows.`,
    };
  }
  return {
    remedy,
    reason: isExpired ? 'Expired' : 'Renewing',
    message: `Certificate ${certificateId} ${isExpired ? 'expired' : 'expires'} at ${notAfter} and is being renewed.`,
  };
}

/** A Secret that is gone is created again with the same certificate. */
function secretAbsent(inputs: Inputs): Need | undefined {
  const { certificate, secret } = inputs;
  if (secret.state !== 'absent') return undefined;
  return sameAgain(inputs, {
    reason: 'SecretMissing',
    message: `The Secret ${certificate.spec.secretName} does not exist; the certificate is fetched again.`,
  });
}

/** A Secret with other content gets the same certificate again. One that lacks a file or metadata is completed from its content. */
function secretChanged(inputs: Inputs): Need | undefined {
  const { certificate, secret } = inputs;
  const { spec } = certificate;
  if (secret.state === 'unchanged') return undefined;
  if (secret.state !== 'changed' || !secretHoldsCurrent({ certificate, secret })) {
    return sameAgain(inputs, {
      reason: 'SecretMismatch',
      message: `The Secret ${spec.secretName} does not hold the certificate; it is fetched again.`,
    });
  }
  const lack = lackOf(secret, spec);
  return lack
    ? { remedy: 'syncSecret', ...lack }
    : {
        remedy: 'updateStatus',
        reason: 'Ready',
        message: 'The Secret was changed and its content is correct.',
      };
}

/** The same certificate again, or another one if the CA no longer has it. */
function sameAgain(inputs: Inputs, why: Reason): Need {
  const gone = certificateGone(inputs, certificateRef(inputs.certificate.status));
  return gone ? { remedy: 'issue', ...gone } : { remedy: 'republish', ...why };
}
