import type { Account } from '../../../account/tinycert-account.ts';
import { SECRET_ANNOTATIONS } from '../../../api/names.ts';
import { isAtCa } from '../lookup.ts';
import { readSecret } from '../../secret/read-secret.ts';
import { issuerKey } from '../issuer-directory.ts';
import { madeFor } from '../../secret/metadata.ts';
import { tinycertKind } from '../kind.ts';
import type { KubeClient } from '../../../kube/client.ts';
import { type KubeObject, parseKey, type Secret, secrets } from '../../../kube/objects.ts';

/** What a Secret whose resource is gone says that it holds. */
interface SecretRecord {
  certificateId: number;
  /** Key of the issuer that it names. */
  issuerKey: string;
  namespace: string;
  /** Name of the resource that it was made for. */
  name: string;
  serialNumber: string;
  publicKeyFingerprint: string;
}

/** A certificate of a resource that is gone, proved by the Secret that it left behind. */
export type LeftoverCertificate = Pick<SecretRecord, 'certificateId' | 'issuerKey' | 'namespace' | 'name'>;

export interface LeftoverSecretsOptions {
  kube: Pick<KubeClient, 'find'>;
  /** The operator's Secrets that no resource names, as watched, by key. */
  strays: () => Iterable<readonly [key: string, secret: KubeObject]>;
}

const KINDS = ['TinyCertIssuer', 'TinyCertClusterIssuer'] as const;
/** Secrets that are read in one pass; the rest come with the next. */
const MAX_READS = 200;

/**
 * Finds what was deleted while no operator ran: the Secret stays, and names the certificate and its issuer. It is believed
 * only if it holds the private key of the certificate that the CA has under that id.
 */
export class LeftoverSecrets {
  readonly #options: LeftoverSecretsOptions;
  /** By uid and version of the Secret; undefined for one that says nothing. */
  #read = new Map<string, SecretRecord | undefined>();

  constructor(options: LeftoverSecretsOptions) {
    this.#options = options;
  }

  /** Of these certificates those that Secrets prove. Rejects with a `TinyCertError` or an `ApiError`. */
  async of(ids: ReadonlySet<number>, account: Account, signal: AbortSignal): Promise<LeftoverCertificate[]> {
    if (ids.size === 0) return [];
    const found = new Map<number, LeftoverCertificate>();
    for (const testimony of await this.#testimonies(signal)) {
      const { certificateId, issuerKey: key, namespace, name } = testimony;
      if (!ids.has(certificateId) || found.has(certificateId)) continue;
      if (await isAtCa(account.client, certificateId, testimony, { signal }))
        found.set(certificateId, { certificateId, issuerKey: key, namespace, name });
    }
    return [...found.values()];
  }

  /** Each version of a Secret is read once. */
  async #testimonies(signal: AbortSignal): Promise<SecretRecord[]> {
    const { kube, strays } = this.#options;
    const read = new Map<string, SecretRecord | undefined>();
    let reads = 0;
    for (const [key, { metadata }] of strays()) {
      const version = `${metadata.uid} ${metadata.resourceVersion}`;
      if (this.#read.has(version)) {
        read.set(version, this.#read.get(version));
      } else if (reads < MAX_READS) {
        reads += 1;
        const secret = await kube.find(secrets, parseKey(key), { signal });
        read.set(version, secret && testimonyOf(secret));
      }
    }
    this.#read = read;
    return [...read.values()].filter((each) => each !== undefined);
  }
}

function testimonyOf(secret: Secret): SecretRecord | undefined {
  const { namespace = '', annotations = {} } = secret.metadata;
  const held = readSecret(tinycertKind, secret);
  const name = madeFor(tinycertKind, secret);
  const kind = KINDS.find((each) => each === annotations[SECRET_ANNOTATIONS.issuerKind]);
  const issuer = annotations[SECRET_ANNOTATIONS.issuerName];
  if (held?.claimedId === undefined || name === undefined || kind === undefined || issuer === undefined)
    return undefined;
  const { serialNumber, publicKeyFingerprint } = held.leaf;
  return {
    certificateId: held.claimedId,
    issuerKey: issuerKey({ kind, name: issuer }, namespace),
    namespace,
    name,
    serialNumber,
    publicKeyFingerprint,
  };
}
