import { type TinyCertCertificate, certificates } from '../../api/kinds.ts';
import { MANAGED_LABEL, SECRET_ANNOTATIONS } from '../../api/names.ts';
import { effectiveNames } from '../../api/tinycert/effective.ts';
import type { Names } from '../../x509/names.ts';
import type { CertificateKind, SecretMetadata } from '../certificate-kind.ts';
import { isOpen } from './attempt.ts';
import { sealedFields } from './seal.ts';

/** What is specific to TinyCert certificates. */
export const tinycertKind: CertificateKind<TinyCertCertificate> = {
  type: certificates,
  caName: 'TinyCert',
  timing: { sendWindow: 5_000, callDeadline: 20_000, lateExecution: 20_000 },
  nameAnnotation: SECRET_ANNOTATIONS.certificateName,
  metadataOf: (certificate) =>
    secretMetadata(certificate, effectiveNames(certificate.spec), certificate.status?.certificateId ?? 0),
  claimedIdOf: ({ metadata }) => idFrom(metadata.annotations?.[SECRET_ANNOTATIONS.certificateId]),
  restated: [...sealedFields, 'seal'],
  attemptFields: ['previousId', 'until', 'certificateId', 'reason', 'doubts', 'outcome'],
  isOpen: ({ status }) => isOpen(status),
};

/** Reads a certificate id from text that anyone may have written. */
function idFrom(text: string | undefined): number | undefined {
  return text !== undefined && /^[1-9][0-9]{0,15}$/.test(text) ? Number(text) : undefined;
}

/** The labels and annotations of a Secret that holds the certificate with this id. */
export function secretMetadata(
  certificate: TinyCertCertificate,
  names: Names,
  certificateId: number,
): SecretMetadata {
  const { kind, name } = certificate.spec.issuerRef;
  return {
    labels: { [MANAGED_LABEL]: 'true' },
    annotations: {
      [SECRET_ANNOTATIONS.certificateName]: certificate.metadata.name,
      [SECRET_ANNOTATIONS.issuerKind]: kind,
      [SECRET_ANNOTATIONS.issuerName]: name,
      [SECRET_ANNOTATIONS.certificateId]: String(certificateId),
      [SECRET_ANNOTATIONS.commonName]: names.commonName,
      [SECRET_ANNOTATIONS.altNames]: names.dns.join(','),
      [SECRET_ANNOTATIONS.ipSans]: names.ip.join(','),
      [SECRET_ANNOTATIONS.uriSans]: names.uri.join(','),
      [SECRET_ANNOTATIONS.emailSans]: names.email.join(','),
    },
  };
}
