import type { Attempt } from '../../api/tinycert/certificate-status.ts';
import { isOpen } from '../../issuance/tinycert/attempt.ts';
import { certificateGone } from './certificate-gone.ts';
import type { Inputs } from '../context/inputs.ts';
import type { Need } from './needs.ts';

/**
 * An attempt without a result comes before everything, a changed spec too (`concludeFirst`): what it bought must be found
 * before more is bought.
 */
export function openAttempt(inputs: Inputs): Need | undefined {
  const { attempt: known, sealed } = inputs;
  const { status } = inputs.certificate;
  const attempt = status?.attempt;
  if (!attempt || !known || !isOpen(status)) return undefined;
  const isLate = isOutdated(attempt, inputs);
  // What this process heard itself is believed without a seal.
  const certificateId = known.bought ?? (sealed === false ? undefined : attempt.certificateId);
  if (certificateId !== undefined) {
    if (isLate) return { remedy: 'close', ...REQUEST_CHANGED, givesUp: certificateId };
    const gone = certificateGone(inputs, true);
    if (gone) return { remedy: 'issue', ...gone };
    return {
      remedy: 'resume',
      certificateId,
      reason: 'Issuing',
      message: `Certificate ${certificateId} is issued and is being fetched.`,
    };
  }
  if (known.unsent) {
    if (isLate) return { remedy: 'close', ...REQUEST_CHANGED };
    return {
      remedy: attempt.operation === 'New' ? 'issue' : 'renew',
      reason: 'Issuing',
      message: 'The last attempt was not sent and is made again.',
    };
  }
  return {
    remedy: 'recover',
    quietAt: known.quietAt,
    reason: 'Recovering',
    message: 'An attempt has no result; what came of it is looked up before another one is made.',
  };
}

/** Whether an attempt asked for something else than is wanted by now. */
export function isOutdated(
  attempt: Attempt,
  { specHash, issuer }: Pick<Inputs, 'specHash' | 'issuer'>,
): boolean {
  if (attempt.specHash !== specHash) return true;
  return issuer?.ready === true && attempt.authorityId !== issuer.issuer.authority.id;
}

/** Why what an outdated attempt bought is not served. */
export const REQUEST_CHANGED = {
  reason: 'RequestChanged',
  message: 'The spec changed while a certificate was asked for.',
} as const;

/** Why an attempt is made that replaces one which bought nothing that can be found. Always the same words. */
export const MADE_AGAIN = {
  reason: 'AttemptRepeated',
  message:
    'TinyCert was asked before and no certificate came of it that can be told to be this one; it is asked again.',
} as const;
