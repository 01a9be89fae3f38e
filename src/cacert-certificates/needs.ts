import { firstOf } from '../lib/first-of.ts';
import type { SecretSource } from '../issuance/secret/outputs.ts';
import { renewalPlan } from '../issuance/renewal/plan.ts';
import { lackOf, secretHoldsCurrent } from '../issuance/decide/readiness.ts';
import type { Reason } from '../lib/reason.ts';
import { examine, examineBeside, faultBeside, hasFilesOf, sourceInSecret } from './examine.ts';
import { boughtBy } from '../issuance/attempt/open-attempts.ts';
import type { Inputs } from './inputs.ts';
import { certificateBeside } from './pending-keys.ts';

/** What has to be done to match the spec, and why. */
export type Need = Reason &
  (
    | { remedy: 'issue' | 'updateStatus' | 'forget' }
    /** The Secret holds the certificate; `source` is set if its files have to be written again. */
    | { remedy: 'syncSecret' | 'adopt'; source: SecretSource | undefined }
    /** The certificate for the pending key is there and can be served. */
    | { remedy: 'publish'; source: SecretSource; isLate: boolean }
    /** It is there and must not be served. */
    | { remedy: 'refuse'; certificate: string; fault: Reason }
    /** It cannot be checked yet, and only this process has it. */
    | { remedy: 'keep'; certificate: string }
    /** The outcome of the attempt is unknown. From `quietAt` on the monotonic clock, nothing more can happen to it. */
    | { remedy: 'recordUncertain'; quietAt: number }
  );

type Policy = (inputs: Inputs) => Need | undefined;

/** The first policy that finds a need decides. */
const policies: readonly Policy[] = [
  answered,
  adoptable,
  delivered,
  unresolved,
  neverIssued,
  otherSpec,
  expiredOrDue,
  secretAbsent,
  secretChanged,
  leftOver,
];

/** What is needed, or undefined if nothing is. */
export function firstNeed(inputs: Inputs): Need | undefined {
  return firstOf(policies, inputs);
}

/** This process has CAcert's answer and it is not stored yet. It comes first: CAcert never gives the same answer again. */
function answered(inputs: Inputs): Need | undefined {
  const pem = boughtBy(inputs.attempt);
  if (pem === undefined) return undefined;
  const examined = examine(inputs, pem);
  if (!examined) return toBeKept(inputs, pem);
  if ('fault' in examined) return toBeRefused(pem, examined.fault);
  return {
    remedy: 'publish',
    source: examined.source,
    isLate: false,
    reason: 'Issuing',
    message: 'CAcert has signed the certificate; it is being stored.',
  };
}

function toBeRefused(certificate: string, fault: Reason): Need {
  const { reason, message } = fault;
  return { remedy: 'refuse', certificate, fault, reason, message };
}

/** Nothing can check the answer until the account is ready, and the process may end before that. */
function toBeKept({ pending }: Inputs, certificate: string): Need | undefined {
  if (pending.state !== 'present' || pending.certificate !== undefined) return undefined;
  return {
    remedy: 'keep',
    certificate,
    reason: 'Issuing',
    message: 'CAcert has signed the certificate; it is checked once the account is ready.',
  };
}

/** The resource's own Secret holds what the spec asks for and status does not name it: that write was lost, or the whole status was. */
function adoptable(inputs: Inputs): Need | undefined {
  const { secret } = inputs;
  const source = secretHoldsCurrent(inputs) ? undefined : sourceInSecret(inputs);
  if (secret.state !== 'changed' || !source) return undefined;
  return {
    remedy: 'adopt',
    source: hasFilesOf(secret, source) ? undefined : source,
    reason: 'Issuing',
    message: 'The Secret holds a certificate for this spec that status does not name yet.',
  };
}

/** A certificate beside the pending key that somebody took from the web account, or that an earlier process kept. */
function delivered(inputs: Inputs): Need | undefined {
  const examined = examineBeside(inputs);
  if (!examined || 'fault' in examined) return undefined;
  // It is served already; only the pending Secret is left to delete.
  if (examined.source.leaf.serialNumber === inputs.certificate.status?.serialNumber) return undefined;
  return {
    remedy: 'publish',
    source: examined.source,
    isLate: true,
    reason: 'Issuing',
    message: 'The certificate has been put beside its key and is being stored.',
  };
}

/** An attempt of this process or another one without a result. Only the process that made it knows whether it was sent. */
function unresolved(inputs: Inputs): Need | undefined {
  const { attempt, pending, monotonic } = inputs;
  if (!attempt) return undefined;
  // The answer is there, and waits for the account; or it came when its key had been removed.
  if (boughtBy(attempt) !== undefined)
    return pending.state === 'present'
      ? undefined
      : { remedy: 'recordUncertain', quietAt: monotonic, ...UNCERTAIN };
  if (attempt.progress.is === 'unsent')
    return {
      remedy: 'issue',
      reason: 'Issuing',
      message: 'The last attempt was not sent; it is made again.',
    };
  // The process that got the answer stored it and ended before it recorded that the answer is not what was asked for.
  const pem = certificateBeside(pending);
  const fault = monotonic >= attempt.quietAt ? faultBeside(inputs) : undefined;
  if (pem !== undefined && fault) return toBeRefused(pem, fault);
  return { remedy: 'recordUncertain', quietAt: attempt.quietAt, ...UNCERTAIN };
}

const UNCERTAIN: Reason = {
  reason: 'IssuanceUncertain',
  message: 'CAcert was asked for a certificate, and its answer is unknown.',
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

/** CAcert delivers a certificate once, so a lost one can only be replaced. */
function secretAbsent({ certificate: { spec }, secret }: Inputs): Need | undefined {
  if (secret.state !== 'absent') return undefined;
  return {
    remedy: 'issue',
    reason: 'SecretMissing',
    message: `The Secret ${spec.secretName} does not exist; the operator asks for another certificate.`,
  };
}

/**
 * Other content can only be replaced. The right content is completed: with its metadata, and with the files and the chain
 * that belong to it. If the bundle no longer has that chain, the one in the Secret stays.
 */
function secretChanged(inputs: Inputs): Need | undefined {
  const { certificate, secret } = inputs;
  if (secret.state !== 'changed') return undefined;
  const { spec } = certificate;
  const source = sourceInSecret(inputs);
  if (!secretHoldsCurrent(inputs) || !(source ?? secret.hasOutputs)) {
    return {
      remedy: 'issue',
      reason: 'SecretMismatch',
      message: `The Secret ${spec.secretName} does not hold the certificate; the operator asks for another one.`,
    };
  }
  const hasOutputs = source ? hasFilesOf(secret, source) : true;
  const lack = lackOf({ hasOutputs, hasMetadata: secret.hasMetadata }, spec);
  return lack
    ? { remedy: 'syncSecret', source: hasOutputs ? undefined : source, ...lack }
    : {
        remedy: 'updateStatus',
        reason: 'Ready',
        message: 'The Secret was changed and its content is correct.',
      };
}

/** The certificate's Secret holds the key, so the copy in the pending Secret is not needed. */
function leftOver({ certificate: { status }, pending, hasJournal, attempt }: Inputs): Need | undefined {
  const isServed = status?.serialNumber !== undefined && status.unserved === undefined;
  if (pending.state !== 'present' || !isServed || !hasJournal || attempt) return undefined;
  return { remedy: 'forget', reason: 'Ready', message: 'The certificate of the pending key is served.' };
}
