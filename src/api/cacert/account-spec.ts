import { z } from 'zod';
import { caBundle, caBundleSecretRef, endpoint, oneCaBundle } from '../schema/connection-spec.ts';
import { matching, objectName, quoting, text } from '../schema/fields.ts';
import { CACERT_ENDPOINT } from '../names.ts';
import { withRules } from '../schema/rules.ts';

const fingerprintAdvice =
  'is not a SHA-256 fingerprint: write 64 hexadecimal digits, with or without colons, as openssl x509 -noout -fingerprint -sha256 prints them';
const Fingerprint = text(
  'SHA-256 fingerprint of a certificate: 64 hexadecimal digits, with or without colons.',
  {
    ...matching('^[0-9A-Fa-f]{2}(:?[0-9A-Fa-f]{2}){31}$'),
    message: fingerprintAdvice,
    messageExpression: quoting(fingerprintAdvice),
  },
);

/** `CAcertAccount.spec`. */
export const CAcertAccountSpec = withRules(
  z
    .object({
      endpoint: endpoint(
        `Base URL of the CAcert API. Default: the public service, ${CACERT_ENDPOINT}.`,
        CACERT_ENDPOINT,
      ).default(CACERT_ENDPOINT),
      caBundle: caBundle(
        'CAcert’s certificates in PEM: the root, and the class 3 certificate if that signs. Issued certificates must chain to the root; connections to the endpoint trust these certificates in addition to the public ones. At most 8 roots and 8 intermediates, with RSA keys of at most 8192 bits or EC keys on P-256, P-384 or P-521. The operator ships none, so either this or caBundleSecretRef is required.',
      ).exactOptional(),
      caBundleSecretRef: caBundleSecretRef(
        'Secret with CAcert’s certificates in PEM, in the namespace of the account. It replaces caBundle.',
      ).exactOptional(),
      rootFingerprints: z
        .array(Fingerprint)
        .max(10)
        .meta({
          description:
            'SHA-256 fingerprints of the roots to accept, at most 10. If set, every self-signed certificate in the bundle must have one of them. Default: every root in the bundle is accepted.',
          'x-kubernetes-list-type': 'atomic',
        })
        .exactOptional(),
      credentialsSecretRef: z
        .object({ name: objectName('Name of the Secret.') })
        .describe(
          'Secret with the login, in the namespace of the account, under the keys username (the account’s primary e-mail address) and password. Anyone who can read it can act for the member.',
        ),
    })
    .describe('The login of one CAcert member.'),
  oneCaBundle,
  {
    rule: 'has(self.caBundle) || has(self.caBundleSecretRef)',
    holds: (spec) => spec.caBundle !== undefined || spec.caBundleSecretRef !== undefined,
    message:
      'CAcert’s root is required and the operator ships none: put it in PEM into caBundle, or into a Secret and name that in caBundleSecretRef',
  },
);
export type CAcertAccountSpec = z.output<typeof CAcertAccountSpec>;
