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
  readonly #sealKeys: { installation: string; apiKey: string };
  readonly #highest = new Map<number, number>();

  /** `id`: endpoint and e-mail of the account. `sealKey`: of this installation, or of a test. */
  constructor(options: {
    client: TinyCertClient;
    gate: Gate;
    id: string;
    apiKey: string;
    sealKey: string | Uint8Array;
  }) {
    const { client, gate, id, apiKey, sealKey } = options;
    this.client = client;
    this.gate = gate;
    this.#sealKeys = {
      installation: hmacHex(sealKey, `tinycert-operator seal\n${id}`),
      apiKey: hmacHex(apiKey, 'tinycert-operator seal'),
    };
  }

  /**
   * Two authentication codes for `text`: one that only this installation can make for this account, and one that only a holder
   * of the account's present API key can make.
   */
  sealCodes(text: string): { installation: string; apiKey: string } {
    const { installation, apiKey } = this.#sealKeys;
    return { installation: hmacHex(installation, text), apiKey: hmacHex(apiKey, text) };
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
