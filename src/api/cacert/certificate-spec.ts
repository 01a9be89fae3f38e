import { z } from 'zod';
import { oneRenewBefore, renewBefore, renewBeforePercentage } from '../schema/duration.ts';
import { EmailAddress } from '../schema/email-address.ts';
import { objectName, plainText, text } from '../schema/fields.ts';
import { Renewal, secretDeletionPolicy, suspend } from '../schema/lifecycle-spec.ts';
import { withRules } from '../schema/rules.ts';

/** What CAcert writes as the common name where no name was asked for, or none that the account may use. */
export const ANONYMOUS_NAME = 'CAcert WoT User';

/** CAcert takes RSA keys only, of at least 2048 bits. */
export const KEY_SIZES = [2048, 3072, 4096] as const;
export type KeySize = (typeof KEY_SIZES)[number];
export const DEFAULT_KEY_SIZE: KeySize = 3072;

const PrivateKey = z
  .object({
    size: withRules(
      z.int().meta({
        format: 'int32',
        description: `Bits of the RSA key, which the operator makes: 2048, 3072 or 4096; ${DEFAULT_KEY_SIZE} unless given.`,
      }),
      {
        rule: `self in [${KEY_SIZES.join(', ')}]`,
        holds: (value) => KEY_SIZES.some((size) => size === value),
        message: `must be ${KEY_SIZES.join(', ').replace(/, (\d+)$/, ' or $1')}: CAcert takes RSA keys only`,
      },
    ).exactOptional(),
    rotationPolicy: z
      .enum(['Always', 'Never'])
      .describe(
        'Always (the default) makes a new key with each certificate. Never keeps the key of the Secret as long as it is sound, so that mail that was encrypted to it can still be read.',
      )
      .default('Always'),
  })
  .describe('The private key.');

/** `CAcertCertificate.spec`. */
export const CAcertCertificateSpec = withRules(
  z
    .object({
      secretName: objectName(
        'Name of the Secret, in the namespace of the certificate, that receives tls.crt, tls.key and ca.crt. It is created if it does not exist; an existing one that the operator did not make is left alone. Its holder can log in to the CAcert account.',
      ),
      accountRef: z
        .object({ name: objectName('Name of the account.') })
        .describe('The CAcertAccount, in the same namespace, that asks for the certificate.'),
      emailAddresses: withRules(
        z.array(EmailAddress).max(50).meta({
          description:
            'E-mail addresses the certificate is for, 1 to 50, each of them verified at the account.',
          'x-kubernetes-list-type': 'atomic',
        }),
        {
          rule: 'size(self) > 0',
          holds: (value) => value.length > 0,
          message: 'must name at least one e-mail address: CAcert issues no certificate without',
        },
      ),
      commonName: text(
        `Common name (CN) of the subject: one of the names in the account’s status, letter for letter. Left out, it is "${ANONYMOUS_NAME}".`,
        ...plainText(200),
      ).exactOptional(),
      codeSigning: z
        .boolean()
        .describe(
          'Whether the certificate is to be good for signing code too; the account must have the right.',
        )
        .exactOptional(),
      privateKey: PrivateKey.exactOptional(),
      renewBefore: renewBefore.exactOptional(),
      renewBeforePercentage: renewBeforePercentage.exactOptional(),
      renewal: Renewal.exactOptional(),
      secretDeletionPolicy: secretDeletionPolicy.exactOptional(),
      suspend: suspend.exactOptional(),
    })
    .describe('The client certificate that is wanted.'),
  oneRenewBefore,
);
export type CAcertCertificateSpec = z.output<typeof CAcertCertificateSpec>;
