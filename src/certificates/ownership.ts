import type { TinyCertCertificate } from '../api/kinds.ts';
import { isOpen } from '../issuance/attempt.ts';
import { conditionOf } from '../issuance/conditions.ts';
import { madeFor } from '../issuance/outputs.ts';
import { refKey, type Secret } from '../kube/objects.ts';
import { BY_SECRET, type Deps } from './deps.ts';

/**
 * Which other resource owns the Secret that a resource names, if one does: of several the one that has it, else the
 * oldest, of equal age the first by name. So nobody takes a Secret that is served from another, however old.
 */
export function elderOf(deps: Deps, certificate: TinyCertCertificate): string | undefined {
  const { namespace = '' } = certificate.metadata;
  const key = refKey({ namespace, name: certificate.spec.secretName });
  const present = deps.writtenSecrets.newest(key, deps.secrets.get(key))?.metadata.uid;
  const rank = ({ metadata, status }: TinyCertCertificate): string => {
    const hasIt = present !== undefined && status?.secretUID === present;
    return `${hasIt ? 0 : 1} ${metadata.creationTimestamp} ${metadata.name}`;
  };
  let first = certificate;
  for (const other of deps.certificates.byIndex(BY_SECRET, key)) {
    if (other.metadata.uid !== certificate.metadata.uid && rank(other) < rank(first)) first = other;
  }
  return first === certificate ? undefined : first.metadata.name;
}

/**
 * Whether a Secret that was made for another resource falls to this one: the other is gone or names another Secret, and
 * this one waited for it, or asks for its certificate already. Without having waited it is left alone: whoever deleted
 * the other resource may have kept the Secret on purpose.
 */
export function isInherited(
  deps: Deps,
  { metadata, spec, status }: TinyCertCertificate,
  secret: Pick<Secret, 'metadata'>,
): boolean {
  const name = madeFor(secret);
  if (name === undefined) return false;
  const { namespace = '' } = metadata;
  const other = deps.certificates.get(refKey({ namespace, name }));
  if (other?.spec.secretName === spec.secretName) return false;
  return conditionOf(status?.conditions, 'Ready')?.reason === 'DuplicateSecretName' || isOpen(status);
}
