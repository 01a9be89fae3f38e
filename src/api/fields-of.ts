import type { z } from 'zod';
import { CAcertAccountSpec } from './cacert/account-spec.ts';
import { CAcertAccountStatus } from './cacert/account-status.ts';
import { CAcertCertificateSpec } from './cacert/certificate-spec.ts';
import { CAcertCertificateStatus } from './cacert/certificate-status.ts';
import { CertificateSpec } from './tinycert/certificate-spec.ts';
import { CertificateStatus } from './tinycert/certificate-status.ts';
import { IssuerSpec } from './tinycert/issuer-spec.ts';
import { IssuerStatus } from './tinycert/issuer-status.ts';
import { cacertAccounts, cacertCertificates, certificates, clusterIssuers, issuers } from './kinds.ts';

/** Every field of each kind that this release reads or writes, as paths such as `status.orphans.certificateId`. */
export const FIELDS: Readonly<Record<string, readonly string[]>> = {
  [certificates.kind]: [...fieldsOf(CertificateSpec, 'spec'), ...fieldsOf(CertificateStatus, 'status')],
  [issuers.kind]: [...fieldsOf(IssuerSpec, 'spec'), ...fieldsOf(IssuerStatus, 'status')],
  [clusterIssuers.kind]: [...fieldsOf(IssuerSpec, 'spec'), ...fieldsOf(IssuerStatus, 'status')],
  [cacertAccounts.kind]: [...fieldsOf(CAcertAccountSpec, 'spec'), ...fieldsOf(CAcertAccountStatus, 'status')],
  [cacertCertificates.kind]: [
    ...fieldsOf(CAcertCertificateSpec, 'spec'),
    ...fieldsOf(CAcertCertificateStatus, 'status'),
  ],
};

interface Definition {
  innerType?: z.ZodType;
  element?: z.ZodType;
  shape?: Record<string, z.ZodType>;
}

/** The paths of a schema's fields. Optionals, defaults and arrays add no level of their own. */
function fieldsOf(schema: z.ZodType, path: string): string[] {
  const { innerType, element, shape } = schema.def as Definition;
  const inner = innerType ?? element;
  if (inner) return fieldsOf(inner, path);
  const below = Object.entries(shape ?? {}).flatMap(([name, field]) => fieldsOf(field, `${path}.${name}`));
  return [path, ...below];
}
