import { BoundedMap } from '../lib/bounded-map.ts';
import { hmacHex } from '../lib/hash.ts';
import { OncePerKey } from '../lib/once-per-key.ts';
import type { AuthorityDetails, TinyCertClient, TinyCertCredentials } from '../tinycert/index.ts';
import type { Gate } from './gate/gate.ts';

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

/** One TinyCert login and what all its users share. What it remembers of the CA is dropped with it. */
export class Account {
  readonly client: TinyCertClient;
  readonly gate: Gate;
  /** Answers about authorities, by authority id. They do not change, so each is fetched once. */
  readonly authorities = new OncePerKey<number, AuthorityAnswer>();
  /**
   * Hashes of the requests that certificates were issued for, by `<authority id> <certificate id>`. A certificate's request
   * never changes, so that later recoveries need not fetch its details again.
   */
  readonly requestHashes = new BoundedMap<string, string>(MAX_REQUEST_HASHES);
  readonly #sealKey: string;
  readonly #highest = new Map<number, number>();

  constructor(options: { client: TinyCertClient; gate: Gate; apiKey: string }) {
    this.client = options.client;
    this.gate = options.gate;
    this.#sealKey = hmacHex(options.apiKey, 'tinycert-operator seal');
  }

  /** An authentication code for `text`, which only a holder of the account's API key can make. */
  seal(text: string): string {
    return hmacHex(this.#sealKey, text);
  }

  /** The highest certificate id known of an authority, from its list and from replies; undefined before the list. */
  highestId(authorityId: number): number | undefined {
    return this.#highest.get(authorityId);
  }

  /** Notes that the authority has a certificate of this id (0: that its list was empty). */
  noteId(authorityId: number, certificateId: number): void {
    this.#highest.set(authorityId, Math.max(this.#highest.get(authorityId) ?? 0, certificateId));
  }

  /** Ends the session and closes the connections. */
  async close(): Promise<void> {
    await this.client.close({ disconnect: true });
  }
}
