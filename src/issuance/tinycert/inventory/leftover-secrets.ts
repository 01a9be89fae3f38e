import type { Account } from '../../../account/tinycert-account.ts';
import { SECRET_ANNOTATIONS } from '../../../api/names.ts';
import { type CertificateRef, certificateKey } from '../../../api/tinycert/identity.ts';
import { isAtCa } from '../lookup.ts';
import { readSecret } from '../../secret/read-secret.ts';
import { issuerKey } from '../issuer-directory.ts';
import { madeFor } from '../../secret/metadata.ts';
import { tinycertKind } from '../kind.ts';
import type { KubeClient } from '../../../kube/client.ts';
import { type KubeObject, parseKey, type Secret, secrets } from '../../../kube/objects.ts';
import { SharedCall } from '../../../lib/shared-call.ts';

/** What a Secret whose resource is gone claims to contain. */
interface SecretClaim {
  certificate: CertificateRef;
  /** Key of the issuer that it names. */
  issuerKey: string;
  namespace: string;
  /** Name of the resource that it was made for. */
  name: string;
  serialNumber: string;
  publicKeyFingerprint: string;
}

/** A certificate of a deleted resource, proved by the Secret that it left behind. */
export type LeftoverCertificate = Pick<SecretClaim, 'certificate' | 'issuerKey' | 'namespace' | 'name'>;

export interface LeftoverSecretsOptions {
  kube: Pick<KubeClient, 'find'>;
  /** The operator's watched Secrets that no resource names, by key. */
  strays: () => Iterable<readonly [key: string, secret: KubeObject]>;
}

const KINDS = ['TinyCertIssuer', 'TinyCertClusterIssuer'] as const;
/** How many Secrets one pass reads; the next pass reads the rest. */
export const MAX_READS = 200;

/**
 * Finds certificates whose resource was deleted while no operator ran. Their Secret remains, and names the certificate and
 * its issuer. Trusts it only if it has the private key of the CA's certificate with that id.
 */
export class LeftoverSecrets {
  readonly #options: LeftoverSecretsOptions;
  /** By uid and version of the Secret; undefined for one that claims nothing. */
  #read = new Map<string, SecretClaim | undefined>();
  readonly #claims = new SharedCall((signal) => this.#readClaims(signal));

  constructor(options: LeftoverSecretsOptions) {
    this.#options = options;
  }

  /**
   * Those of these certificates of the account that a Secret proves. Rejects with a `TinyCertError`, an `X509Error` or an
   * `ApiError`.
   */
  async of(
    certificates: readonly CertificateRef[],
    account: Account,
    signal: AbortSignal,
  ): Promise<LeftoverCertificate[]> {
    if (certificates.length === 0) return [];
    const wanted = new Set(certificates.map(certificateKey));
    const found = new Map<string, LeftoverCertificate>();
    for (const claim of await this.#claims.get(signal)) {
      const { certificate, issuerKey: of, namespace, name } = claim;
      const key = certificateKey(certificate);
      if (!wanted.has(key) || found.has(key)) continue;
      if (await isAtCa(account, certificate, claim, { signal }))
        found.set(key, { certificate, issuerKey: of, namespace, name });
    }
    return [...found.values()];
  }

  /** What the leftover Secrets claim. Reads each version of a Secret once. */
  async #readClaims(signal: AbortSignal): Promise<SecretClaim[]> {
    const { kube, strays } = this.#options;
    const read = new Map<string, SecretClaim | undefined>();
    let reads = 0;
    for (const [key, { metadata }] of strays()) {
      const version = `${metadata.uid} ${metadata.resourceVersion}`;
      if (this.#read.has(version)) {
        read.set(version, this.#read.get(version));
      } else if (reads < MAX_READS) {
        reads += 1;
        const secret = await kube.find(secrets, parseKey(key), { signal });
        read.set(version, secret && claimOf(secret));
      }
    }
    this.#read = read;
    return [...read.values()].filter((each) => each !== undefined);
  }
}

function claimOf(secret: Secret): SecretClaim | undefined {
  const { namespace = '', annotations = {} } = secret.metadata;
  const content = readSecret(tinycertKind, secret);
  const name = madeFor(tinycertKind, secret);
  const kind = KINDS.find((each) => each === annotations[SECRET_ANNOTATIONS.issuerKind]);
  const issuer = annotations[SECRET_ANNOTATIONS.issuerName];
  if (content?.claimed === undefined || name === undefined || kind === undefined || issuer === undefined)
    return undefined;
  const { serialNumber, publicKeyFingerprint } = content.leaf;
  return {
    certificate: content.claimed,
    issuerKey: issuerKey({ kind, name: issuer }, namespace),
    namespace,
    name,
    serialNumber,
    publicKeyFingerprint,
  };
}
