import type { KeyedIssuer } from '../../issuance/tinycert/released-store.ts';
import type { KubeClient } from '../../kube/client.ts';
import { isNotFound } from '../../kube/errors.ts';
import { keyOf, type ResourceType } from '../../kube/objects.ts';
import type { Issuer } from '../../tinycert-issuers/deps.ts';
import type { Informers } from './informers.ts';
import { listAll } from '../resources.ts';
import type { WatchedKind } from './watched-kind.ts';

/** The kinds of TinyCert issuers that the operator watches, asked by an issuer's key as in the directory (`issuerKey`). */
export class IssuerKinds {
  readonly kinds: readonly WatchedKind<Issuer>[];

  constructor({ issuers, clusterIssuers }: Pick<Informers, 'issuers' | 'clusterIssuers'>) {
    this.kinds = clusterIssuers ? [issuers, clusterIssuers] : [issuers];
  }

  /**
   * Whether there is such a resource, or may be one: true while its kind is not in sync, so that nobody concludes from an
   * empty cache that the issuer is gone.
   */
  exists(issuerKey: string): boolean {
    const kind = this.#kindOf(issuerKey);
    if (!kind) return false;
    return (
      kind.state !== 'synced' || kind.store.get(issuerKey.slice(prefixOf(kind.type).length)) !== undefined
    );
  }

  /** Whether there is such a resource that is being deleted. */
  isDeleted(issuerKey: string): boolean {
    const kind = this.#kindOf(issuerKey);
    const issuer = kind?.store.get(issuerKey.slice(prefixOf(kind.type).length));
    return issuer?.metadata.deletionTimestamp !== undefined;
  }

  /** False if the API server does not serve the issuer's kind. */
  isInstalled(issuerKey: string): boolean {
    return this.#kindOf(issuerKey)?.state !== 'absent';
  }

  /** All issuers in the caches. */
  *watched(): Generator<KeyedIssuer> {
    for (const { type, store } of this.kinds)
      for (const issuer of store.values()) yield { key: `${prefixOf(type)}${keyOf(issuer)}`, issuer };
  }

  /** The same, live. A kind that is not installed has none. Rejects with an `ApiError`. */
  async list(
    kube: KubeClient,
    namespaces: readonly string[] | undefined,
    signal: AbortSignal,
  ): Promise<KeyedIssuer[]> {
    const lists = await Promise.all(
      this.kinds.map(async ({ type }) => {
        const items = await listAll(kube, type, namespaces, signal).catch((error: unknown) => {
          if (isNotFound(error)) return [];
          throw error;
        });
        return items.map((issuer) => ({ key: `${prefixOf(type)}${keyOf(issuer)}`, issuer }));
      }),
    );
    return lists.flat();
  }

  #kindOf(issuerKey: string): WatchedKind<Issuer> | undefined {
    return this.kinds.find(({ type }) => issuerKey.startsWith(prefixOf(type)));
  }
}

function prefixOf({ kind }: ResourceType): string {
  return `${kind}:`;
}
