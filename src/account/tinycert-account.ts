import { BoundedMap } from '../lib/bounded-map.ts';
import { hmacHex } from '../lib/hash.ts';
import { KeyedMutex } from '../lib/mutex.ts';
import { OncePerKey } from '../lib/once-per-key.ts';
import type { AuthorityDetails, TinyCertClient, TinyCertCredentials } from '../tinycert/index.ts';
import type { Gate } from './gate/gate.ts';
import { HighestIds, type IdList } from './highest-ids.ts';

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

/** One TinyCert login and what all its users share. What it remembers of the CA is dropped with it. */
export class Account {
  readonly client: TinyCertClient;
  readonly gate: Gate;
  /** Locks one issuance at a time per authority and common name: recovery tells certificates apart by these two. */
  readonly locks = new KeyedMutex();
  /** Answers about authorities, by authority id. They do not change, so each is fetched once. */
  readonly authorities = new OncePerKey<number, AuthorityAnswer>();
  /**
   * Hashes of the requests that certificates were issued for, by `<authority id> <certificate id>`. A certificate's request
   * never changes, so that later recoveries need not fetch its details again.
   */
  readonly requestHashes = new BoundedMap<string, string>(MAX_REQUEST_HASHES);
  readonly #sealKey: string;
  readonly #highest = new HighestIds();
  /** The uid of the resource that first heard of a certificate, by `<authority id> <certificate id>`. */
  readonly #firstHeardBy = new BoundedMap<string, string>(MAX_ANSWERS);

  constructor(options: { client: TinyCertClient; gate: Gate; apiKey: string }) {
    this.client = options.client;
    this.gate = options.gate;
    this.#sealKey = hmacHex(options.apiKey, 'tinycert-operator seal');
  }

  /** An authentication code for `text`, which only a holder of the account's API key can make. */
  seal(text: string): string {
    return hmacHex(this.#sealKey, text);
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
  hearsFirst(authorityId: number, certificateId: number, uid: string): boolean {
    const key = `${authorityId} ${certificateId}`;
    const first = this.#firstHeardBy.get(key) ?? uid;
    this.#firstHeardBy.set(key, first);
    return first === uid;
  }

  /** The resource with this uid does not believe the answer, so another one may hear of the certificate first. */
  disbelieve(authorityId: number, certificateId: number, uid: string): void {
    const key = `${authorityId} ${certificateId}`;
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
