import type { CAcertCertificate } from '../api/kinds.ts';
import { cacertCertificates } from '../api/kinds.ts';
import { CACERT_ANNOTATIONS, MANAGED_LABEL } from '../api/names.ts';
import { isNotFound } from '../kube/errors.ts';
import type { LastWritten } from '../issuance/status/last-written.ts';
import { ownerReference } from '../issuance/secret/owner-references.ts';
import type { KubeClient } from '../kube/client.ts';
import { type KubeObject, type ObjectRef, refKey, type Secret, secrets } from '../kube/objects.ts';
import { trimEndOf } from '../lib/text.ts';
import { X509Error } from '../x509/errors.ts';
import { type PrivateKey, readPrivateKey } from '../x509/private-key.ts';

/** The file for a certificate that a person adds late, and for one that must not be served. */
export const CERTIFICATE_FILE = 'tls.crt';
const KEY_FILE = 'tls.key';

/** The Secret of a key whose certificate has not arrived yet. */
export type PendingView =
  | { state: 'absent' }
  /** A Secret of that name exists that the operator did not make for this certificate. */
  | { state: 'foreign' }
  | {
      state: 'present';
      metadata: Secret['metadata'];
      /** Name of the account that the certificate was requested from. */
      account: string | undefined;
      /** Undefined if somebody removed or damaged it. */
      key: PrivateKey | undefined;
      /** The certificate beside the key: PEM, not checked. */
      certificate: string | undefined;
    };

export interface PendingKeysOptions {
  kube: KubeClient;
  written: LastWritten<KubeObject>;
}

/** The Secret of a certificate's pending key. Its name contains the uid, as an earlier resource may have had the same name. */
export function pendingSecretRef({ metadata }: Pick<CAcertCertificate, 'metadata'>): ObjectRef & {
  namespace: string;
} {
  const { namespace = '', name, uid = '' } = metadata;
  return { namespace, name: `${trimEndOf(name.slice(0, 200), '.-')}-pending-${uid.slice(0, 8)}` };
}

/**
 * Stores keys whose certificates have not arrived yet, each in a Secret of its own. The Secret is written before CAcert is
 * asked and stays until a certificate for the key is served. So a certificate whose delivery was lost or late still has
 * its key.
 */
export class PendingKeys {
  readonly #options: PendingKeysOptions;

  constructor(options: PendingKeysOptions) {
    this.#options = options;
  }

  /** Reads the pending key of a certificate. */
  async read(certificate: CAcertCertificate, signal: AbortSignal): Promise<PendingView> {
    const secret = await this.#options.kube.find(secrets, pendingSecretRef(certificate), { signal });
    if (!secret) return { state: 'absent' };
    const { labels = {}, annotations = {} } = secret.metadata;
    const isOwn =
      labels[MANAGED_LABEL] === 'true' &&
      annotations[CACERT_ANNOTATIONS.pending] === certificate.metadata.uid;
    if (!isOwn) return { state: 'foreign' };
    return {
      state: 'present',
      metadata: secret.metadata,
      account: annotations[CACERT_ANNOTATIONS.accountName],
      key: keyOf(text(secret, KEY_FILE)),
      certificate: text(secret, CERTIFICATE_FILE) || undefined,
    };
  }

  /**
   * Stores a key for a certificate. It replaces the key in `seen`, and the certificate beside that one. A Secret that
   * changed since it was seen, or that appeared since, is a conflict.
   */
  async keep(
    certificate: CAcertCertificate,
    seen: PendingView,
    key: PrivateKey,
    signal: AbortSignal,
  ): Promise<Extract<PendingView, { state: 'present' }>> {
    const ref = pendingSecretRef(certificate);
    const account = certificate.spec.accountRef.name;
    const data = { [KEY_FILE]: base64(key.toPkcs8()), [CERTIFICATE_FILE]: base64('') };
    const before = seen.state === 'present' ? seen.metadata.resourceVersion : undefined;
    const written =
      seen.state === 'present'
        ? await this.#patch(
            ref,
            {
              metadata: {
                resourceVersion: before,
                annotations: { [CACERT_ANNOTATIONS.accountName]: account },
              },
              data,
            },
            signal,
          )
        : await this.#options.kube.create(
            secrets,
            { apiVersion: 'v1', kind: 'Secret', type: 'Opaque', metadata: this.#metadata(certificate), data },
            { metadataOnly: true, signal },
          );
    this.#options.written.note(refKey(ref), before, { metadata: written.metadata });
    return { state: 'present', metadata: written.metadata, account, key, certificate: undefined };
  }

  /** Stores a certificate beside the key, if the Secret has not changed since it was seen. */
  async keepCertificate(
    certificate: CAcertCertificate,
    { metadata }: Extract<PendingView, { state: 'present' }>,
    pem: string,
    signal: AbortSignal,
  ): Promise<void> {
    const { resourceVersion } = metadata;
    const ref = pendingSecretRef(certificate);
    const patch = { metadata: { resourceVersion }, data: { [CERTIFICATE_FILE]: base64(pem) } };
    const written = await this.#patch(ref, patch, signal);
    this.#options.written.note(refKey(ref), resourceVersion, { metadata: written.metadata });
  }

  /** Deletes the Secret, if it has not changed since it was seen. One that is already gone is no error. */
  async forget(
    certificate: CAcertCertificate,
    { metadata }: { metadata: Secret['metadata'] },
    signal: AbortSignal,
  ): Promise<void> {
    const { uid, resourceVersion } = metadata;
    const only = { ...(uid ? { uid } : {}), ...(resourceVersion ? { resourceVersion } : {}) };
    try {
      await this.#options.kube.delete(secrets, pendingSecretRef(certificate), { ...only, signal });
    } catch (error) {
      if (!isNotFound(error)) throw error;
    }
  }

  #patch(ref: ObjectRef, patch: object, signal: AbortSignal): Promise<Pick<Secret, 'metadata'>> {
    return this.#options.kube.mergePatch(secrets, ref, patch, { metadataOnly: true, signal });
  }

  #metadata(certificate: CAcertCertificate): Secret['metadata'] {
    return {
      ...pendingSecretRef(certificate),
      labels: { [MANAGED_LABEL]: 'true' },
      annotations: {
        [CACERT_ANNOTATIONS.pending]: certificate.metadata.uid ?? '',
        [CACERT_ANNOTATIONS.accountName]: certificate.spec.accountRef.name,
      },
      ownerReferences: [ownerReference(cacertCertificates, certificate)],
    };
  }
}

/** The certificate beside a pending key, if there is one. */
export function certificateBeside(view: PendingView): string | undefined {
  return view.state === 'present' ? view.certificate : undefined;
}

function keyOf(pem: string): PrivateKey | undefined {
  try {
    return readPrivateKey(pem);
  } catch (error) {
    if (error instanceof X509Error) return undefined;
    throw error;
  }
}

function text({ data = {} }: Secret, file: string): string {
  return Buffer.from(data[file] ?? '', 'base64').toString('latin1');
}

function base64(content: string): string {
  return Buffer.from(content).toString('base64');
}
