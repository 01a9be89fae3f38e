import { API_VERSION } from '../../api/names.ts';
import type { ObjectMeta, OwnerReference, ResourceType } from '../../kube/objects.ts';
import type { CertificateResource } from '../certificate-kind.ts';

type Owned = Pick<ObjectMeta, 'ownerReferences'>;
type Kind = Pick<ResourceType, 'kind'>;

/**
 * The owner references that a certificate's Secret is to have: what others put there, and with `secretDeletionPolicy: Delete`
 * the certificate, so that Kubernetes deletes the Secret after it. One of an earlier resource of the same name goes, since
 * the Secret would go with it.
 */
function wantedOwners({ kind }: Kind, certificate: CertificateResource, present: Owned): OwnerReference[] {
  const { name } = certificate.metadata;
  const others = (present.ownerReferences ?? []).filter(
    (owner) => owner.apiVersion !== API_VERSION || owner.kind !== kind || owner.name !== name,
  );
  if (certificate.spec.secretDeletionPolicy !== 'Delete') return others;
  return [...others, ownerReference({ kind }, certificate)];
}

/** A reference that has Kubernetes delete something after its owner. */
export function ownerReference(
  { kind }: Kind,
  { metadata: { name, uid = '' } }: Pick<CertificateResource, 'metadata'>,
): OwnerReference {
  return { apiVersion: API_VERSION, kind, name, uid };
}

/** Whether a Secret goes with its certificate exactly if it is to. */
export function hasWantedOwners(type: Kind, certificate: CertificateResource, present: Owned): boolean {
  const { ownerReferences = [] } = present;
  const wanted = wantedOwners(type, certificate, present);
  return (
    wanted.length === ownerReferences.length &&
    wanted.every(({ uid }) => ownerReferences.some((owner) => owner.uid === uid))
  );
}

/** The part of a write of metadata that makes it so; nothing where it is so already. */
export function ownersChange(type: Kind, certificate: CertificateResource, present: Owned = {}): Owned {
  return hasWantedOwners(type, certificate, present)
    ? {}
    : { ownerReferences: wantedOwners(type, certificate, present) };
}
