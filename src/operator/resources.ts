import type { Deps as CertificateDeps } from '../tinycert-certificates/context/deps.ts';
import type { Unfinalized } from '../tinycert-certificates/deletion/unfinalized.ts';
import type { TinyCertCertificate } from '../api/kinds.ts';
import type { KubeClient } from '../kube/client.ts';
import { keyOf, type KubeObject, type ResourceType } from '../kube/objects.ts';

/** All objects of a kind in the operator's namespaces, live. Rejects with an `ApiError`. */
export async function listAll<T extends KubeObject>(
  kube: KubeClient,
  type: ResourceType<T>,
  namespaces: readonly string[] | undefined,
  signal: AbortSignal,
): Promise<T[]> {
  const parts = type.namespaced && namespaces ? namespaces : [undefined];
  const lists = await Promise.all(
    parts.map((namespace) =>
      kube.listAll(type, { signal, ...(namespace === undefined ? {} : { namespace }) }),
    ),
  );
  return lists.flatMap(({ items }) => items);
}

/** All TinyCertCertificates in their newest known version, and those that are gone but not yet on record. */
export function* knownResources(
  { certificates: store, writtenCertificates }: Pick<CertificateDeps, 'certificates' | 'writtenCertificates'>,
  unfinalized: Pick<Unfinalized, 'pending'>,
): Generator<TinyCertCertificate> {
  for (const certificate of store.values())
    yield writtenCertificates.newest(keyOf(certificate), certificate) ?? certificate;
  yield* unfinalized.pending();
}

/** The operator's Secrets that no certificate names, with their keys. Secrets of pending CAcert keys are among them. */
export function* strays({
  nameClaims,
  secrets: cached,
}: Pick<CertificateDeps, 'nameClaims' | 'secrets'>): Generator<[string, KubeObject]> {
  for (const secret of cached.values()) {
    const key = keyOf(secret);
    if (!nameClaims.has(key)) yield [key, secret];
  }
}
