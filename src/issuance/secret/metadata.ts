import { MANAGED_LABEL, SECRET_ANNOTATIONS } from '../../api/names.ts';
import type { Secret } from '../../kube/objects.ts';
import type { CertificateKind, CertificateResource, SecretMetadata } from '../certificate-kind.ts';

type Labelled = Pick<Secret, 'metadata'>;
type Named = Pick<CertificateKind<never>, 'nameAnnotation'>;

/**
 * Whether the operator wrote this Secret for this certificate. Either it has our label and annotation, or status records its
 * uid and one more thing matches: the label, the annotation or the serial number of its certificate. Status alone is not
 * enough, or anyone who may write it could have any Secret overwritten.
 */
export function isOwnSecret(
  { nameAnnotation }: Named,
  { metadata, status }: Pick<CertificateResource, 'metadata' | 'status'>,
  secret: Labelled,
  heldSerialNumber?: string,
): boolean {
  const { uid, labels = {}, annotations = {} } = secret.metadata;
  const isLabelled = labels[MANAGED_LABEL] === 'true';
  const isNamed = annotations[nameAnnotation] === metadata.name;
  if (isLabelled && isNamed) return true;
  if (uid === undefined || uid !== status?.secretUID) return false;
  return (
    isLabelled || isNamed || (heldSerialNumber !== undefined && heldSerialNumber === status.serialNumber)
  );
}

/** The name of the resource that one of the operator's Secrets was made for, from its annotation. */
export function madeFor({ nameAnnotation }: Named, secret: Labelled): string | undefined {
  const { labels = {}, annotations = {} } = secret.metadata;
  return labels[MANAGED_LABEL] === 'true' ? annotations[nameAnnotation] : undefined;
}

/** Whether the Secret has all wanted labels and annotations. */
export function hasMetadata(secret: Labelled, wanted: SecretMetadata): boolean {
  return lackingMetadata(secret, wanted).length === 0;
}

/** The wanted labels and annotations that the Secret lacks or has with another value, in words. */
export function lackingMetadata(secret: Labelled, wanted: SecretMetadata): string[] {
  const { labels = {}, annotations = {} } = secret.metadata;
  const isLabelWrong = ([key, value]: [string, string]): boolean => labels[key] !== value;
  const isAnnotationWrong = ([key, value]: [string, string]): boolean =>
    !isSame(key, annotations[key], value);
  return [
    ...Object.entries(wanted.labels)
      .filter(isLabelWrong)
      .map(([key]) => `label ${key}`),
    ...Object.entries(wanted.annotations)
      .filter(isAnnotationWrong)
      .map(([key]) => `annotation ${key}`),
  ];
}

/** Annotations with lists of names, whose order does not matter. */
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
