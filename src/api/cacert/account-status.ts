import { z } from 'zod';
import { conditions } from '../schema/conditions.ts';
import { statusText, time } from '../schema/fields.ts';

/** Most names, and most addresses, shown in status: more than any account has. */
export const MAX_SHOWN = 100;
/** Longest name or address shown in status, in characters. */
export const MAX_LENGTH = 1024;

const Authority = z
  .object({
    subject: statusText('Common name of the certificate’s subject.', 256),
    fingerprint: statusText('SHA-256 of the certificate, in hexadecimal.', 64),
    notAfter: time('When the certificate expires.'),
  })
  .describe('A certificate of the bundle.');

const list = (description: string) =>
  z
    .array(statusText('A name or an e-mail address.', MAX_LENGTH))
    .max(MAX_SHOWN)
    .meta({ description, 'x-kubernetes-list-type': 'atomic' });

/** `CAcertAccount.status`. Only the operator writes it. */
export const CAcertAccountStatus = z
  .object({
    conditions: conditions(
      'Conditions of the account. Ready: CAcert accepts the login, so certificates can be issued.',
    ).exactOptional(),
    names: list(
      'Names that CAcert puts into certificates of this account. There are none below 50 assurance points.',
    ).exactOptional(),
    emails: list('Verified e-mail addresses of the account.').exactOptional(),
    codeSigning: z
      .boolean()
      .describe(
        'Whether the account is marked for code signing. CAcert also requires 100 assurance points, which its API does not report.',
      )
      .exactOptional(),
    authorities: z
      .array(Authority)
      .max(20)
      .meta({
        description: 'The bundle: certificates that issued ones are checked against.',
        'x-kubernetes-list-type': 'atomic',
      })
      .exactOptional(),
  })
  .describe('What the operator knows about the account.');
export type CAcertAccountStatus = z.output<typeof CAcertAccountStatus>;
