import { z } from 'zod';
import { conditions } from '../schema/conditions.ts';
import { failureFields } from '../schema/failure.ts';
import { integer, statusText, time } from '../schema/fields.ts';
import { secretFields } from '../schema/secret-fields.ts';
import { AccountDigest, certificateFields, certificateListKeys } from './identity.ts';

const PendingRevocation = z
  .object({
    ...certificateFields,
    action: z.enum(['Hold', 'Revoke']).describe('What to do with the certificate.'),
    notBefore: time('Earliest time to do it, so that workloads can load the new certificate first.'),
  })
  .describe('A hold or revocation that is due or pending.');

/** What a seal covers: it determines which private key is fetched and what is revoked. All of it is of one account. */
const sealedFields = {
  account: AccountDigest.exactOptional(),
  authorityId: integer('TinyCert’s id of the authority that signed it.').exactOptional(),
  certificateId: integer('TinyCert’s id of the certificate in the Secret.').exactOptional(),
  attemptId: statusText(
    'Id of the attempt that the present certificate came of. Attempts without a result are in the operator’s journal.',
    36,
  ).exactOptional(),
  pendingRevocations: z
    .array(PendingRevocation)
    .max(100)
    .meta({
      description: 'Replaced certificates still to be put on hold or revoked, at most 100.',
      'x-kubernetes-list-type': 'map',
      'x-kubernetes-list-map-keys': certificateListKeys,
    })
    .exactOptional(),
  formerCertificates: z
    .array(z.object(certificateFields).describe('An earlier certificate.'))
    .max(20)
    .meta({
      description: 'Earlier certificates of this resource, the newest 20. No other resource adopts them.',
      'x-kubernetes-list-type': 'atomic',
    })
    .exactOptional(),
};

const FormerAccount = z
  .object({
    ...sealedFields,
    account: AccountDigest,
    serialNumber: statusText('Serial number of the certificate, in hexadecimal.', 64).exactOptional(),
    notAfter: time('When the certificate expires.').exactOptional(),
    revision: integer(
      'Number of certificates that the resource had had when it left the account.',
    ).exactOptional(),
    seal: statusText('HMACs that prove that the operator wrote this, as in `seal`.', 160).exactOptional(),
  })
  .describe('What the resource still has at an account that it no longer uses.');
export type FormerAccount = z.output<typeof FormerAccount>;

const RefusedFetches = z
  .object({
    ...certificateFields,
    count: integer('How often in a row TinyCert refused it.'),
    confirmed: z
      .boolean()
      .describe('Whether TinyCert’s details of the certificate said last time, too, that it does not exist.'),
  })
  .describe(
    'How often in a row TinyCert did not return a certificate that was to be fetched, or its key. Absent after it did.',
  );
export type RefusedFetches = z.output<typeof RefusedFetches>;

const UnclaimedCertificates = z
  .object({
    since: time('Since when the resource waits.'),
    certificates: z
      .array(z.object(certificateFields).describe('A certificate that no resource claims.'))
      .max(10)
      .meta({
        description: 'The newest 10 of these certificates.',
        'x-kubernetes-list-type': 'map',
        'x-kubernetes-list-map-keys': certificateListKeys,
      }),
  })
  .describe(
    'Certificates for exactly these names that were issued after this resource was made and that no resource claims: its status may have been lost. Absent once it has a certificate.',
  );

/** `TinyCertCertificate.status`. Only the operator writes it. */
export const CertificateStatus = z
  .object({
    ...sealedFields,
    conditions: conditions(
      'Conditions of the certificate. Ready: the Secret contains a valid certificate for this spec. Issuing: a certificate is being obtained.',
    ).exactOptional(),
    certificateStatus: z
      .enum(['good', 'hold', 'revoked', 'expired', 'obsolete'])
      .describe('Status of the certificate at TinyCert when it was last checked.')
      .exactOptional(),
    serialNumber: statusText('Serial number of the certificate, in hexadecimal.', 64).exactOptional(),
    notBefore: time('When the certificate becomes valid.').exactOptional(),
    notAfter: time('When the certificate expires.').exactOptional(),
    attemptTime: time(
      'When the attempt was made that the present certificate came of, by the operator’s clock. The certificate is not renewed before half of its time to renewal has passed since.',
    ).exactOptional(),
    renewalTime: time('When the certificate will be renewed.').exactOptional(),
    revision: integer('Number of certificates that this resource has had.').exactOptional(),
    specHash: statusText(
      'Hash of the names and subject of the certificate in the Secret.',
      80,
    ).exactOptional(),
    ...failureFields,
    refusedFetches: RefusedFetches.exactOptional(),
    unclaimedCertificates: UnclaimedCertificates.exactOptional(),
    ...secretFields,
    formerAccounts: z
      .array(FormerAccount)
      .max(10)
      .meta({
        description:
          'Accounts that the resource no longer uses, at most 10. What is pending there is done there.',
        'x-kubernetes-list-type': 'map',
        'x-kubernetes-list-map-keys': ['account'],
      })
      .exactOptional(),
    observedDesiredStatus: z
      .enum(['Good', 'Hold', 'Revoked'])
      .describe('The desiredStatus that was last applied.')
      .exactOptional(),
    observedRenewRequest: statusText(
      'Reserved for a later release: the last request to renew that was met.',
    ).exactOptional(),
    restartedRevision: integer(
      'Reserved for a later release: the last revision that workloads were restarted for.',
    ).exactOptional(),
    seal: statusText(
      'HMACs, one with a key of this installation and one with a key that derives from the API key: either proves that the operator wrote the ids in this status. The operator never fetches a private key on the basis of a status without a valid seal.',
      160,
    ).exactOptional(),
  })
  .describe('What the operator knows about the certificate.');
export type CertificateStatus = z.output<typeof CertificateStatus>;
