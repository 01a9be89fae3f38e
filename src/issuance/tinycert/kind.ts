import { type TinyCertCertificate, certificates } from '../../api/kinds.ts';
import { MANAGED_LABEL, SECRET_ANNOTATIONS } from '../../api/names.ts';
import { effectiveNames } from '../../api/tinycert/effective.ts';
import { type CertificateRef, certificateRef, parseCertificateRef } from '../../api/tinycert/identity.ts';
import type { Names } from '../../x509/names.ts';
import type { CertificateKind, SecretMetadata } from '../certificate-kind.ts';
import { sealedFields } from './seal.ts';

/** What is specific to TinyCert certificates. */
export const tinycertKind: CertificateKind<TinyCertCertificate> = {
  type: certificates,
  caName: 'TinyCert',
  timing: { sendWindow: 5_000, callDeadline: 20_000, lateExecution: 20_000 },
  nameAnnotation: SECRET_ANNOTATIONS.certificateName,
  metadataOf: (certificate) =>
    secretMetadata(certificate, effectiveNames(certificate.spec), certificateRef(certificate.status)),
  claimedBy: ({ metadata: { annotations = {} } }) =>
    parseCertificateRef({
      account: annotations[SECRET_ANNOTATIONS.account],
      authorityId: annotations[SECRET_ANNOTATIONS.authorityId],
      certificateId: annotations[SECRET_ANNOTATIONS.certificateId],
    }),
  restated: [...sealedFields, 'seal', 'formerAccounts'],
  echoed: ['attemptId', 'seal'],
};

/** The labels and annotations of a Secret that holds a certificate. */
export function secretMetadata(
  certificate: TinyCertCertificate,
  names: Names,
  held: CertificateRef | undefined,
): SecretMetadata {
  const { kind, name } = certificate.spec.issuerRef;
  return {
    labels: { [MANAGED_LABEL]: 'true' },
    annotations: {
      [SECRET_ANNOTATIONS.certificateName]: certificate.metadata.name,
      [SECRET_ANNOTATIONS.issuerKind]: kind,
      [SECRET_ANNOTATIONS.issuerName]: name,
      ...(held ? annotationsOf(held) : {}),
      [SECRET_ANNOTATIONS.commonName]: names.commonName,
      [SECRET_ANNOTATIONS.altNames]: names.dns.join(','),
      [SECRET_ANNOTATIONS.ipSans]: names.ip.join(','),
      [SECRET_ANNOTATIONS.uriSans]: names.uri.join(','),
      [SECRET_ANNOTATIONS.emailSans]: names.email.join(','),
    },
  };
}

function annotationsOf({ account, authorityId, certificateId }: CertificateRef): Record<string, string> {
  return {
    [SECRET_ANNOTATIONS.account]: account,
    [SECRET_ANNOTATIONS.authorityId]: String(authorityId),
    [SECRET_ANNOTATIONS.certificateId]: String(certificateId),
  };
}
