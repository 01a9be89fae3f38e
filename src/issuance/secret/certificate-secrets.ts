import { isAlreadyExists, isConflict } from '../../kube/errors.ts';
import type { KubeClient } from '../../kube/client.ts';
import { type KubeObject, type ObjectRef, type Secret, keyOf, refKey, secrets } from '../../kube/objects.ts';
import type { Store } from '../../kube/watch/store.ts';
import {
  type CertificateKind,
  type CertificateResource,
  type SecretMetadata,
  secretRef,
} from '../certificate-kind.ts';
import { type BackoffOptions, backoffDelay } from '../../lib/backoff.ts';
import type { LastWritten } from '../status/last-written.ts';
import { type Stored, TLS_SECRET, assertFilesKept, storedAs } from './kept.ts';
import { hasMetadata, isOwnSecret, madeFor } from './metadata.ts';
import type { NameClaims } from './name-claims.ts';
import { type SecretSource, hasOutputs, renderOutputs } from './outputs.ts';
import { hasWantedOwners, ownersChange } from './owner-references.ts';
import { type SecretContent, readSecret } from './read-secret.ts';

/** What is known of a certificate's Secret. It is only read if it may have changed. */
export type SecretView =
  /** Its version is the one in status. */
  | { state: 'unchanged'; metadata: Secret['metadata'] }
  | { state: 'absent' }
  /** It exists, and is not ours or cannot be written. */
  | {
      state: 'foreign';
      metadata?: Secret['metadata'];
      reason: 'SecretNotOwned' | 'SecretImmutable';
      message: string;
    }
  /** It is ours and differs from what status records. */
  | {
      state: 'changed';
      metadata: Secret['metadata'];
      /** Undefined if no server could use it. */
      content: SecretContent | undefined;
      /** Whether its files are those that the spec wants of its content (`outputs`). */
      hasOutputs: boolean;
      /** Whether it has the labels, annotations and owners that the operator gives it. */
      hasMetadata: boolean;
    };

/** A Secret that differs from what status records. */
export type ChangedSecret = Extract<SecretView, { state: 'changed' }>;

/** The metadata of the Secret in a view; undefined if there is none that we may write. */
export function present(view: SecretView): Pick<Secret, 'metadata'> | undefined {
  return view.state === 'unchanged' || view.state === 'changed' ? { metadata: view.metadata } : undefined;
}

/** Whether a Secret has everything that spec and status ask of it. */
export function isChecked(view: SecretView): boolean {
  return view.state === 'unchanged' || (view.state === 'changed' && view.hasOutputs && view.hasMetadata);
}

/** How soon to look live at a Secret that no watch shows, by failures in a row. */
export const UNWATCHED_SECRET_RECHECK: BackoffOptions = { base: 30_000, max: 600_000, jitter: 0.1 };

export interface CertificateSecretsOptions<T extends CertificateResource> {
  kube: KubeClient;
  kind: CertificateKind<T>;
  /** The resources of this kind. */
  certificates: Pick<Store<T>, 'get'>;
  /** The metadata of the operator's Secrets. */
  watched: Pick<Store<KubeObject>, 'get'>;
  written: LastWritten<KubeObject>;
  claims: Pick<NameClaims, 'elderOf'>;
  /** Whether a resource has an attempt without a result. */
  isOpen: (certificate: T) => boolean;
}

/** The Secrets of one kind of certificate: read if they may have changed, written whole, and never someone else's. */
export class CertificateSecrets<T extends CertificateResource> {
  readonly #options: CertificateSecretsOptions<T>;

  constructor(options: CertificateSecretsOptions<T>) {
    this.#options = options;
  }

  /** The other resource that owns the Secret a certificate names, as `kind name`; undefined if there is none. */
  elderOf(certificate: T): string | undefined {
    const { claims, kind } = this.#options;
    return claims.elderOf(kind.type, certificate, this.#watched(secretRef(certificate)));
  }

  /**
   * The Secret of a certificate. Reads it live, unless the watched version is the one in status and was checked for the
   * present spec, which determines its files and annotations, without a failure since. Throws an `ApiError`.
   */
  async readIfChanged(certificate: T, signal: AbortSignal): Promise<SecretView> {
    const { type } = this.#options.kind;
    const { secretUID, secretResourceVersion, secretGeneration, failedAttempts } = certificate.status ?? {};
    const isUnchanged = ({ metadata }: Pick<Secret, 'metadata'>): boolean =>
      metadata.uid === secretUID && metadata.resourceVersion === secretResourceVersion;
    const watched = this.#watched(secretRef(certificate));
    const isOfSpec = secretGeneration === certificate.metadata.generation;
    // After a failure the version in status may be one that was not stored as it was written.
    const isCurrent = (at: Secret['metadata']): boolean =>
      isOfSpec && failedAttempts === undefined && hasWantedOwners(type, certificate, at);
    if (watched && isUnchanged(watched) && isCurrent(watched.metadata))
      return { state: 'unchanged', metadata: watched.metadata };
    const view = await this.read(certificate, signal);
    if (view.state !== 'changed' || !isChecked(view) || !isUnchanged(view)) return view;
    return { state: 'unchanged', metadata: view.metadata };
  }

  /** Whether the watch shows a Secret of ours under the name that a certificate gives. */
  isWatched(certificate: T): boolean {
    return this.#watched(secretRef(certificate)) !== undefined;
  }

  /** Reads the Secret of a certificate live, whatever status records. Throws an `ApiError`. */
  async read(certificate: T, signal: AbortSignal): Promise<SecretView> {
    const secret = await this.#options.kube.find(secrets, secretRef(certificate), { signal });
    return secret ? this.#viewOf(certificate, secret) : { state: 'absent' };
  }

  /**
   * Writes a certificate's Secret in one write and returns it as it was answered. It never replaces a version that was not
   * checked: a new Secret is created, which fails if one exists by now, and a present one is patched at the version
   * in `seen`. Throws an `ApiError`, or a `SecretAltered` if the answer holds other content.
   */
  async publish(
    certificate: T,
    source: SecretSource,
    wanted: SecretMetadata,
    seen: Pick<Secret, 'metadata'> | undefined,
    signal: AbortSignal,
  ): Promise<Stored> {
    const { kube, kind } = this.#options;
    const ref = secretRef(certificate);
    const metadata = { ...wanted, ...ownersChange(kind.type, certificate, seen?.metadata) };
    const data = renderOutputs(source, certificate.spec);
    const resourceVersion = seen?.metadata.resourceVersion;
    const secret = {
      apiVersion: 'v1',
      kind: 'Secret',
      type: TLS_SECRET,
      metadata: { ...ref, ...metadata },
      data: withoutNulls(data),
    };
    const patch = { metadata: { resourceVersion, ...metadata }, data };
    const written = await this.#writing(certificate, resourceVersion, signal, () =>
      seen ? kube.mergePatch(secrets, ref, patch, { signal }) : kube.create(secrets, secret, { signal }),
    );
    return this.#stored(certificate, resourceVersion, written, { wanted, data });
  }

  /**
   * Writes what a Secret lacks, in one write or none: the files of `source`, if there is one, and labels, annotations and
   * owners. The content and `source` must be known to come from the CA. Returns the Secret as it is
   * then. Throws as `publish` does.
   */
  async sync(
    certificate: T,
    { metadata }: Pick<Secret, 'metadata'>,
    wanted: SecretMetadata,
    source: SecretSource | undefined,
    signal: AbortSignal,
  ): Promise<Stored> {
    const { kube, kind } = this.#options;
    const isComplete = hasMetadata({ metadata }, wanted) && hasWantedOwners(kind.type, certificate, metadata);
    if (!source && isComplete) return { metadata };
    const ref = secretRef(certificate);
    const { resourceVersion } = metadata;
    const change = { resourceVersion, ...wanted, ...ownersChange(kind.type, certificate, metadata) };
    const data = source ? renderOutputs(source, certificate.spec) : {};
    const patch = { metadata: change, ...(source ? { data } : {}) };
    const written = await this.#writing(certificate, resourceVersion, signal, () =>
      kube.mergePatch(secrets, ref, patch, { signal }),
    );
    return this.#stored(certificate, resourceVersion, written, { wanted, data });
  }

  /**
   * Writes by `write`. If the Secret is not the version that was seen, it is looked at live, and that counts until the watch has caught
   * up (`liveFloor`): the next try decides on what is there and does not meet the same conflict.
   */
  async #writing(
    certificate: T,
    before: string | undefined,
    signal: AbortSignal,
    write: () => Promise<Secret>,
  ): Promise<Secret> {
    const { kube, written } = this.#options;
    try {
      return await write();
    } catch (error) {
      if (!isConflict(error) && !isAlreadyExists(error)) throw error;
      const live = await kube
        .findMetadata(secrets, secretRef(certificate), { signal })
        .catch(() => undefined);
      if (live && this.#exists(certificate))
        written.noteLive(refKey(secretRef(certificate)), before, { metadata: live.metadata });
      throw error;
    }
  }

  /**
   * In how many milliseconds to look at a certificate's Secret live, because no watch shows it: it lost its label as it was
   * written, or went before the watch had seen it. Undefined if the watch shows it, or if there is none. `view`: the Secret
   * as it was found before the last write.
   */
  looksAgainIn(certificate: T, view: SecretView): number | undefined {
    const { watched, written } = this.#options;
    const key = refKey(secretRef(certificate));
    if (watched.get(key)) return undefined;
    if (!present(view) && !written.newest(key, undefined)) return undefined;
    return backoffDelay(UNWATCHED_SECRET_RECHECK, certificate.status?.failedAttempts ?? 1);
  }

  /** Whether a certificate is still there: nobody would ask again for what is noted of another one. */
  #exists(certificate: T): boolean {
    const { certificates } = this.#options;
    return certificates.get(keyOf(certificate))?.metadata.uid === certificate.metadata.uid;
  }

  /** Notes a write as it was answered. Throws a `SecretAltered` if the answer does not hold `data`. */
  #stored(
    certificate: T,
    before: string | undefined,
    answer: Secret,
    { wanted, data }: { wanted: SecretMetadata; data: Record<string, string | null> },
  ): Stored {
    const { kind, written } = this.#options;
    const { metadata } = answer;
    if (this.#exists(certificate)) written.note(refKey(secretRef(certificate)), before, { metadata });
    assertFilesKept(answer, data);
    // A Secret of another type that is there already is filled nevertheless: it cannot be changed.
    return storedAs(kind, certificate, before === undefined ? answer : { metadata }, wanted);
  }

  #watched(ref: ObjectRef): KubeObject | undefined {
    const key = refKey(ref);
    return this.#options.written.newest(key, this.#options.watched.get(key));
  }

  #viewOf(certificate: T, secret: Secret): SecretView {
    const { kind } = this.#options;
    const { name } = secret.metadata;
    const content = readSecret(kind, secret);
    if (
      !isOwnSecret(kind, certificate, secret, content?.leaf.serialNumber) &&
      !this.#isInherited(certificate, secret)
    ) {
      return {
        state: 'foreign',
        metadata: secret.metadata,
        reason: 'SecretNotOwned',
        message: `The Secret ${name} exists and was not made for this certificate: choose another secretName, or delete the Secret.`,
      };
    }
    if (secret.immutable) {
      return {
        state: 'foreign',
        metadata: secret.metadata,
        reason: 'SecretImmutable',
        message: `The Secret ${name} is immutable and cannot be renewed: choose another secretName, or delete the Secret.`,
      };
    }
    return {
      state: 'changed',
      metadata: secret.metadata,
      content,
      hasOutputs: content !== undefined && hasOutputs(secret, content, certificate.spec),
      hasMetadata:
        hasMetadata(secret, kind.metadataOf(certificate)) &&
        hasWantedOwners(kind.type, certificate, secret.metadata),
    };
  }

  /**
   * Whether this resource inherits a Secret that was made for another: the other is gone or names another Secret, and this
   * one waited for it or is already issuing. A resource that did not wait leaves the Secret alone: it may have been kept on
   * purpose when the other resource was deleted.
   */
  #isInherited(certificate: T, secret: Pick<Secret, 'metadata'>): boolean {
    const { kind, certificates, isOpen } = this.#options;
    const name = madeFor(kind, secret);
    if (name === undefined) return false;
    const { namespace } = secretRef(certificate);
    const other = certificates.get(refKey({ namespace, name }));
    if (other?.spec.secretName === certificate.spec.secretName) return false;
    return certificate.status?.awaitedSecret === certificate.spec.secretName || isOpen(certificate);
  }
}

function withoutNulls(data: Record<string, string | null>): Record<string, string> {
  return Object.fromEntries(
    Object.entries(data).filter((file): file is [string, string] => file[1] !== null),
  );
}
