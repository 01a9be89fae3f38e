import type { KubeClient } from '../../kube/client.ts';
import { type KubeObject, type ObjectRef, type Secret, refKey, secrets } from '../../kube/objects.ts';
import type { Store } from '../../kube/watch/store.ts';
import {
  type CertificateKind,
  type CertificateResource,
  type SecretMetadata,
  secretRef,
} from '../certificate-kind.ts';
import { conditionOf } from '../status/conditions.ts';
import type { LastWritten } from '../status/last-written.ts';
import type { Material } from './check-material.ts';
import { hasMetadata, isOwnSecret, madeFor } from './metadata.ts';
import type { NameClaims } from './name-claims.ts';
import { hasWantedOwners, ownersChange } from './owner-references.ts';
import { type SecretContent, readSecret } from './read-secret.ts';

/** A certificate's Secret, as far as it had to be looked at. */
export type SecretView =
  /** Its watched version is the one in status: nothing changed, nothing was read. */
  | { state: 'unchanged'; metadata: Secret['metadata'] }
  | { state: 'absent' }
  /** There is one that is not ours, or that cannot be written. */
  | { state: 'foreign'; reason: 'SecretNotOwned' | 'SecretImmutable'; message: string }
  /** Ours, and not as status has it. `held` is what it holds, if that is whole. */
  | {
      state: 'changed';
      metadata: Secret['metadata'];
      held: SecretContent | undefined;
      hasMetadata: boolean;
    };

/** The version of a Secret that was looked at; undefined if there was none. */
export function present(view: SecretView): Pick<Secret, 'metadata'> | undefined {
  return view.state === 'unchanged' || view.state === 'changed' ? { metadata: view.metadata } : undefined;
}

/** What the Secrets of one kind of certificate are read and written with. */
export interface CertificateSecretsOptions<T extends CertificateResource> {
  kube: KubeClient;
  kind: CertificateKind<T>;
  /** The resources of the kind. */
  certificates: Pick<Store<T>, 'get'>;
  /** The operator's Secrets, as metadata. */
  watched: Pick<Store<KubeObject>, 'get'>;
  written: LastWritten<KubeObject>;
  claims: Pick<NameClaims, 'elderOf'>;
}

/** The Secrets of one kind of certificate: read when they may have changed, written whole, and never somebody else's. */
export class CertificateSecrets<T extends CertificateResource> {
  readonly #options: CertificateSecretsOptions<T>;

  constructor(options: CertificateSecretsOptions<T>) {
    this.#options = options;
  }

  /** Which other resource owns the Secret that a certificate names, if one does. */
  elderOf(certificate: T): string | undefined {
    const { claims, kind } = this.#options;
    return claims.elderOf(kind.type, certificate, this.#watched(secretRef(certificate)));
  }

  /**
   * The Secret of a certificate: read live, unless the watched one is the one in status and was looked at for this very
   * spec, which says what its annotations are.
   */
  async look(certificate: T, signal: AbortSignal): Promise<SecretView> {
    const { type } = this.#options.kind;
    const { secretUID, secretResourceVersion, conditions } = certificate.status ?? {};
    const isUnchanged = ({ metadata }: Pick<Secret, 'metadata'>): boolean =>
      metadata.uid === secretUID && metadata.resourceVersion === secretResourceVersion;
    const watched = this.#watched(secretRef(certificate));
    const isLookedAt =
      conditionOf(conditions, 'Ready')?.observedGeneration === certificate.metadata.generation;
    const isCurrent = (at: Secret['metadata']): boolean =>
      isLookedAt && hasWantedOwners(type, certificate, at);
    if (watched && isUnchanged(watched) && isCurrent(watched.metadata))
      return { state: 'unchanged', metadata: watched.metadata };
    const view = await this.read(certificate, signal);
    if (view.state !== 'changed' || !isUnchanged(view) || !view.hasMetadata) return view;
    return { state: 'unchanged', metadata: view.metadata };
  }

  /** The Secret of a certificate as it is, whatever status says of it. */
  async read(certificate: T, signal: AbortSignal): Promise<SecretView> {
    const secret = await this.#options.kube.find(secrets, secretRef(certificate), { signal });
    return secret ? this.#viewOf(certificate, secret) : { state: 'absent' };
  }

  /**
   * Writes a certificate's Secret in one write (rule 5): a new one by POST, which fails if there is one by now, a present
   * one by a merge-patch that carries the version that was looked at. So it never replaces what nobody has seen.
   * Answers with the metadata of what was written.
   */
  async publish(
    certificate: T,
    material: Material,
    wanted: SecretMetadata,
    seen: Pick<Secret, 'metadata'> | undefined,
    signal: AbortSignal,
  ): Promise<Secret['metadata']> {
    const { kube, kind } = this.#options;
    const ref = secretRef(certificate);
    const metadata = { ...wanted, ...ownersChange(kind.type, certificate, seen?.metadata) };
    const data = secretData(material);
    // Only the version is of interest, and no key material has to come back.
    const options = { metadataOnly: true, signal };
    const resourceVersion = seen?.metadata.resourceVersion;
    const written = seen
      ? await kube.mergePatch(secrets, ref, { metadata: { resourceVersion, ...metadata }, data }, options)
      : await kube.create(
          secrets,
          { apiVersion: 'v1', kind: 'Secret', type: TLS_SECRET, metadata: { ...ref, ...metadata }, data },
          options,
        );
    return this.#note(ref, resourceVersion, written);
  }

  /** Writes labels, annotations and owners, where the Secret lacks any of them. Answers with its metadata. */
  async keepMetadata(
    certificate: T,
    { metadata }: Pick<Secret, 'metadata'>,
    wanted: SecretMetadata,
    signal: AbortSignal,
  ): Promise<Secret['metadata']> {
    const { kube, kind } = this.#options;
    if (hasMetadata({ metadata }, wanted) && hasWantedOwners(kind.type, certificate, metadata))
      return metadata;
    const ref = secretRef(certificate);
    const { resourceVersion } = metadata;
    const change = { resourceVersion, ...wanted, ...ownersChange(kind.type, certificate, metadata) };
    const options = { metadataOnly: true, signal };
    const written = await kube.mergePatch(secrets, ref, { metadata: change }, options);
    return this.#note(ref, resourceVersion, written);
  }

  #note(
    ref: ObjectRef,
    before: string | undefined,
    { metadata }: Pick<Secret, 'metadata'>,
  ): Secret['metadata'] {
    this.#options.written.note(refKey(ref), before, { metadata });
    return metadata;
  }

  #watched(ref: ObjectRef): KubeObject | undefined {
    const key = refKey(ref);
    return this.#options.written.newest(key, this.#options.watched.get(key));
  }

  #viewOf(certificate: T, secret: Secret): SecretView {
    const { kind } = this.#options;
    const { name } = secret.metadata;
    const held = readSecret(kind, secret);
    if (
      !isOwnSecret(kind, certificate, secret, held?.leaf.serialNumber) &&
      !this.#isInherited(certificate, secret)
    ) {
      return {
        state: 'foreign',
        reason: 'SecretNotOwned',
        message: `The Secret ${name} exists and was not made for this certificate: choose another secretName, or delete the Secret.`,
      };
    }
    if (secret.immutable) {
      return {
        state: 'foreign',
        reason: 'SecretImmutable',
        message: `The Secret ${name} is immutable and cannot be renewed: choose another secretName, or delete the Secret.`,
      };
    }
    return {
      state: 'changed',
      metadata: secret.metadata,
      held,
      hasMetadata:
        hasMetadata(secret, kind.metadataOf(certificate)) &&
        hasWantedOwners(kind.type, certificate, secret.metadata),
    };
  }

  /**
   * Whether a Secret that was made for another resource falls to this one: the other is gone or names another Secret, and
   * this one waited for it, or asks for its certificate already. Without having waited it is left alone: whoever deleted
   * the other resource may have kept the Secret on purpose.
   */
  #isInherited(certificate: T, secret: Pick<Secret, 'metadata'>): boolean {
    const { kind, certificates } = this.#options;
    const name = madeFor(kind, secret);
    if (name === undefined) return false;
    const { namespace } = secretRef(certificate);
    const other = certificates.get(refKey({ namespace, name }));
    if (other?.spec.secretName === certificate.spec.secretName) return false;
    const hasWaited = conditionOf(certificate.status?.conditions, 'Ready')?.reason === 'DuplicateSecretName';
    return hasWaited || kind.isOpen(certificate);
  }
}

/** Type of the Secrets that are served by ingress controllers. */
export const TLS_SECRET = 'kubernetes.io/tls';

/** The files of a certificate's Secret, base64 as in `data`. */
export function secretData(material: Material): Record<string, string> {
  return {
    'tls.crt': base64(material.certificates),
    'tls.key': base64(material.key),
    'ca.crt': base64(material.root),
  };
}

function base64(text: string): string {
  return Buffer.from(text).toString('base64');
}
