import { type TinyCertClusterIssuer, type TinyCertIssuer, clusterIssuers, issuers } from '../../api/kinds.ts';
import type { KubeClient } from '../../kube/client.ts';
import { isConflict } from '../../kube/errors.ts';
import { parseKey } from '../../kube/objects.ts';
import { asError } from '../../lib/errors.ts';
import { failpoint } from '../../lib/failpoint.ts';
import { KeyedMutex } from '../../lib/mutex.ts';
import { type CrdsFit, rethrowRefusal } from '../status/outdated-crds.ts';
import type { IssuerDirectory } from './issuer-directory.ts';
import { type Abandoned, type ReleasedChange, type Released, withReleased } from './released.ts';

/** What is remembered. */
export interface ReleasedRecords {
  released: readonly Released[];
  abandoned: readonly Abandoned[];
}

/** The memory of an issuer, in its status: it outlives resources and processes (rule 8). */
export interface ReleasedStore {
  /**
   * Adds to what is remembered of an issuer, with what others give up at the same time in one write; resolves once it is
   * written. Nothing is written if all of it is known already, or if the issuer is gone and nobody is left to remember.
   * Throws an `ApiError`, `CrdsOutdated` where the installed CRD has no room for it, or `StatusRefused`.
   */
  give: (issuerKey: string, giving: ReleasedChange, signal: AbortSignal) => Promise<void>;
  /** What is remembered by all issuers of an authority, read live. */
  given: (authorityId: number, signal: AbortSignal) => Promise<ReleasedRecords>;
}

/** An issuer of either kind with its key in the directory. */
export interface KeyedIssuer {
  key: string;
  issuer: TinyCertIssuer | TinyCertClusterIssuer;
}

export interface ReleasedStoreOptions {
  kube: KubeClient;
  crds: CrdsFit;
  directory: IssuerDirectory;
  /** All issuers within reach, live. */
  listIssuers: (signal: AbortSignal) => Promise<KeyedIssuer[]>;
}

interface Waiting {
  giving: ReleasedChange;
  /** Once somebody has written it, or failed to. */
  outcome?: { error?: Error };
}

/** `ReleasedStore` in the status of the issuers. */
export class IssuerReleasedStore implements ReleasedStore {
  readonly #options: ReleasedStoreOptions;
  readonly #locks = new KeyedMutex();
  readonly #waiting = new Map<string, Set<Waiting>>();

  constructor(options: ReleasedStoreOptions) {
    this.#options = options;
  }

  async give(issuerKey: string, giving: ReleasedChange, signal: AbortSignal): Promise<void> {
    const own: Waiting = { giving };
    const waiting = this.#waiting.get(issuerKey) ?? new Set();
    this.#waiting.set(issuerKey, waiting.add(own));
    try {
      // Whoever comes first writes for all who wait by then.
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

  async given(authorityId: number, signal: AbortSignal): Promise<ReleasedRecords> {
    const { directory, listIssuers } = this.#options;
    const all = await listIssuers(signal);
    const statuses = all
      .filter((each) => isOfAuthority(directory, each, authorityId))
      .map(({ issuer }) => issuer.status);
    return {
      released: statuses.flatMap((status) => status?.released ?? []),
      abandoned: statuses.flatMap((status) => status?.abandoned ?? []),
    };
  }

  async #writeAll(issuerKey: string, waiting: ReadonlySet<Waiting>, signal: AbortSignal): Promise<void> {
    const batch = [...waiting].filter(({ outcome }) => outcome === undefined);
    try {
      await this.#write(
        issuerKey,
        batch.map(({ giving }) => giving),
        signal,
      );
      for (const each of batch) each.outcome = {};
    } catch (thrown) {
      // That the first one was told to stop is no reason for the others not to be written.
      if (signal.aborted) throw thrown;
      for (const each of batch) each.outcome = { error: asError(thrown) };
    }
  }

  async #write(issuerKey: string, givings: readonly ReleasedChange[], signal: AbortSignal): Promise<void> {
    const { kube, crds } = this.#options;
    const { type, ref } = resourceOf(issuerKey);
    for (;;) {
      const issuer = await kube.find(type, ref, { signal });
      const change = issuer && withReleased(issuer.status ?? {}, givings);
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
 * Whether an issuer is of an authority. What this process found counts; status, which others could write, only where it
 * found nothing.
 */
export function isOfAuthority(
  directory: IssuerDirectory,
  { key, issuer }: KeyedIssuer,
  authorityId: number,
): boolean {
  const state = directory.get(key);
  return (state?.ready ? state.issuer.authority.id : issuer.status?.authority?.id) === authorityId;
}

/** The resource that a key of the directory stands for. */
function resourceOf(issuerKey: string) {
  const colon = issuerKey.indexOf(':');
  const type = issuerKey.slice(0, colon) === issuers.kind ? issuers : clusterIssuers;
  return { type, ref: parseKey(issuerKey.slice(colon + 1)) };
}
