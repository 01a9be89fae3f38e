import type { KeyedIssuer } from '../../issuance/tinycert/issuer-directory.ts';
import { keyOf, type ResourceType } from '../../kube/objects.ts';
import type { Issuer } from '../../tinycert-issuers/deps.ts';
import type { Informers } from './informers.ts';
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

  #kindOf(issuerKey: string): WatchedKind<Issuer> | undefined {
    return this.kinds.find(({ type }) => issuerKey.startsWith(prefixOf(type)));
  }
}

function prefixOf({ kind }: ResourceType): string {
  return `${kind}:`;
}
