import { z } from 'zod';
import { conditions } from '../schema/conditions.ts';
import { integer, statusText, time } from '../schema/fields.ts';
import { AccountDigest, certificateFields, certificateListKeys } from './identity.ts';

const AuthoritySubject = z
  .object({
    country: statusText('Country (C).').exactOptional(),
    organization: statusText('Organization (O).').exactOptional(),
    organizationalUnit: statusText('Organizational unit (OU).').exactOptional(),
    locality: statusText('Locality (L).').exactOptional(),
    province: statusText('State or province (ST).').exactOptional(),
    commonName: statusText('Common name (CN).').exactOptional(),
  })
  .describe('Subject of the authority’s certificate.');

const Authority = z
  .object({
    id: integer('TinyCert’s id of the authority.'),
    account: AccountDigest.exactOptional(),
    name: statusText('Name of the authority: its organization.'),
    subject: AuthoritySubject.exactOptional(),
    hashAlgorithm: statusText(
      'Hash algorithm of the authority’s signatures, SHA1 or SHA256.',
      16,
    ).exactOptional(),
    notAfter: time('When the authority’s certificate expires.').exactOptional(),
    fingerprint: statusText('SHA-256 of the authority’s certificate, in hexadecimal.', 64).exactOptional(),
  })
  .describe('The authority that signs, as TinyCert reports it.');

const Session = z
  .object({
    state: z
      .enum(['Connected', 'Refused', 'Unreachable', 'RateLimited', 'Disconnected'])
      .describe(
        'State of the session. Refused: TinyCert rejects the credentials. RateLimited: TinyCert asked the operator to wait. Disconnected: there is no session at present.',
      ),
    since: time('When the state last changed.').exactOptional(),
    nextAttemptTime: time('When the operator will retry.').exactOptional(),
  })
  .describe('The session with the TinyCert account.');

const Counts = z
  .object({
    good: integer('Number of valid certificates.').exactOptional(),
    hold: integer('Number of certificates on hold.').exactOptional(),
    revoked: integer('Number of revoked certificates.').exactOptional(),
    expired: integer('Number of expired certificates.').exactOptional(),
    observedTime: time('When the certificates were counted.').exactOptional(),
  })
  .describe('Number of the authority’s certificates at TinyCert, by status.');

const Limits = z
  .object({
    requestsLastMinute: integer(
      'Reserved for a later release: the number of calls to TinyCert in the last minute.',
    ).exactOptional(),
    certificatesToday: integer(
      'Reserved for a later release: the number of certificates issued or reissued in the last 24 hours.',
    ).exactOptional(),
    blockedUntil: time(
      'When the operator calls TinyCert again at the earliest, because TinyCert asked it to wait.',
    ).exactOptional(),
    observedTime: time('Reserved for a later release: when the limits were last read.').exactOptional(),
  })
  .describe('Limits that TinyCert imposes on the account.');

const Orphan = z
  .object({
    ...certificateFields,
    commonName: statusText('Common name of the certificate.', 256).exactOptional(),
    serialNumber: statusText('Serial number, in hexadecimal.', 64).exactOptional(),
    notAfter: time('When the certificate expires.').exactOptional(),
    observedTime: time('When the certificate was first seen without an owner.').exactOptional(),
  })
  .describe('A certificate, valid or on hold, that the operator bought and that no resource claims.');

/** `status` of TinyCertIssuer and TinyCertClusterIssuer. Only the operator writes it. */
export const IssuerStatus = z
  .object({
    conditions: conditions('Conditions of the issuer. Ready: certificates can be issued.').exactOptional(),
    authority: Authority.exactOptional(),
    session: Session.exactOptional(),
    certificates: Counts.exactOptional(),
    limits: Limits.exactOptional(),
    orphanCount: integer(
      'Number of certificates that the operator bought and that no resource claims.',
    ).exactOptional(),
    orphans: z
      .array(Orphan)
      .max(100)
      .meta({
        description: 'Certificates that the operator bought and that no resource claims, the newest 100.',
        'x-kubernetes-list-type': 'map',
        'x-kubernetes-list-map-keys': certificateListKeys,
      })
      .exactOptional(),
    foreignCount: integer(
      'Number of the authority’s certificates, valid or on hold, that others made, by hand or from another cluster. The operator never touches them.',
    ).exactOptional(),
  })
  .describe('What the operator knows about the account and its authority.');
export type IssuerStatus = z.output<typeof IssuerStatus>;
