import { API_VERSION } from '../../api/names.ts';
import type { ObjectMeta, OwnerReference, ResourceType } from '../../kube/objects.ts';
import type { CertificateResource } from '../certificate-kind.ts';

type Owned = Pick<ObjectMeta, 'ownerReferences'>;
type Kind = Pick<ResourceType, 'kind'>;

/**
 * The owner references that a certificate's Secret should have: those of others, and with `secretDeletionPolicy: Delete` the
 * certificate, which has Kubernetes delete the Secret after it. Drops a reference to an earlier resource of the same name,
 * since Kubernetes would delete the Secret for it.
 */
function wantedOwners({ kind }: Kind, certificate: CertificateResource, present: Owned): OwnerReference[] {
  const { name } = certificate.metadata;
  const others = (present.ownerReferences ?? []).filter(
    (owner) => owner.apiVersion !== API_VERSION || owner.kind !== kind || owner.name !== name,
  );
  if (certificate.spec.secretDeletionPolicy !== 'Delete') return others;
  return [...others, ownerReference({ kind }, certificate)];
}

/** An owner reference, which has Kubernetes delete an object after its owner. */
export function ownerReference(
  { kind }: Kind,
  { metadata: { name, uid = '' } }: Pick<CertificateResource, 'metadata'>,
): OwnerReference {
  return { apiVersion: API_VERSION, kind, name, uid };
}

/** Whether a Secret has the owner references it should have, so that it is deleted with its certificate only if wanted. */
export function hasWantedOwners(type: Kind, certificate: CertificateResource, present: Owned): boolean {
  const { ownerReferences = [] } = present;
  const wanted = wantedOwners(type, certificate, present);
  return (
    wanted.length === ownerReferences.length &&
    wanted.every(({ uid }) => ownerReferences.some((owner) => owner.uid === uid))
  );
}

/** The metadata to write for the owner references; empty if they are right already. */
export function ownersChange(type: Kind, certificate: CertificateResource, present: Owned = {}): Owned {
  return hasWantedOwners(type, certificate, present)
    ? {}
    : { ownerReferences: wantedOwners(type, certificate, present) };
}
