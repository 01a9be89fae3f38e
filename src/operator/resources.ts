import type { Deps as CertificateDeps } from '../tinycert-certificates/context/deps.ts';
import type { Unfinalized } from '../tinycert-certificates/deletion/unfinalized.ts';
import type { TinyCertCertificate } from '../api/kinds.ts';
import type { KeyedIssuer } from '../issuance/tinycert/released-store.ts';
import type { Issuer } from '../tinycert-issuers/deps.ts';
import type { KubeClient } from '../kube/client.ts';
import type { Informer } from '../kube/watch/informer.ts';
import { keyOf, type KubeObject, type ResourceType } from '../kube/objects.ts';

/** All objects of a kind within reach, live. */
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

/** All resources as this process knows them, and those that are gone and not remembered yet. */
export function* knownResources(
  { certificates: store, writtenCertificates }: CertificateDeps,
  vanished: Unfinalized,
): Generator<TinyCertCertificate> {
  for (const certificate of store.values())
    yield writtenCertificates.newest(keyOf(certificate), certificate) ?? certificate;
  yield* vanished.pending();
}

/** The operator's Secrets that no resource names; what CAcert's keys wait in is among them. */
export function* strays({ nameClaims, secrets: cached }: CertificateDeps): Generator<[string, KubeObject]> {
  for (const secret of cached.values()) {
    const key = keyOf(secret);
    if (!nameClaims.has(key)) yield [key, secret];
  }
}

/** All issuers within reach, as watched. */
export function* watchedIssuers(
  kinds: readonly { prefix: string; store: Informer<Issuer>['store'] }[],
): Generator<KeyedIssuer> {
  for (const { prefix, store } of kinds)
    for (const issuer of store.values()) yield { key: `${prefix}${keyOf(issuer)}`, issuer };
}

/** The same, live. */
export async function listIssuers(
  kube: KubeClient,
  kinds: readonly { type: ResourceType<Issuer>; prefix: string }[],
  namespaces: readonly string[] | undefined,
  signal: AbortSignal,
): Promise<KeyedIssuer[]> {
  const lists = await Promise.all(
    kinds.map(async ({ type, prefix }) => {
      const items = await listAll(kube, type, namespaces, signal);
      return items.map((issuer) => ({ key: `${prefix}${keyOf(issuer)}`, issuer }));
    }),
  );
  return lists.flat();
}
