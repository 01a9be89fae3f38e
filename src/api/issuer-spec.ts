import { z } from 'zod';
import { both, integer, matching, objectName, plainText, quoting, sized, text } from './fields.ts';
import { CA_BUNDLE_KEY, PUBLIC_ENDPOINT } from './names.ts';
import { withRules } from './rules.ts';
import { Subject } from './subject.ts';

/** Largest bundle of certificates that is read, in characters. */
const MAX_BUNDLE = 330_000;

const endpointAdvice =
  'cannot be the endpoint: write https://, a host, perhaps a port and a path, such as https://www.tinycert.org/api/v1/, without user, query, fragment or ..; http:// is for localhost, 127.0.0.1 and [::1] only';
const PORT_AND_PATH = '(:[0-9]{1,5})?(/([A-Za-z0-9._~-]+/)*([A-Za-z0-9._~-]+)?)?$';
const HOST = '([A-Za-z0-9]([A-Za-z0-9.-]{0,251}[A-Za-z0-9])?|\\[[0-9A-Fa-f:.]{2,45}\\])';

const endpoint = text('Base URL of the TinyCert API; the public service unless given.', {
  rule: `(${matching(`^https://${HOST}${PORT_AND_PATH}`).rule} || ${matching(`^http://(localhost|127[.]0[.]0[.]1|\\[::1\\])${PORT_AND_PATH}`).rule}) && !self.contains('..')`,
  holds: (value) =>
    (matching(`^https://${HOST}${PORT_AND_PATH}`).holds(value) ||
      matching(`^http://(localhost|127[.]0[.]0[.]1|\\[::1\\])${PORT_AND_PATH}`).holds(value)) &&
    !value.includes('..'),
  message: endpointAdvice,
  messageExpression: quoting(endpointAdvice),
});

const keyAdvice = 'cannot be a key of a Secret: write letters, digits, -, _ and ., at most 253';
const CaBundleSecretRef = z
  .object({
    name: objectName('Name of the Secret.'),
    key: text(`Key in the Secret; ${CA_BUNDLE_KEY} unless given.`, {
      ...both(sized(253), matching('^[-._A-Za-z0-9]+$')),
      message: keyAdvice,
      messageExpression: quoting(keyAdvice),
    }).exactOptional(),
  })
  .describe(
    'A Secret that holds, in PEM, the certificates to trust when talking to the endpoint. It lies in the namespace of the issuer; for a TinyCertClusterIssuer in the operator’s own.',
  );

const Authority = withRules(
  z
    .object({
      id: withRules(integer('TinyCert’s number of the authority.'), {
        rule: 'self >= 1',
        holds: (value) => value >= 1,
        message: 'must be 1 or more: the number that TinyCert shows for the authority',
      }).exactOptional(),
      name: text(
        'Name of the authority: its organization (O), as TinyCert lists it. Two authorities of one name are an error that tells their ids.',
        ...plainText(64),
      ).exactOptional(),
    })
    .describe('The authority of the account that signs the certificates: exactly one of id and name.'),
  {
    rule: '[has(self.id), has(self.name)].filter(x, x).size() == 1',
    holds: (value) => (value.id === undefined) !== (value.name === undefined),
    message: 'name the authority once: set either id or name',
  },
);

/** `spec` of TinyCertIssuer and TinyCertClusterIssuer. */
export const IssuerSpec = withRules(
  z
    .object({
      endpoint: endpoint.default(PUBLIC_ENDPOINT),
      caBundle: withRules(
        z
          .string()
          .max(MAX_BUNDLE)
          .describe(
            'Certificates, in PEM, to trust when talking to the endpoint, in place of the public ones. Needed for a private or development endpoint only.',
          ),
        {
          rule: "self.contains('-----BEGIN CERTIFICATE-----')",
          holds: (value) => value.includes('-----BEGIN CERTIFICATE-----'),
          message:
            'must hold certificates in PEM: paste the text from -----BEGIN CERTIFICATE----- to -----END CERTIFICATE-----, not base64 of it',
        },
      ).exactOptional(),
      caBundleSecretRef: CaBundleSecretRef.exactOptional(),
      credentialsSecretRef: z
        .object({ name: objectName('Name of the Secret.') })
        .describe(
          'The Secret with the account: keys email, passphrase and apiKey. It lies in the namespace of the issuer; for a TinyCertClusterIssuer in the operator’s own.',
        ),
      authority: Authority,
      subject: Subject.describe(
        'Subject fields for certificates whose own spec leaves them out. What is left out here too comes from the authority (country and organization only).',
      ).exactOptional(),
      ownershipMarker: z
        .enum(['None', 'OrganizationalUnit'])
        .describe(
          'OrganizationalUnit puts a mark into the organizational unit (OU) of every certificate that tells this installation and resource. It is needed where several installations share one authority; certificates then cannot have an organizational unit of their own. None is the default.',
        )
        .exactOptional(),
    })
    .describe('A TinyCert account and one of its authorities.'),
  {
    rule: '!(has(self.caBundle) && has(self.caBundleSecretRef))',
    holds: (spec) => spec.caBundle === undefined || spec.caBundleSecretRef === undefined,
    message: 'caBundle and caBundleSecretRef exclude each other: remove one of them',
    fieldPath: '.caBundleSecretRef',
  },
  {
    rule: "!(has(self.ownershipMarker) && self.ownershipMarker == 'OrganizationalUnit' && has(self.subject) && has(self.subject.organizationalUnit))",
    holds: (spec) =>
      spec.ownershipMarker !== 'OrganizationalUnit' || spec.subject?.organizationalUnit === undefined,
    message:
      'ownershipMarker OrganizationalUnit uses the organizational unit itself: remove subject.organizationalUnit',
    fieldPath: '.subject.organizationalUnit',
  },
);
export type IssuerSpec = z.output<typeof IssuerSpec>;
