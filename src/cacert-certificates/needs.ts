import { firstOf } from '../lib/first-of.ts';
import { keySize } from '../api/cacert/effective.ts';
import { isCAcertAttemptOpen } from '../issuance/cacert/kind.ts';
import { MaterialError, type Material } from '../issuance/secret/check-material.ts';
import { renewalPlan } from '../issuance/renewal/plan.ts';
import { secretHoldsCurrent } from '../issuance/decide/readiness.ts';
import type { Reason } from '../lib/reason.ts';
import { X509Error } from '../x509/errors.ts';
import { checkCertificate, checkIssued } from './checks.ts';
import { boughtBy } from '../issuance/attempt/memory.ts';
import type { Inputs } from './inputs.ts';

/** What would bring the world to what the spec wants, and why. */
export type Need = Reason &
  (
    | { remedy: 'issue' | 'relabel' | 'settle' | 'takeUp' | 'forget' }
    /** What was signed for the pending key is there; `fault`: and it cannot be served. */
    | { remedy: 'publish'; material: Material; isLate: boolean }
    | { remedy: 'refuse'; certificate: string; fault: Reason }
    /** What was signed cannot be looked at yet, and stands nowhere but in this process. */
    | { remedy: 'keep'; certificate: string }
    /** Nothing of the attempt can happen any more from then on, on the monotonic clock, and nobody knows what did. */
    | { remedy: 'doubt'; quietAt: number }
  );

type Policy = (inputs: Inputs) => Need | undefined;

/** In this order: the first that finds something decides. */
const policies: readonly Policy[] = [
  answered,
  heldAlready,
  delivered,
  unresolved,
  neverIssued,
  otherSpec,
  expiredOrDue,
  secretAbsent,
  secretChanged,
  leftOver,
];

/** What is needed, or undefined if all is as it should be. */
export function firstNeed(inputs: Inputs): Need | undefined {
  return firstOf(policies, inputs);
}

/** What this process heard from CAcert itself, and nobody has stored yet. It comes before everything: nobody can ask for it again. */
function answered(inputs: Inputs): Need | undefined {
  const pem = boughtBy(inputs.attempt);
  if (pem === undefined) return undefined;
  const found = examine(inputs, pem);
  if (!found) return toBeKept(inputs, pem);
  if ('fault' in found) return toBeRefused(pem, found.fault);
  return {
    remedy: 'publish',
    material: found.material,
    isLate: false,
    reason: 'Issuing',
    message: 'CAcert has signed the certificate, which is being stored.',
  };
}

function toBeRefused(certificate: string, fault: Reason): Need {
  const { reason, message } = fault;
  return { remedy: 'refuse', certificate, fault, reason, message };
}

/** While the account is not ready nothing tells whether the answer is right; the process may end before it is. */
function toBeKept({ pending }: Inputs, certificate: string): Need | undefined {
  if (pending.state !== 'present' || pending.certificate !== undefined) return undefined;
  return {
    remedy: 'keep',
    certificate,
    reason: 'Issuing',
    message: 'CAcert has signed the certificate, which is checked once the account is ready.',
  };
}

/** The own Secret holds what the spec asks for, and status does not know: its write was lost, or the whole status. */
function heldAlready({ certificate, secret, account, now }: Inputs): Need | undefined {
  if (secret.state !== 'changed' || !secret.held || !account?.ready) return undefined;
  if (secretHoldsCurrent({ certificate, secret }) || !secret.held.isPlain) return undefined;
  const { leaf, key } = secret.held;
  const expected = { spec: certificate.spec, bundle: account.issuer.bundle, now };
  if (key.modulusBits !== keySize(certificate.spec) || !passes(() => checkCertificate(leaf, expected)))
    return undefined;
  return {
    remedy: 'takeUp',
    reason: 'Issuing',
    message: 'The Secret holds a certificate for this spec that status does not name yet.',
  };
}

/** What CAcert signed after the answer, as somebody who saw it in the web account has pasted it. */
function delivered(inputs: Inputs): Need | undefined {
  const { pending } = inputs;
  const pem = pending.state === 'present' ? pending.certificate : undefined;
  const found = pem === undefined ? undefined : examine(inputs, pem);
  if (!found || 'fault' in found) return undefined;
  // It is served, and only its Secret has not been removed.
  if (found.material.leaf.serialNumber === inputs.certificate.status?.serialNumber) return undefined;
  return {
    remedy: 'publish',
    material: found.material,
    isLate: true,
    reason: 'Issuing',
    message: 'The certificate has been put beside its key and is being stored.',
  };
}

/** An attempt without a result, of this process or of another: only who made it knows whether it was sent. */
function unresolved(inputs: Inputs): Need | undefined {
  const { certificate, attempt, pending, monotonic } = inputs;
  if (!attempt || !isCAcertAttemptOpen(certificate.status)) return undefined;
  // The answer is there, and waits for the account.
  if (boughtBy(attempt) !== undefined) return undefined;
  if (attempt.progress.is === 'unsent')
    return {
      remedy: 'issue',
      reason: 'Issuing',
      message: 'The last attempt was not sent and is made again.',
    };
  // Whoever got the answer has stored it, and ended before it was said that it is not what was asked for.
  const pem = pending.state === 'present' ? pending.certificate : undefined;
  const found = pem !== undefined && monotonic >= attempt.quietAt ? examine(inputs, pem) : undefined;
  if (pem !== undefined && found && 'fault' in found) return toBeRefused(pem, found.fault);
  return { remedy: 'doubt', quietAt: attempt.quietAt, ...UNCERTAIN };
}

const UNCERTAIN: Reason = {
  reason: 'IssuanceUncertain',
  message: 'CAcert was asked for a certificate and no answer is known.',
};

function neverIssued({ certificate: { status } }: Inputs): Need | undefined {
  if (status?.serialNumber !== undefined) return undefined;
  return { remedy: 'issue', reason: 'DoesNotExist', message: 'No certificate has been issued yet.' };
}

function otherSpec({ certificate: { status }, specHash }: Inputs): Need | undefined {
  if (status?.specHash === specHash) return undefined;
  return { remedy: 'issue', reason: 'RequestChanged', message: 'The spec asks for another certificate.' };
}

function expiredOrDue({ certificate, now }: Inputs): Need | undefined {
  const { notAfter, serialNumber } = certificate.status ?? {};
  const plan = renewalPlan(certificate, now);
  if (notAfter === undefined || plan === undefined || plan.at > now) return undefined;
  const isExpired = Date.parse(notAfter) <= now;
  return {
    remedy: 'issue',
    reason: isExpired ? 'Expired' : 'Renewing',
    message: `The certificate with the serial number ${serialNumber} ${isExpired ? 'expired' : 'expires'} at ${notAfter} and is being renewed.`,
  };
}

/** CAcert hands out a certificate once, so that what is gone can only be replaced. */
function secretAbsent({ certificate: { spec }, secret }: Inputs): Need | undefined {
  if (secret.state !== 'absent') return undefined;
  return {
    remedy: 'issue',
    reason: 'SecretMissing',
    message: `The Secret ${spec.secretName} does not exist; another certificate is asked for.`,
  };
}

function secretChanged({ certificate, secret }: Inputs): Need | undefined {
  if (secret.state !== 'changed') return undefined;
  const { secretName } = certificate.spec;
  if (!secretHoldsCurrent({ certificate, secret }) || !secret.held?.isPlain) {
    return {
      remedy: 'issue',
      reason: 'SecretMismatch',
      message: `The Secret ${secretName} does not hold the certificate; another one is asked for.`,
    };
  }
  return secret.hasMetadata
    ? { remedy: 'settle', reason: 'Ready', message: 'The Secret was touched and is sound.' }
    : {
        remedy: 'relabel',
        reason: 'SecretManagedMetadataMismatch',
        message: `The Secret ${secretName} lacks labels or annotations of the operator.`,
      };
}

/** The key is served with its certificate, and stands in a second place no longer. */
function leftOver({ certificate, pending }: Inputs): Need | undefined {
  if (pending.state !== 'present' || certificate.status?.attempt?.serialNumber === undefined)
    return undefined;
  return { remedy: 'forget', reason: 'Ready', message: 'The certificate of the pending key is served.' };
}

/** What there is to say of a certificate for the pending key; undefined while it cannot be told. */
export function examine(
  { pending, account, certificate, now }: Inputs,
  pem: string,
): { material: Material } | { fault: Reason } | undefined {
  if (pending.state !== 'present' || !account?.ready) return undefined;
  if (!pending.key) return { fault: KEY_LOST };
  const isAsked =
    pending.key.modulusBits === keySize(certificate.spec) &&
    pending.account === certificate.spec.accountRef.name;
  if (!isAsked) return { fault: REQUEST_CHANGED };
  const { bundle } = account.issuer;
  try {
    return { material: checkIssued(pem, pending.key, { spec: certificate.spec, bundle, now }) };
  } catch (error) {
    return { fault: faultOf(error) };
  }
}

const REQUEST_CHANGED: Reason = {
  reason: 'RequestChanged',
  message:
    'The spec asks for another size of the key, or another account, since the certificate was asked for.',
};

const KEY_LOST: Reason = {
  reason: 'PendingKeyLost',
  message: 'The private key of the certificate was removed or damaged by somebody.',
};

function passes(check: () => unknown): boolean {
  try {
    check();
    return true;
  } catch (error) {
    faultOf(error);
    return false;
  }
}

/** Rethrows what is no finding of a check. */
function faultOf(error: unknown): Reason {
  if (error instanceof MaterialError) return { reason: error.code, message: error.message };
  if (error instanceof X509Error)
    return { reason: error.code, message: `It cannot be read: ${error.message}.` };
  throw error;
}
