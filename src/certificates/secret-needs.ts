import type { Inputs } from './inputs.ts';
import type { Need } from './needs.ts';

/** A Secret that is gone is made again, of the same certificate. */
export function secretAbsent({ certificate, secret }: Inputs): Need | undefined {
  if (secret.state !== 'absent') return undefined;
  return {
    remedy: 'republish',
    reason: 'SecretMissing',
    message: `The Secret ${certificate.spec.secretName} does not exist; the certificate is fetched again.`,
  };
}

/** A Secret that holds something else gets the same certificate again; one that lacks only metadata gets that. */
export function secretChanged({ certificate: { spec, status }, secret }: Inputs): Need | undefined {
  if (secret.state === 'unchanged') return undefined;
  const isSame =
    secret.state === 'changed' &&
    secret.held?.leaf.serialNumber === status?.serialNumber &&
    secret.held?.leaf.notAfter === Date.parse(status?.notAfter ?? '');
  if (!isSame) {
    return {
      remedy: 'republish',
      reason: 'SecretMismatch',
      message: `The Secret ${spec.secretName} does not hold the certificate; it is fetched again.`,
    };
  }
  return secret.hasMetadata
    ? { remedy: 'settle', reason: 'Ready', message: 'The Secret was touched and is sound.' }
    : {
        remedy: 'relabel',
        reason: 'SecretManagedMetadataMismatch',
        message: `The Secret ${spec.secretName} lacks labels or annotations of the operator.`,
      };
}
