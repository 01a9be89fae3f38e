import type { TinyCertCertificate } from '../api/kinds.ts';
import { MANAGED_LABEL, SECRET_ANNOTATIONS } from '../api/names.ts';
import type { Secret } from '../kube/objects.ts';
import type { Names } from '../x509/names.ts';
import type { Material } from './checks.ts';

/** Type of the Secrets that are served by ingress controllers. */
export const TLS_SECRET = 'kubernetes.io/tls';

/** The files of a certificate's Secret, base64 as in `data`. */
export function secretData(material: Material): Record<string, string> {
  return {
    'tls.crt': base64(material.certificates),
    'tls.key': base64(material.key),
    'ca.crt': base64(material.root),
  };
}

/** The labels and annotations that the operator keeps on a certificate's Secret. */
export function secretMetadata(
  certificate: TinyCertCertificate,
  names: Names,
  certificateId: number,
): { labels: Record<string, string>; annotations: Record<string, string> } {
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

/** The id of the certificate that a Secret says it holds. Whoever may edit the Secret can write any. */
export function claimedCertificateId(secret: Pick<Secret, 'metadata'>): number | undefined {
  const text = secret.metadata.annotations?.[SECRET_ANNOTATIONS.certificateId];
  return text !== undefined && /^[1-9][0-9]{0,15}$/.test(text) ? Number(text) : undefined;
}

/**
 * Whether the operator wrote this Secret for this certificate: label and annotation say so, or it is the very object of
 * which status says so and something else of it, a part of its metadata or the certificate in it, is still as it was left.
 * Status alone is not enough: whoever writes there could have any Secret overwritten.
 */
export function isOwnSecret(
  { metadata, status }: TinyCertCertificate,
  secret: Pick<Secret, 'metadata'>,
  heldSerialNumber?: string,
): boolean {
  const { uid, labels = {}, annotations = {} } = secret.metadata;
  const isLabelled = labels[MANAGED_LABEL] === 'true';
  const isNamed = annotations[SECRET_ANNOTATIONS.certificateName] === metadata.name;
  if (isLabelled && isNamed) return true;
  if (uid === undefined || uid !== status?.secretUID) return false;
  return (
    isLabelled || isNamed || (heldSerialNumber !== undefined && heldSerialNumber === status.serialNumber)
  );
}

/** The resource that a Secret of the operator was made for, by its annotation. */
export function madeFor(secret: Pick<Secret, 'metadata'>): string | undefined {
  const { labels = {}, annotations = {} } = secret.metadata;
  return labels[MANAGED_LABEL] === 'true' ? annotations[SECRET_ANNOTATIONS.certificateName] : undefined;
}

/** Whether the Secret carries all labels and annotations that it should. */
export function hasMetadata(
  secret: Pick<Secret, 'metadata'>,
  wanted: { labels: Record<string, string>; annotations: Record<string, string> },
): boolean {
  const { labels = {}, annotations = {} } = secret.metadata;
  return (
    Object.entries(wanted.labels).every(([key, value]) => labels[key] === value) &&
    Object.entries(wanted.annotations).every(([key, value]) => isSame(key, annotations[key], value))
  );
}

/** Lists of names say the same in any order. */
const lists: ReadonlySet<string> = new Set([
  SECRET_ANNOTATIONS.altNames,
  SECRET_ANNOTATIONS.ipSans,
  SECRET_ANNOTATIONS.uriSans,
  SECRET_ANNOTATIONS.emailSans,
]);

function isSame(key: string, present: string | undefined, wanted: string): boolean {
  if (present === undefined || !lists.has(key)) return present === wanted;
  const sorted = (text: string): string => text.split(',').sort().join();
  return sorted(present) === sorted(wanted);
}

function base64(text: string): string {
  return Buffer.from(text).toString('base64');
}
