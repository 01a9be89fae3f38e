import { z } from 'zod';
import { caBundle, caBundleSecretRef, endpoint, oneCaBundle } from '../schema/connection-spec.ts';
import { integer, objectName, plainText, text } from '../schema/fields.ts';
import { PUBLIC_ENDPOINT } from '../names.ts';
import { withRules } from '../schema/rules.ts';
import { Subject } from './subject.ts';

const Authority = withRules(
  z
    .object({
      id: withRules(integer('TinyCert’s id of the authority, 1 or more.'), {
        rule: 'self >= 1',
        holds: (value) => value >= 1,
        message: 'must be 1 or more: write the id that TinyCert shows for the authority',
      }).exactOptional(),
      name: text(
        'Name of the authority: its organization (O), as TinyCert lists it. If two authorities share the name, the issuer is not ready and a message gives their ids.',
        ...plainText(64),
      ).exactOptional(),
    })
    .describe('Authority of the account that signs the certificates. Set exactly one of id and name.'),
  {
    rule: '[has(self.id), has(self.name)].filter(x, x).size() == 1',
    holds: (value) => (value.id === undefined) !== (value.name === undefined),
    message: 'must name one authority: set exactly one of id and name',
  },
);

/** `spec` of TinyCertIssuer and TinyCertClusterIssuer. */
export const IssuerSpec = withRules(
  z
    .object({
      endpoint: endpoint(
        `Base URL of the TinyCert API. Default: the public service, ${PUBLIC_ENDPOINT}.`,
        PUBLIC_ENDPOINT,
      ).default(PUBLIC_ENDPOINT),
      caBundle: caBundle(
        'Certificates in PEM to trust when connecting to the endpoint, instead of the public ones. Needed only for a private or development endpoint.',
      ).exactOptional(),
      caBundleSecretRef: caBundleSecretRef(
        'Secret with the certificates in PEM to trust when connecting to the endpoint. It replaces caBundle. The Secret is in the namespace of the issuer; for a TinyCertClusterIssuer, in the operator’s cluster resource namespace.',
      ).exactOptional(),
      credentialsSecretRef: z
        .object({ name: objectName('Name of the Secret.') })
        .describe(
          'Secret with the account’s credentials, under the keys email, passphrase and apiKey. It is in the namespace of the issuer; for a TinyCertClusterIssuer, in the operator’s cluster resource namespace.',
        ),
      authority: Authority,
      subject: Subject.describe(
        'Default subject fields, for certificates whose spec does not set them. Country and organization, if not set here either, come from the authority.',
      ).exactOptional(),
      ownershipMarker: z
        .enum(['None', 'OrganizationalUnit'])
        .describe(
          'Where certificates carry a mark that identifies the issuer and the resource. OrganizationalUnit puts it into the organizational unit (OU) of every certificate, which then cannot have one of its own; use it if several installations share one authority. None, the default, marks nothing.',
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
      'ownershipMarker OrganizationalUnit needs the organizational unit for the mark: remove subject.organizationalUnit',
    fieldPath: '.subject.organizationalUnit',
  },
);
export type IssuerSpec = z.output<typeof IssuerSpec>;
