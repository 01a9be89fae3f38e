import { holdsOwn } from '../../issuance/decide/readiness.ts';
import type { Reason } from '../../lib/reason.ts';
import { goneFor } from './certificate-gone.ts';
import type { Inputs } from '../context/inputs.ts';
import type { Need } from './needs.ts';

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
  if (secret.state !== 'changed' || !holdsOwn({ certificate, secret }) || !secret.held?.isPlain) {
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
  const gone = goneFor(inputs);
  return gone ? { remedy: 'issue', ...gone } : { remedy: 'republish', ...why };
}
