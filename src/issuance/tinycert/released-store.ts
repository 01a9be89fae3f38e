import { type TinyCertClusterIssuer, type TinyCertIssuer, clusterIssuers, issuers } from '../../api/kinds.ts';
import { type AuthorityRef, isSameAuthority } from '../../api/tinycert/identity.ts';
import type { KubeClient } from '../../kube/client.ts';
import { isConflict } from '../../kube/errors.ts';
import { parseKey } from '../../kube/objects.ts';
import { asError } from '../../lib/errors.ts';
import { failpoint } from '../../lib/failpoint.ts';
import { KeyedMutex } from '../../lib/mutex.ts';
import { type CrdsFit, rethrowRefusal } from '../status/outdated-crds.ts';
import type { IssuerDirectory } from './issuer-directory.ts';
import { type ReleasedAddition, type ReleasedEntries, recordsOf, releasedPatch } from './released.ts';

/** Released certificates and abandoned attempts. They outlive their resources and this process (`recordGivenUp`, `recordAbandoned`). */
export interface ReleasedStore {
  /**
   * Adds entries to an issuer, in one write with those that others add at the same time, and resolves once they are
   * stored. Writes nothing if the issuer has them already or no longer exists. Throws an `ApiError`, `CrdsOutdated` if the
   * installed CRD lacks the fields, or `StatusRefused`.
   */
  add: (issuerKey: string, addition: ReleasedAddition, signal: AbortSignal) => Promise<void>;
  /** Reads the entries about an authority on all issuers, live. Throws an `ApiError`. */
  read: (authority: AuthorityRef, signal: AbortSignal) => Promise<ReleasedEntries>;
}

/** An issuer of either kind, with its key in the directory. */
export interface KeyedIssuer {
  key: string;
  issuer: TinyCertIssuer | TinyCertClusterIssuer;
}

export interface ReleasedStoreOptions {
  kube: KubeClient;
  crds: CrdsFit;
  /** Lists all issuers that the operator may read, live. */
  listIssuers: (signal: AbortSignal) => Promise<KeyedIssuer[]>;
}

interface Waiting {
  addition: ReleasedAddition;
  /** Set once a write of it has succeeded or failed. */
  outcome?: { error?: Error };
}

/** A `ReleasedStore` in the status of the issuers. */
export class IssuerReleasedStore implements ReleasedStore {
  readonly #options: ReleasedStoreOptions;
  readonly #locks = new KeyedMutex();
  readonly #waiting = new Map<string, Set<Waiting>>();

  constructor(options: ReleasedStoreOptions) {
    this.#options = options;
  }

  async add(issuerKey: string, addition: ReleasedAddition, signal: AbortSignal): Promise<void> {
    const own: Waiting = { addition };
    const waiting = this.#waiting.get(issuerKey) ?? new Set();
    this.#waiting.set(issuerKey, waiting.add(own));
    try {
      // The first caller writes for all that wait by then.
      await this.#locks.run(
        issuerKey,
        () => (own.outcome ? undefined : this.#writeAll(issuerKey, waiting, signal)),
        signal,
      );
    } finally {
      waiting.delete(own);
      if (waiting.size === 0 && this.#waiting.get(issuerKey) === waiting) this.#waiting.delete(issuerKey);
    }
    if (own.outcome?.error) throw own.outcome.error;
  }

  async read(authority: AuthorityRef, signal: AbortSignal): Promise<ReleasedEntries> {
    const all = await this.#options.listIssuers(signal);
    const records = all.map(({ issuer }) => recordsOf(issuer.status ?? {}, authority));
    return {
      released: records.flatMap(({ released }) => released),
      abandoned: records.flatMap(({ abandoned }) => abandoned),
    };
  }

  async #writeAll(issuerKey: string, waiting: ReadonlySet<Waiting>, signal: AbortSignal): Promise<void> {
    const batch = [...waiting].filter(({ outcome }) => outcome === undefined);
    try {
      await this.#write(
        issuerKey,
        batch.map(({ addition }) => addition),
        signal,
      );
      for (const each of batch) each.outcome = {};
    } catch (thrown) {
      // Only the first caller was aborted: leave the others for the next one.
      if (signal.aborted) throw thrown;
      for (const each of batch) each.outcome = { error: asError(thrown) };
    }
  }

  async #write(
    issuerKey: string,
    additions: readonly ReleasedAddition[],
    signal: AbortSignal,
  ): Promise<void> {
    const { kube, crds } = this.#options;
    const { type, ref } = resourceOf(issuerKey);
    for (;;) {
      const issuer = await kube.find(type, ref, { signal });
      const change = issuer && releasedPatch(issuer.status ?? {}, additions);
      if (!change) return;
      const { resourceVersion } = issuer.metadata;
      const patch = { metadata: { resourceVersion }, status: change };
      const options = { subresource: 'status', fieldValidation: 'Strict', signal } as const;
      try {
        await kube
          .mergePatch(type, ref, patch, options)
          .catch((error: unknown) => rethrowRefusal(crds, error));
        failpoint('record');
        return;
      } catch (error) {
        if (!isConflict(error)) throw error;
      }
    }
  }
}

/**
 * Whether an issuer belongs to an authority. This process's own finding counts; status, which others may write, only if
 * there is none.
 */
export function isOfAuthority(
  directory: IssuerDirectory,
  { key, issuer }: KeyedIssuer,
  authority: AuthorityRef,
): boolean {
  const state = directory.get(key);
  const { account, id: authorityId } = issuer.status?.authority ?? {};
  return isSameAuthority(state?.ready ? state.issuer.authority : { account, authorityId }, authority);
}

/** The type and reference of the issuer with this key in the directory. */
function resourceOf(issuerKey: string) {
  const colon = issuerKey.indexOf(':');
  const type = issuerKey.slice(0, colon) === issuers.kind ? issuers : clusterIssuers;
  return { type, ref: parseKey(issuerKey.slice(colon + 1)) };
}
