import type { TinyCertCertificate } from '../api/kinds.ts';
import type { KubeClient } from '../kube/client.ts';
import { type Secret, secrets } from '../kube/objects.ts';
import { AppError } from '../lib/errors.ts';
import type { Names } from '../x509/names.ts';
import type { Material } from './checks.ts';
import { ownersChange } from './secret-owner.ts';
import { secretData, secretMetadata, TLS_SECRET } from './outputs.ts';

/** The Secret already holds a newer certificate than the one at hand, which some other process put there. */
export class SecretIsNewer extends AppError {
  constructor() {
    super('SecretIsNewer', 'The Secret holds a newer certificate; it is not replaced by an older one.');
  }
}

/** What is to be written, and over what. */
export interface Publication {
  certificate: TinyCertCertificate;
  certificateId: number;
  names: Names;
  material: Material;
  /** The Secret as it was looked at, by its metadata; undefined if there was none. */
  present: Pick<Secret, 'metadata'> | undefined;
  /** The id of the certificate it holds, if that is certain; its annotation alone is not. */
  heldId?: number | undefined;
}

/**
 * Writes a certificate's Secret in one write (rule 5): a new one by POST, which fails if there is one by now, a present
 * one by a merge-patch that carries the version that was looked at. So it never replaces what nobody has seen.
 * Answers with the metadata of what was written.
 */
export async function publish(
  kube: KubeClient,
  publication: Publication,
  signal?: AbortSignal,
): Promise<Pick<Secret, 'metadata'>> {
  const { certificate, certificateId, names, material, present, heldId } = publication;
  const { name, namespace } = {
    name: certificate.spec.secretName,
    namespace: certificate.metadata.namespace,
  };
  const ref = { name, ...(namespace === undefined ? {} : { namespace }) };
  const { labels, annotations } = secretMetadata(certificate, names, certificateId);
  const metadata = { labels, annotations, ...ownersChange(certificate, present?.metadata) };
  const data = secretData(material);
  // Only the version is of interest, and no key material has to come back.
  const options = { metadataOnly: true, ...(signal ? { signal } : {}) };
  if (!present) {
    return kube.create(
      secrets,
      { apiVersion: 'v1', kind: 'Secret', type: TLS_SECRET, metadata: { ...ref, ...metadata }, data },
      options,
    );
  }
  if (heldId !== undefined && heldId > certificateId) throw new SecretIsNewer();
  const { resourceVersion } = present.metadata;
  return kube.mergePatch(secrets, ref, { metadata: { resourceVersion, ...metadata }, data }, options);
}
