import { z } from 'zod';
import { conditions } from '../schema/conditions.ts';
import { statusText, time } from '../schema/fields.ts';

/** More than any account has, and few enough for a status. */
export const MAX_SHOWN = 100;
/** Characters of a name or address. */
export const MAX_LENGTH = 1024;

const Authority = z
  .object({
    subject: statusText('Common name of the certificate’s subject.', 256),
    fingerprint: statusText('SHA-256 of the certificate, in hexadecimal.', 64),
    notAfter: time('The certificate is valid until this moment.'),
  })
  .describe('One certificate of the bundle.');

const list = (description: string) =>
  z
    .array(statusText('One of them.', MAX_LENGTH))
    .max(MAX_SHOWN)
    .meta({ description, 'x-kubernetes-list-type': 'atomic' });

/** `CAcertAccount.status`. Only the operator writes it. */
export const CAcertAccountStatus = z
  .object({
    conditions: conditions(
      'Ready says whether CAcert accepts the login, so that certificates can be asked for.',
    ).exactOptional(),
    names: list(
      'The names that CAcert puts into certificates of this account. There are none below 50 assurance points.',
    ).exactOptional(),
    emails: list('The verified e-mail addresses of the account.').exactOptional(),
    codeSigning: z
      .boolean()
      .describe(
        'Whether the account is marked for code signing. CAcert also wants 100 assurance points for it, which its API does not tell.',
      )
      .exactOptional(),
    authorities: z
      .array(Authority)
      .max(20)
      .meta({
        description: 'The certificates that issued ones are checked against.',
        'x-kubernetes-list-type': 'atomic',
      })
      .exactOptional(),
  })
  .describe('What the operator knows of the account.');
export type CAcertAccountStatus = z.output<typeof CAcertAccountStatus>;
