import { z } from 'zod';
import { conditions } from '../schema/conditions.ts';
import { integer, statusText, time } from '../schema/fields.ts';

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
    id: integer('TinyCert’s number of the authority.'),
    name: statusText('Name of the authority: its organization.'),
    subject: AuthoritySubject.exactOptional(),
    hashAlgorithm: statusText('Hash that the authority signs with, SHA1 or SHA256.', 16).exactOptional(),
    notAfter: time('The authority’s certificate is valid until this moment.').exactOptional(),
    fingerprint: statusText('SHA-256 of the authority’s certificate, in hexadecimal.', 64).exactOptional(),
  })
  .describe('The authority that signs, as found in the account.');

const Session = z
  .object({
    state: z
      .enum(['Connected', 'Refused', 'Unreachable', 'RateLimited', 'Disconnected'])
      .describe(
        'Connected; Refused by TinyCert because of the credentials; Unreachable; RateLimited; or Disconnected, when nothing needs it.',
      ),
    since: time('When the session came into this state.').exactOptional(),
    nextAttemptTime: time('When the operator will try again.').exactOptional(),
  })
  .describe('The session with the TinyCert account.');

const Counts = z
  .object({
    good: integer('Valid ones.').exactOptional(),
    hold: integer('Ones on hold.').exactOptional(),
    revoked: integer('Revoked ones.').exactOptional(),
    expired: integer('Expired ones.').exactOptional(),
    observedTime: time('When they were counted.').exactOptional(),
  })
  .describe('Certificates of the authority at TinyCert, counted by status.');

const Limits = z
  .object({
    requestsLastMinute: integer('Calls to TinyCert in the last minute.').exactOptional(),
    certificatesToday: integer('Certificates issued or reissued in the last 24 hours.').exactOptional(),
    blockedUntil: time('No call is made before this moment, because TinyCert asked to wait.').exactOptional(),
    observedTime: time('When this was counted.').exactOptional(),
  })
  .describe('How much of the limits is used.');

const Orphan = z
  .object({
    certificateId: integer('TinyCert’s id of the certificate.'),
    commonName: statusText('Common name of the certificate.', 256).exactOptional(),
    serialNumber: statusText('Serial number, in hexadecimal.', 64).exactOptional(),
    notAfter: time('The certificate is valid until this moment.').exactOptional(),
    observedTime: time('When it was first seen without an owner.').exactOptional(),
  })
  .describe('A certificate, valid or on hold, that the operator bought and no resource claims.');

const Released = z
  .object({
    certificateId: integer('TinyCert’s id of the certificate.'),
    namespace: statusText('Namespace of the resource that had it.').exactOptional(),
    name: statusText('Name of the resource that had it.').exactOptional(),
    releaseTime: time('When it was given up.').exactOptional(),
    cause: z
      .enum(['Deleted', 'Undecided'])
      .describe('Deleted with its resource, or Undecided: whose it is could not be told.')
      .exactOptional(),
  })
  .describe('A certificate that its resource gave up; no other resource takes it over.');

const Abandoned = z
  .object({
    attemptId: statusText('The attempt.', 36),
    uid: statusText('UID of the resource that made it.', 64),
    namespace: statusText('Namespace of the resource.').exactOptional(),
    name: statusText('Name of the resource.').exactOptional(),
    requestHash: statusText('Hash of what was asked for.', 80),
    commonName: statusText('The common name asked for.', 256),
    afterId: integer('What it bought is above this id.'),
    since: time('What it bought is not older.'),
    until: time('What it bought is most likely not younger.'),
  })
  .describe('An attempt that was given up without a finding: it may have bought a certificate all the same.');

/** `status` of TinyCertIssuer and TinyCertClusterIssuer. Only the operator writes it. */
export const IssuerStatus = z
  .object({
    conditions: conditions('Ready says whether certificates can be issued.').exactOptional(),
    authority: Authority.exactOptional(),
    session: Session.exactOptional(),
    certificates: Counts.exactOptional(),
    limits: Limits.exactOptional(),
    orphanCount: integer('Certificates that the operator bought and no resource claims.').exactOptional(),
    orphans: z
      .array(Orphan)
      .max(100)
      .meta({
        description: 'The newest of the orphans, at most 100.',
        'x-kubernetes-list-type': 'map',
        'x-kubernetes-list-map-keys': ['certificateId'],
      })
      .exactOptional(),
    foreignCount: integer(
      'Certificates of the authority, valid or on hold, that others made, by hand or from another cluster. The operator never touches them.',
    ).exactOptional(),
    released: z
      .array(Released)
      .max(1000)
      .meta({
        description: 'Certificates that were given up, the newest 1000.',
        'x-kubernetes-list-type': 'map',
        'x-kubernetes-list-map-keys': ['certificateId'],
      })
      .exactOptional(),
    abandoned: z
      .array(Abandoned)
      .max(200)
      .meta({
        description: 'Attempts that were given up without a finding, the newest 200.',
        'x-kubernetes-list-type': 'map',
        'x-kubernetes-list-map-keys': ['attemptId'],
      })
      .exactOptional(),
  })
  .describe('What the operator knows of the account and its authority.');
export type IssuerStatus = z.output<typeof IssuerStatus>;
