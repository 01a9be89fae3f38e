import { z } from 'zod';
import { conditions } from '../schema/conditions.ts';
import { integer, statusText, time } from '../schema/fields.ts';

/**
 * One try to issue or reissue, written before TinyCert is called. It stays after the certificate is there: it is open
 * until `status.certificateId` equals its `certificateId`, or until it has an `outcome`.
 */
const Attempt = z
  .object({
    number: integer('Counts the attempts of this resource, from 1.'),
    id: statusText('A random UUID; a write of the result is valid only while it is unchanged.', 36),
    operation: z
      .enum(['New', 'Reissue'])
      .describe('New asks for a certificate with a new key, Reissue for a fresh one with the same key.'),
    holder: statusText('The replica of the operator that made the attempt.'),
    startTime: time('When the attempt was made, with milliseconds.'),
    specHash: statusText(
      'Hash of the names and subject asked for; equal for specs that ask for the same.',
      80,
    ),
    previousId: integer('The certificate that a reissue starts from.').exactOptional(),
    afterId: integer(
      'The highest certificate id known of the authority before the attempt; what the attempt bought is above it.',
    ),
    commonName: statusText('The common name asked for.', 256),
    requestHash: statusText('Hash of all names and the whole subject that TinyCert is asked for.', 80),
    since: time(
      'Start of the first of the attempts in a row that this one continues, on TinyCert’s clock; what they bought is not older.',
    ),
    until: time('On TinyCert’s clock; what the attempt bought is most likely not younger.').exactOptional(),
    certificateId: integer('The id that TinyCert answered, or that a recovery took over.').exactOptional(),
    authorityId: integer('The authority that was asked.'),
    reason: statusText('Why a certificate was needed, in one word.', 128).exactOptional(),
    outcome: z
      .enum(['Refused', 'NotFound', 'Abandoned'])
      .describe(
        'Set when TinyCert certainly did not act: Refused, or NotFound when it no longer has the certificate to reissue. Abandoned when nothing more is wanted of it.',
      )
      .exactOptional(),
  })
  .describe(
    'The last try to issue or reissue. It is recorded before TinyCert is asked, so that nothing bought is lost.',
  );
export type Attempt = z.output<typeof Attempt>;

const PendingRevocation = z
  .object({
    certificateId: integer('The certificate to act on.'),
    action: z.enum(['Hold', 'Revoke']).describe('What to do with it.'),
    notBefore: time('Not before this moment, so that whoever uses the old certificate has reloaded.'),
  })
  .describe('A hold or revocation that is still to be done.');

/** `TinyCertCertificate.status`. Only the operator writes it. */
export const CertificateStatus = z
  .object({
    conditions: conditions(
      'Ready says whether the Secret holds a valid certificate for this spec; Issuing whether one is being obtained.',
    ).exactOptional(),
    certificateId: integer('TinyCert’s id of the certificate in the Secret.').exactOptional(),
    authorityId: integer('TinyCert’s id of the authority that signed it.').exactOptional(),
    certificateStatus: z
      .enum(['good', 'hold', 'revoked', 'expired', 'obsolete'])
      .describe('Status of the certificate at TinyCert when last looked at.')
      .exactOptional(),
    serialNumber: statusText('Serial number of the certificate, in hexadecimal.', 64).exactOptional(),
    notBefore: time('The certificate is valid from this moment on.').exactOptional(),
    notAfter: time('The certificate is valid until this moment.').exactOptional(),
    renewalTime: time('When the certificate will be renewed.').exactOptional(),
    revision: integer('Counts the certificates this resource has had, from 1.').exactOptional(),
    specHash: statusText(
      'Hash of the names and subject of the certificate in the Secret.',
      80,
    ).exactOptional(),
    attempt: Attempt.exactOptional(),
    failedAttempts: integer('Failed attempts in a row; absent after a success.').exactOptional(),
    lastFailureTime: time('When the last attempt failed; absent after a success.').exactOptional(),
    nextAttemptTime: time('Not before this moment will the operator try again.').exactOptional(),
    secretUID: statusText('UID of the Secret last written.', 64).exactOptional(),
    secretResourceVersion: statusText(
      'Resource version of the Secret last written or checked; while it is unchanged, so is the Secret.',
      64,
    ).exactOptional(),
    pendingRevocations: z
      .array(PendingRevocation)
      .max(100)
      .meta({
        description: 'Replaced certificates that are still to be held or revoked.',
        'x-kubernetes-list-type': 'map',
        'x-kubernetes-list-map-keys': ['certificateId'],
      })
      .exactOptional(),
    formerCertificateIds: z
      .array(integer('TinyCert’s id of a certificate.'))
      .max(20)
      .meta({
        description:
          'Earlier certificates of this resource, the newest 20. No other resource takes them over.',
        'x-kubernetes-list-type': 'atomic',
      })
      .exactOptional(),
    observedDesiredStatus: z
      .enum(['Good', 'Hold', 'Revoked'])
      .describe('The last desiredStatus that was carried out.')
      .exactOptional(),
    observedRenewRequest: statusText('The last request to renew that was carried out.').exactOptional(),
    restartedRevision: integer('The last revision that workloads were restarted for.').exactOptional(),
    seal: statusText(
      'Proof that the operator itself wrote the ids above; it never fetches a private key on the word of an unsealed status.',
      128,
    ).exactOptional(),
  })
  .describe('What the operator knows of the certificate.');
export type CertificateStatus = z.output<typeof CertificateStatus>;
