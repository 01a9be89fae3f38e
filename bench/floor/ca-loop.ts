/** The three CA calls of an issuance, with as little overhead as possible. */
import { createHmac } from 'node:crypto';
import { escapeForm } from '../../src/http/form.ts';
import type { Material } from './payloads.ts';
import { RawHttp } from './raw-http.ts';

/** The CA's endpoint, its root and the credentials. */
export interface CaAccess {
  /** Ends in /api/v1/. */
  endpoint: string;
  /** PEM to trust. */
  ca: string;
  credentials: { email: string; passphrase: string; apiKey: string };
}

const FORM = 'application/x-www-form-urlencoded';

/** Buys certificates of the account's first authority, over one pool and in one session. */
export class CaLoop {
  readonly #http: RawHttp;
  readonly #basePath: string;
  readonly #apiKey: string;
  #token = '';
  /** C= and O= of each order: those of the authority, since the service requires both. */
  #country = '';
  #organization = '';
  authorityId = 0;

  private constructor({ endpoint, ca, credentials }: CaAccess, connections: number) {
    const url = new URL(endpoint);
    this.#http = new RawHttp({ origin: url.origin, ca, connections });
    this.#basePath = url.pathname;
    this.#apiKey = credentials.apiKey;
  }

  /** Logs in and reads the authority. */
  static async open(access: CaAccess, connections: number): Promise<CaLoop> {
    const loop = new CaLoop(access, connections);
    const { email, passphrase } = access.credentials;
    const login = `email=${escapeForm(email)}&passphrase=${escapeForm(passphrase)}`;
    ({ token: loop.#token } = await loop.#call<{ token: string }>('connect', login));
    const [authority] = await loop.#call<{ id: number }[]>('ca/list', `token=${loop.#token}`);
    if (!authority) throw new TypeError('The account has no authority.');
    loop.authorityId = authority.id;
    const details = `ca_id=${authority.id}&token=${loop.#token}`;
    const { C, O } = await loop.#call<{ C: string; O: string }>('ca/details', details);
    loop.#country = escapeForm(C);
    loop.#organization = escapeForm(O);
    return loop;
  }

  /** Opens that many connections. */
  async warm(connections: number): Promise<void> {
    const list = (): Promise<unknown> => this.#call('ca/list', `token=${this.#token}`);
    await Promise.all(Array.from({ length: connections }, list));
  }

  /** cert/new, then chain and key at once. */
  async buy(commonName: string): Promise<{ certificateId: number; material: Material }> {
    // The signature requires ascending names, upper case first. Host names need no escaping.
    const order =
      `C=${this.#country}&CN=${commonName}&O=${this.#organization}&SANs%5B0%5D%5BDNS%5D=${commonName}` +
      `&SANs%5B1%5D%5BDNS%5D=www.${commonName}&ca_id=${this.authorityId}&token=${this.#token}`;
    const { cert_id: certificateId } = await this.#call<{ cert_id: number }>('cert/new', order);
    const [chain, key] = await Promise.all([
      this.#get(certificateId, 'chain'),
      this.#get(certificateId, 'key.dec'),
    ]);
    return { certificateId, material: { chain: chain.pem, key: key.pem } };
  }

  close(): Promise<void> {
    return this.#http.close();
  }

  #get(certificateId: number, what: string): Promise<{ pem: string }> {
    return this.#call('cert/get', `cert_id=${certificateId}&token=${this.#token}&what=${what}`);
  }

  async #call<T>(name: string, form: string): Promise<T> {
    const digest = createHmac('sha256', this.#apiKey).update(form).digest('hex');
    const answer = await this.#http.send('POST', this.#basePath + name, FORM, `${form}&digest=${digest}`);
    return JSON.parse(answer.toString('utf8')) as T;
  }
}
