import { z } from 'zod';
import { caBundle, caBundleSecretRef, endpoint, oneCaBundle } from '../schema/connection-spec.ts';
import { matching, objectName, quoting, text } from '../schema/fields.ts';
import { CACERT_ENDPOINT } from '../names.ts';
import { withRules } from '../schema/rules.ts';

const fingerprintAdvice =
  'is not a SHA-256 fingerprint: write its 64 hexadecimal digits, with or without colons, as openssl x509 -noout -fingerprint -sha256 prints them';
const Fingerprint = text('SHA-256 of a certificate, as 64 hexadecimal digits with or without colons.', {
  ...matching('^[0-9A-Fa-f]{2}(:?[0-9A-Fa-f]{2}){31}$'),
  message: fingerprintAdvice,
  messageExpression: quoting(fingerprintAdvice),
});

/** `CAcertAccount.spec`. */
export const CAcertAccountSpec = withRules(
  z
    .object({
      endpoint: endpoint(
        'Base URL of the CAcert API; the public service unless given.',
        CACERT_ENDPOINT,
      ).default(CACERT_ENDPOINT),
      caBundle: caBundle(
        'CAcert’s certificates, in PEM: the root, and the class 3 certificate where it is used. They are trusted for what is issued, and beside the public ones when talking to the endpoint. The operator ships none.',
      ).exactOptional(),
      caBundleSecretRef: caBundleSecretRef(
        'A Secret of the same namespace that holds CAcert’s certificates in PEM, in place of caBundle.',
      ).exactOptional(),
      rootFingerprints: z
        .array(Fingerprint)
        .max(10)
        .meta({
          description:
            'If given, the only roots that are believed: every self-signed certificate of the bundle must have one of these fingerprints.',
          'x-kubernetes-list-type': 'atomic',
        })
        .exactOptional(),
      credentialsSecretRef: z
        .object({ name: objectName('Name of the Secret.') })
        .describe(
          'The Secret of the same namespace with the login: keys username (the account’s primary e-mail address) and password. Whoever can read it can act for the member.',
        ),
    })
    .describe('The login of one CAcert member.'),
  oneCaBundle,
  {
    rule: 'has(self.caBundle) || has(self.caBundleSecretRef)',
    holds: (spec) => spec.caBundle !== undefined || spec.caBundleSecretRef !== undefined,
    message:
      'CAcert’s root is needed and the operator ships none: put it, in PEM, into caBundle or into a Secret that caBundleSecretRef names',
  },
);
export type CAcertAccountSpec = z.output<typeof CAcertAccountSpec>;
