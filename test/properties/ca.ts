import { generateKeyPairSync } from 'node:crypto';
import type { Clock } from '../../src/lib/clock.ts';
import type { Service as CaService } from '../../tools/dev-server/calls/call.ts';
import { AUTHORITY_UNIT, authorityUrls, issue, setStatus } from '../../tools/dev-server/calls/issuing.ts';
import { API_PATH, admit, routeOf } from '../../tools/dev-server/calls/router.ts';
import { formPairs, nestForm } from '../../tools/dev-server/http/form.ts';
import { ServiceError } from '../../tools/dev-server/service-error.ts';
import { defaultSettings } from '../../tools/dev-server/settings.ts';
import { shownParams } from '../../tools/dev-server/state/journal.ts';
import { RateLimit } from '../../tools/dev-server/state/rate-limit.ts';
import { Sessions } from '../../tools/dev-server/state/sessions.ts';
import { type Account, type Certificate, Store, statusAt } from '../../tools/dev-server/state/store.ts';
import type { CertificateStatus, JournalEntry } from '../../tools/dev-server/types.ts';
import { type KeyPair, type KeyPool, keyPairFromPem } from '../../tools/dev-server/x509/keys.ts';
import {
  authorityExtensions,
  certificate as writeCertificate,
  distinguishedName,
} from '../../tools/dev-server/x509/x509.ts';
import { type AnyCall, Faults } from './fates.ts';
import type { Handling, Network, Reply } from './network.ts';

/** One call that arrived. */
export interface Call extends AnyCall {
  params: Record<string, string>;
  /** Why the CA refused it of its own accord. */
  refusal?: string;
  /** What it made or changed, once it was carried out. */
  result?: JournalEntry['result'];
}

const AUTHORITY_ID = 101;
/** When the client has given up, at the latest, in milliseconds. */
const GIVEN_UP_MS = 20_000;

/** A CA in memory: the dev server's calls, sessions and certificates, without its sockets, in virtual time. */
export class MemoryCa {
  readonly name: string;
  readonly endpoint: string;
  readonly authorityId = AUTHORITY_ID;
  readonly account: Account;
  readonly calls: Call[] = [];
  readonly #clock: Clock;
  readonly #service: CaService;
  readonly faults: Faults;

  constructor(options: { name: string; port: number; clock: Clock; random: () => number; network: Network }) {
    const { name, port, clock, random, network } = options;
    this.name = name;
    this.endpoint = `http://127.0.0.1:${port}${API_PATH}`;
    this.#clock = clock;
    this.faults = new Faults({ random, giveUpMs: GIVEN_UP_MS });
    const store = new Store();
    this.account = {
      id: 1,
      email: 'ops@example.com',
      passphrase: `open ${name}`,
      apiKey: `key of ${name} 0`,
    };
    store.accounts.set(1, this.account);
    this.#service = {
      store,
      keys: { take: () => Promise.resolve(freshKey()) } as unknown as KeyPool,
      settings: { ...defaultSettings(), otherCustomers: 0 },
      now: () => clock.now(),
      urlBase: 'http://127.0.0.1:9',
      sessions: new Sessions(),
      rateLimit: new RateLimit(),
      turns: 0,
    };
    store.authorities.set(AUTHORITY_ID, authorityOf(this.#service, name));
    network.serve(`http://127.0.0.1:${port}`, (path, body) => this.#handle(path, body));
  }

  /** How long certificates last that are issued from now on, in seconds. */
  setValidity(seconds: number): void {
    this.#service.settings.validity = seconds;
  }

  /** Another API key; sessions stay. */
  rotateApiKey(): void {
    const [, count = '0'] = /(\d+)$/.exec(this.account.apiKey) ?? [];
    this.account.apiKey = `key of ${this.name} ${Number(count) + 1}`;
  }

  /** All sessions end. */
  endSessions(): void {
    this.#service.sessions.expireAll();
  }

  /** A certificate that a person makes. */
  async issueByHand(commonName: string): Promise<void> {
    await issue(this.#service, {
      authority: this.#service.store.authority(AUTHORITY_ID),
      subject: { C: 'US', O: `Org ${this.name}`, CN: commonName },
      names: [{ type: 'DNS', value: commonName }],
      origin: 'manual',
    });
  }

  /** All certificates. */
  get certificates(): readonly Certificate[] {
    return [...this.#service.store.certificates.values()];
  }

  /** The status of a certificate as the CA shows it now. */
  statusOf(certificate: Certificate): CertificateStatus {
    return statusAt(certificate, Math.floor(this.#clock.now() / 1000));
  }

  /** Changes a certificate's status as a person does. */
  setStatus(certificate: Certificate, status: 'good' | 'hold' | 'revoked'): void {
    setStatus(this.#service, certificate, status);
  }

  #handle(path: string, body: Buffer): Handling {
    const route = routeOf(path);
    const pairs = formPairs(body.toString('utf8'));
    // A session that is replayed to somebody with another API key does to the account what `rotate-at-ca` tells.
    const fate = this.faults.next(
      route.name,
      (fault) => route.name === 'connect' && fault.fate.answer.is === 'replay',
    );
    const params = shownParams(pairs);
    const call: Call = { at: this.#clock.monotonic(), name: route.name, params, fate };
    this.calls.push(call);
    const entry: JournalEntry = {
      seq: this.calls.length,
      at: this.#clock.now(),
      method: 'POST',
      call: route.name,
      params,
      client: 0,
      body: '',
    };
    const run = async (): Promise<Reply> => {
      const reply = await this.#carryOut({ route, body, form: nestForm(pairs), entry, defect: undefined });
      if (entry.result) call.result = entry.result;
      if (entry.code !== undefined) call.refusal = entry.code;
      return reply;
    };
    return this.faults.handle(call, run, (reply) => this.#dated(reply));
  }

  #dated({ headers, ...reply }: Reply): Reply {
    const date = new Date(this.#clock.now()).toUTCString();
    return { ...reply, headers: { 'content-type': 'application/json', date, ...headers } };
  }

  async #carryOut(input: Parameters<typeof admit>[1]): Promise<Reply> {
    try {
      return { status: 200, body: await admit(this.#service, input)() };
    } catch (error) {
      if (!(error instanceof ServiceError)) throw error;
      input.entry.code = error.code;
      return { status: error.status, body: JSON.stringify({ code: error.code, text: error.message }) };
    }
  }
}

/** P-256, since an RSA key takes a hundred times as long to make. */
function freshKey(): KeyPair {
  const { privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  return keyPairFromPem(privateKey.export({ type: 'pkcs8', format: 'pem' }).toString());
}

const authorityKeys = new Map<string, KeyPair>();

function authorityOf(works: CaService, name: string) {
  const key = authorityKeys.get(name) ?? freshKey();
  authorityKeys.set(name, key);
  const now = Math.floor(works.now() / 1000);
  const plan = {
    id: AUTHORITY_ID,
    accountId: 1,
    email: 'ops@example.com',
    hashMethod: 'sha256' as const,
    notBefore: now - 86_400,
    notAfter: now + 3650 * 86_400,
    subject: { C: 'US', O: `Org ${name}`, OU: AUTHORITY_UNIT, CN: `Org ${name} CA` },
  };
  const subject = distinguishedName(plan.subject);
  const parts = {
    serial: 0,
    issuer: subject,
    subject,
    notBefore: plan.notBefore,
    notAfter: plan.notAfter,
    spki: key.spki,
    extensions: authorityExtensions(key, plan.email, authorityUrls(works, AUTHORITY_ID)),
  };
  return { ...plan, key, der: writeCertificate(parts, key, plan.hashMethod) };
}
