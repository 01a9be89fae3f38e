import { hmacHex } from '../lib/hash.ts';
import { KeyedMutex } from '../lib/mutex.ts';
import type { TinyCertClient, TinyCertCredentials } from '../tinycert/index.ts';
import type { Gate } from './gate/gate.ts';

/** All that decides which account is meant and how it is reached. */
export interface AccountConnection {
  endpoint: string;
  /** PEM bundle that replaces the system's roots for this endpoint. */
  ca?: string | undefined;
  credentials: TinyCertCredentials;
  allowLoopbackHttp?: boolean | undefined;
}

/** One TinyCert login, with what everybody who uses it shares. */
export class Account {
  readonly client: TinyCertClient;
  readonly gate: Gate;
  /** One issuance at a time for each authority and common name: recovery tells certificates apart by them. */
  readonly locks = new KeyedMutex();
  readonly #sealKey: string;
  readonly #highest = new Map<number, number>();

  constructor(options: { client: TinyCertClient; gate: Gate; apiKey: string }) {
    this.client = options.client;
    this.gate = options.gate;
    this.#sealKey = hmacHex(options.apiKey, 'tinycert-operator seal');
  }

  /** An authentication code for `text` that only somebody with the account's API key can make. */
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
