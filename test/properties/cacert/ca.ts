import { createHash } from 'node:crypto';
import type { Clock } from '../../../src/lib/clock.ts';
import { accountStatus, requestCertificate } from '../../../tools/dev-server/cacert/calls.ts';
import { createHierarchy, type Hierarchy } from '../../../tools/dev-server/cacert/hierarchy.ts';
import { type Member, memberOf } from '../../../tools/dev-server/cacert/members.ts';
import { readParameters, textOf, trimmed } from '../../../tools/dev-server/cacert/parameters.ts';
import type { Service } from '../../../tools/dev-server/cacert/service.ts';
import { defaultSettings } from '../../../tools/dev-server/cacert/settings.ts';
import { Signer } from '../../../tools/dev-server/cacert/signer.ts';
import { readSigningRequest } from '../../../tools/dev-server/cacert/signing-request.ts';
import type { CAcertCertificateView, CAcertJournalEntry } from '../../../tools/dev-server/cacert/types.ts';
import { pem } from '../../../tools/dev-server/x509/x509.ts';
import { type AnyCall, Faults } from '../fates.ts';
import type { Handling, Network, Reply } from '../network.ts';

/** One call that arrived. */
export interface CAcertCall extends AnyCall {
  /** Whether it asks for a certificate. */
  isRequest: boolean;
  /** SHA-256 of the public key in its request. */
  key: string;
  /** Why CAcert refused it of its own accord. */
  refusal?: string;
}

export const CACERT_ENDPOINT = 'http://127.0.0.1:3/api/';
const ORIGIN = 'http://127.0.0.1:3';
/** When the client has given up, at the latest, in milliseconds. */
const GIVEN_UP_MS = 120_000;
const STARTED = Date.parse('2026-01-01T00:00:00Z') / 1_000;
const PRESET = {
  username: 'jane@example.org',
  password: 'right',
  firstName: 'Jane',
  lastName: 'Doe',
  emails: ['jane@example.org', 'jane@example.com'],
};

/** Its keys take long to make, and serve all sequences. */
const authorities = await createHierarchy(STARTED, 'http://127.0.0.1:9');

/** CAcert in memory: the dev server's scripts and signer, without its sockets, in virtual time. */
export class MemoryCAcert {
  readonly faults: Faults;
  readonly calls: CAcertCall[] = [];
  readonly member: Member = memberOf(PRESET);
  readonly #clock: Clock;
  readonly #service: Service;
  readonly #hierarchy: Hierarchy = {
    ...authorities,
    class1: { ...authorities.class1 },
    class3: { ...authorities.class3 },
  };

  constructor({ clock, random, network }: { clock: Clock; random: () => number; network: Network }) {
    this.#clock = clock;
    this.faults = new Faults({ random, giveUpMs: GIVEN_UP_MS });
    const service: Pick<Service, 'settings' | 'members' | 'signer' | 'journal' | 'now' | 'stopping'> = {
      settings: defaultSettings(),
      members: [this.member],
      signer: new Signer(this.#hierarchy, () => clock.now(), 'http://127.0.0.1:9/ocsp'),
      journal: {
        update: (entry: CAcertJournalEntry, change: Partial<CAcertJournalEntry>) =>
          Object.assign(entry, change),
      } as unknown as Service['journal'],
      now: () => clock.now(),
      stopping: new AbortController().signal,
    };
    this.#service = service as Service;
    network.serve(ORIGIN, (path, body) => this.#handle(path, body));
  }

  /** Both authorities, in PEM. */
  get bundle(): string {
    const { class1, class3 } = this.#hierarchy;
    return pem('CERTIFICATE', class1.der) + pem('CERTIFICATE', class3.der);
  }

  /** How long certificates last that are signed from now on, in seconds. */
  setValidity(seconds: number): void {
    this.#service.settings.validity = seconds;
  }

  /** What was signed. */
  get certificates(): CAcertCertificateView[] {
    return this.#service.signer.certificates();
  }

  #handle(path: string, body: Buffer): Handling {
    const name = /(ccsr|cemails)\.php$/.exec(path)?.[1] ?? '';
    const parameters = readParameters('POST', path, 'application/x-www-form-urlencoded', body);
    const asked = readSigningRequest(trimmed(textOf(parameters.request, 'optionalCSR')));
    const call: CAcertCall = {
      at: this.#clock.monotonic(),
      name,
      isRequest: name === 'ccsr',
      key: asked ? createHash('sha256').update(asked.spki).digest('hex') : '',
      fate: this.faults.next(name),
    };
    this.calls.push(call);
    const entry = { seq: this.calls.length } as CAcertJournalEntry;
    const run = async (): Promise<Reply> => {
      const one = {
        service: this.#service,
        parameters,
        acceptLanguage: 'en',
        entry,
        effect: undefined,
      };
      const { status, body: answer } = await (call.isRequest ? requestCertificate(one) : accountStatus(one));
      if (entry.code !== undefined) call.refusal = entry.code;
      return { status, body: Buffer.from(answer).toString('latin1') };
    };
    return this.faults.handle(call, run, (reply) => this.#dated(reply));
  }

  #dated({ headers, ...reply }: Reply): Reply {
    const date = new Date(this.#clock.now()).toUTCString();
    return { ...reply, headers: { 'content-type': 'text/html; charset=UTF-8', date, ...headers } };
  }
}
