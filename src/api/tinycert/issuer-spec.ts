import { z } from 'zod';
import { caBundle, caBundleSecretRef, endpoint, oneCaBundle } from '../schema/connection-spec.ts';
import { integer, objectName, plainText, text } from '../schema/fields.ts';
import { PUBLIC_ENDPOINT } from '../names.ts';
import { withRules } from '../schema/rules.ts';
import { Subject } from './subject.ts';

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
      endpoint: endpoint(
        'Base URL of the TinyCert API; the public service unless given.',
        PUBLIC_ENDPOINT,
      ).default(PUBLIC_ENDPOINT),
      caBundle: caBundle(
        'Certificates, in PEM, to trust when talking to the endpoint, in place of the public ones. Needed for a private or development endpoint only.',
      ).exactOptional(),
      caBundleSecretRef: caBundleSecretRef(
        'A Secret that holds, in PEM, the certificates to trust when talking to the endpoint. It lies in the namespace of the issuer; for a TinyCertClusterIssuer in the operator’s own.',
      ).exactOptional(),
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
  oneCaBundle,
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
