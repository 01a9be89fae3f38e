import { z } from 'zod';
import { oneRenewBefore, renewBefore, renewBeforePercentage } from '../schema/duration.ts';
import { EmailAddress } from '../schema/email-address.ts';
import { objectName, plainText, text } from '../schema/fields.ts';
import { Renewal, secretDeletionPolicy, suspend } from '../schema/lifecycle-spec.ts';
import { withRules } from '../schema/rules.ts';

/** The common name that CAcert uses if the request has no name, or one that the account may not use. */
export const ANONYMOUS_NAME = 'CAcert WoT User';

/** Key sizes in bits. CAcert accepts RSA keys only, of at least 2048 bits. */
export const KEY_SIZES = [2048, 3072, 4096] as const;
export type KeySize = (typeof KEY_SIZES)[number];
export const DEFAULT_KEY_SIZE: KeySize = 3072;

const PrivateKey = z
  .object({
    size: withRules(
      z.int().meta({
        format: 'int32',
        description: `Size in bits of the RSA key, which the operator generates: 2048, 3072 or 4096. Default: ${DEFAULT_KEY_SIZE}.`,
      }),
      {
        rule: `self in [${KEY_SIZES.join(', ')}]`,
        holds: (value) => KEY_SIZES.some((size) => size === value),
        message: `must be ${KEY_SIZES.join(', ').replace(/, (\d+)$/, ' or $1')}: CAcert accepts RSA keys only`,
      },
    ).exactOptional(),
    rotationPolicy: z
      .enum(['Always', 'Never'])
      .describe(
        'Whether each certificate gets a new key. Always, the default, generates one; mail encrypted to the old key can then no longer be read with the Secret. Never keeps the key in the Secret while it is sound.',
      )
      .default('Always'),
  })
  .describe('Size and rotation of the private key. The operator generates the key.');

/** `CAcertCertificate.spec`. */
export const CAcertCertificateSpec = withRules(
  z
    .object({
      secretName: objectName(
        'Name of the Secret that receives tls.crt, tls.key and ca.crt, in the namespace of the certificate. The operator creates it; a Secret of that name that it did not create is left alone. Anyone who can read the Secret can log in to the CAcert account.',
      ),
      accountRef: z
        .object({ name: objectName('Name of the account.') })
        .describe('CAcertAccount that obtains the certificate, in the same namespace.'),
      emailAddresses: withRules(
        z.array(EmailAddress).max(50).meta({
          description:
            'E-mail addresses in the certificate, 1 to 50. Each must be verified in the CAcert account.',
          'x-kubernetes-list-type': 'atomic',
        }),
        {
          rule: 'size(self) > 0',
          holds: (value) => value.length > 0,
          message: 'must contain at least one e-mail address: CAcert issues no certificate without one',
        },
      ),
      commonName: text(
        `Common name (CN) of the subject: exactly one of the names in the account’s status. Default: "${ANONYMOUS_NAME}".`,
        ...plainText(200),
      ).exactOptional(),
      codeSigning: z
        .boolean()
        .describe(
          'Whether the certificate can also sign code. The account must be entitled to it. Default: false.',
        )
        .exactOptional(),
      privateKey: PrivateKey.exactOptional(),
      renewBefore: renewBefore.exactOptional(),
      renewBeforePercentage: renewBeforePercentage.exactOptional(),
      renewal: Renewal.exactOptional(),
      secretDeletionPolicy: secretDeletionPolicy.exactOptional(),
      suspend: suspend.exactOptional(),
    })
    .describe('The client certificate to obtain.'),
  oneRenewBefore,
);
export type CAcertCertificateSpec = z.output<typeof CAcertCertificateSpec>;
