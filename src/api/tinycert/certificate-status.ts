import { z } from 'zod';
import { conditions } from '../schema/conditions.ts';
import { failureFields } from '../schema/failure.ts';
import { integer, statusText, time } from '../schema/fields.ts';
import { AccountDigest, authorityFields, certificateFields, certificateListKeys } from './identity.ts';

/**
 * One attempt to issue or reissue, written before TinyCert is called. It is open until `status.certificateId` equals its
 * `certificateId`, or until it has an `outcome`. It stays in status when it is no longer open.
 */
const Attempt = z
  .object({
    number: integer('Number of the attempt; the first of this resource is 1.'),
    id: statusText('Random UUID of the attempt. A result is written only while this is unchanged.', 36),
    operation: z
      .enum(['New', 'Reissue'])
      .describe(
        'What TinyCert was asked to do. New issues a certificate with a new key; Reissue renews one with the same key.',
      ),
    holder: statusText('Replica of the operator that made the attempt.'),
    startTime: time('When the attempt was made, to the millisecond.'),
    specHash: statusText(
      'Hash of the requested names and subject. Specs that request the same have the same hash.',
      80,
    ),
    previousId: integer('TinyCert’s id of the certificate to reissue.').exactOptional(),
    afterId: integer(
      'Highest certificate id known at the authority before the attempt. A certificate that the attempt bought has a higher id.',
    ),
    commonName: statusText('Requested common name.', 256),
    requestHash: statusText('Hash of all names and the whole subject in the request to TinyCert.', 80),
    since: time(
      'Earliest start, on TinyCert’s clock, of a certificate that this attempt bought, or that one of the attempts it continues without a gap bought.',
    ),
    until: time(
      'Most likely the latest start, on TinyCert’s clock, of a certificate that the attempt bought.',
    ).exactOptional(),
    certificateId: integer(
      'TinyCert’s id of the certificate, from its answer or from a recovery.',
    ).exactOptional(),
    ...authorityFields,
    reason: statusText('Why a certificate was needed, as one word.', 128).exactOptional(),
    doubts: integer(
      'How many answers of TinyCert to this attempt, and to those that it repeats, named a certificate that may belong to another request. After two, no other certificate is requested.',
    ).exactOptional(),
    outcome: z
      .enum(['Refused', 'NotFound', 'Abandoned'])
      .describe(
        'How the attempt ended without a certificate. Refused: TinyCert certainly did not act. NotFound: TinyCert no longer has the certificate to reissue. Abandoned: the operator gave the attempt up.',
      )
      .exactOptional(),
  })
  .describe(
    'The last attempt to issue or reissue. It is recorded before TinyCert is called, so that no certificate is lost.',
  );
export type Attempt = z.output<typeof Attempt>;

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
  attempt: Attempt.exactOptional(),
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
    renewalTime: time('When the certificate will be renewed.').exactOptional(),
    revision: integer('Number of certificates that this resource has had.').exactOptional(),
    specHash: statusText(
      'Hash of the names and subject of the certificate in the Secret.',
      80,
    ).exactOptional(),
    ...failureFields,
    refusedFetches: RefusedFetches.exactOptional(),
    secretUID: statusText('UID of the Secret that was last written.', 64).exactOptional(),
    secretResourceVersion: statusText(
      'Resource version of the Secret that was last written or checked. The Secret is read again when it changes.',
      64,
    ).exactOptional(),
    formerAccounts: z
      .array(FormerAccount)
      .max(10)
      .meta({
        description:
          'Accounts that the resource no longer uses, at most 10. What is open or pending there is concluded and done there.',
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
