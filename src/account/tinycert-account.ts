import { type AccountDigest, certificateKey, type CertificateRef } from '../api/tinycert/identity.ts';
import { BoundedMap } from '../lib/bounded-map.ts';
import { hmacHex } from '../lib/hash.ts';
import { OncePerKey } from '../lib/once-per-key.ts';
import type { AuthorityDetails, TinyCertClient, TinyCertCredentials } from '../tinycert/index.ts';
import type { Gate } from './gate/gate.ts';
import { HighestIds, type IdList } from './tinycert/highest-ids.ts';

/** Everything that identifies an account and the way to reach it. */
export interface AccountConnection {
  endpoint: string;
  /** PEM bundle that replaces the system's roots for this endpoint. */
  ca?: string | undefined;
  credentials: TinyCertCredentials;
  allowLoopbackHttp?: boolean | undefined;
}

/** What the CA returned for one authority. */
export interface AuthorityAnswer {
  details: AuthorityDetails;
  /** The authority's certificate. */
  pem: string;
}

/** Certificates whose request hash an account remembers. */
const MAX_REQUEST_HASHES = 10_000;
/** Answers whose resource an account remembers. */
const MAX_ANSWERS = 10_000;

/** The key for seals that derives from an installation's key, or from an API key. */
export function sealSubkey(key: string | Uint8Array): string {
  return hmacHex(key, 'tinycert-operator seal');
}

/** One TinyCert login and what all its users share. What it remembers of the CA is dropped with it. */
export class Account {
  /** Names the account in a status; equal for all logins to it. */
  readonly digest: AccountDigest;
  readonly client: TinyCertClient;
  readonly gate: Gate;
  /** Answers about authorities, by authority id. They do not change, so each is fetched once. */
  readonly authorities = new OncePerKey<number, AuthorityAnswer>();
  /**
   * Hashes of the requests that certificates were issued for, by `<authority id> <certificate id>`. A certificate's request
   * never changes, so that later recoveries need not fetch its details again.
   */
  readonly requestHashes = new BoundedMap<string, string>(MAX_REQUEST_HASHES);
  readonly #sealKeys: { installation: string; apiKey: string };
  readonly #highest = new HighestIds();
  /** The uid of the resource that first heard of a certificate, by its key. */
  readonly #firstHeardBy = new BoundedMap<string, string>(MAX_ANSWERS);

  /** `sealKey`: of this installation. */
  constructor(options: {
    digest: AccountDigest;
    client: TinyCertClient;
    gate: Gate;
    apiKey: string;
    sealKey: string | Uint8Array;
  }) {
    const { digest, client, gate, apiKey, sealKey } = options;
    this.digest = digest;
    this.client = client;
    this.gate = gate;
    this.#sealKeys = {
      installation: sealSubkey(sealKey),
      apiKey: sealSubkey(apiKey),
    };
  }

  /**
   * Two authentication codes for `text`: one that only this installation can make, for any of its accounts, and one that only a
   * holder of this account's present API key can make.
   */
  sealCodes(text: string): { installation: string; apiKey: string } {
    const { installation, apiKey } = this.#sealKeys;
    return { installation: hmacHex(installation, text), apiKey: hmacHex(apiKey, text) };
  }

  /** The highest certificate id known of an authority, from its list and from answers; undefined before the list. */
  highestId(authorityId: number): number | undefined {
    return this.#highest.of(authorityId);
  }

  /** Notes that the CA answered with a certificate of this id. */
  noteId(authorityId: number, certificateId: number): void {
    this.#highest.note(authorityId, certificateId);
  }

  /**
   * Whether a resource is the first that the CA named this certificate to as its purchase, as far as this process knows: the
   * status of another one that heard of it a moment ago may not have it yet. `uid`: of the resource.
   */
  hearsFirst(certificate: CertificateRef, uid: string): boolean {
    const key = certificateKey(certificate);
    const first = this.#firstHeardBy.get(key) ?? uid;
    this.#firstHeardBy.set(key, first);
    return first === uid;
  }

  /** The resource with this uid does not believe the answer, so another one may hear of the certificate first. */
  disbelieve(certificate: CertificateRef, uid: string): void {
    const key = certificateKey(certificate);
    if (this.#firstHeardBy.get(key) === uid) this.#firstHeardBy.delete(key);
  }

  /** Begins to read the list of an authority. */
  listIds(authorityId: number): IdList {
    return this.#highest.list(authorityId);
  }

  /** Ends the session and closes the connections. */
  async close(): Promise<void> {
    await this.client.close({ disconnect: true });
  }
}
