import type { TinyCertCertificate } from '../api/kinds.ts';
import { API_VERSION } from '../api/names.ts';
import type { ObjectMeta, OwnerReference } from '../kube/objects.ts';

const KIND = 'TinyCertCertificate';

type Owned = Pick<ObjectMeta, 'ownerReferences'>;

/**
 * The owner references that a certificate's Secret is to have: what others put there, and with `secretDeletionPolicy: Delete`
 * the certificate, so that Kubernetes deletes the Secret after it. One of an earlier resource of the same name goes, since
 * the Secret would go with it.
 */
export function wantedOwners(certificate: TinyCertCertificate, present: Owned = {}): OwnerReference[] {
  const { name, uid = '' } = certificate.metadata;
  const others = (present.ownerReferences ?? []).filter(
    (owner) => owner.apiVersion !== API_VERSION || owner.kind !== KIND || owner.name !== name,
  );
  if (certificate.spec.secretDeletionPolicy !== 'Delete') return others;
  return [...others, { apiVersion: API_VERSION, kind: KIND, name, uid }];
}

/** Whether a Secret goes with its certificate exactly if it is to. */
export function hasWantedOwners(certificate: TinyCertCertificate, present: Owned): boolean {
  const { ownerReferences = [] } = present;
  const wanted = wantedOwners(certificate, present);
  return (
    wanted.length === ownerReferences.length &&
    wanted.every(({ uid }) => ownerReferences.some((owner) => owner.uid === uid))
  );
}

/** The part of a write of metadata that makes it so; nothing where it is so already. */
export function ownersChange(certificate: TinyCertCertificate, present: Owned = {}): Owned {
  return hasWantedOwners(certificate, present) ? {} : { ownerReferences: wantedOwners(certificate, present) };
}
