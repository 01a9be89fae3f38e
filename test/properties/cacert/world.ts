import type { CAcertCertificateSpec } from '../../../src/api/cacert/certificate-spec.ts';
import {
  type CAcertAccount,
  cacertAccounts,
  type CAcertCertificate,
  cacertCertificates,
} from '../../../src/api/kinds.ts';
import { type Secret, secrets } from '../../../src/kube/objects.ts';
import type { Clock } from '../../../src/lib/clock.ts';
import type { Cluster } from '../cluster.ts';
import type { Network } from '../network.ts';
import { CACERT_ENDPOINT, MemoryCAcert } from './ca.ts';

const NAMESPACE = 'one';
/** The certificate, its account, its Secret, and that of the login. */
export const MAIL = { namespace: NAMESPACE, name: 'mail' };
const ACCOUNT = { namespace: NAMESPACE, name: 'jane' };
export const MAIL_SECRET = { namespace: NAMESPACE, name: 'mail-tls' };
const LOGIN = { namespace: NAMESPACE, name: 'login-jane' };
const BITS = 2048;

/** What a user did, on the monotonic clock. */
export interface Deed {
  at: number;
  /** `asks`: the spec asks for another certificate. `loses`: the Secret no longer holds one. `other`: something else. */
  is: 'asks' | 'loses' | 'other';
}

/** CAcert with one account and one certificate in the cluster. */
export class CAcertWorld {
  readonly ca: MemoryCAcert;
  readonly deeds: Deed[] = [];
  readonly #cluster: Cluster;
  readonly #clock: Clock;

  constructor(options: { clock: Clock; random: () => number; network: Network; cluster: Cluster }) {
    this.#cluster = options.cluster;
    this.#clock = options.clock;
    this.ca = new MemoryCAcert(options);
    this.writeLogin(true);
    this.createAccount();
  }

  get certificate(): CAcertCertificate | undefined {
    return this.#cluster.get(cacertCertificates, MAIL);
  }

  get account(): CAcertAccount | undefined {
    return this.#cluster.get(cacertAccounts, ACCOUNT);
  }

  get secret(): Secret | undefined {
    return this.#cluster.get(secrets, MAIL_SECRET);
  }

  /** The Secrets of keys whose certificates have not arrived. */
  get pending(): Secret[] {
    return this.#cluster.all(secrets).filter(({ metadata }) => metadata.name.startsWith('mail-pending-'));
  }

  get isLoginRight(): boolean {
    const { data } = this.#cluster.get(secrets, LOGIN) ?? {};
    return Buffer.from(data?.['password'] ?? '', 'base64').toString() === this.ca.member.password;
  }

  createAccount(): void {
    if (this.account) return;
    const spec = {
      endpoint: CACERT_ENDPOINT,
      caBundle: this.ca.bundle,
      credentialsSecretRef: { name: LOGIN.name },
    };
    this.#cluster.create(cacertAccounts, { metadata: ACCOUNT, spec });
    this.#did('other');
  }

  deleteAccount(): void {
    if (!this.account) return;
    this.#cluster.delete(cacertAccounts, ACCOUNT);
    this.#did('other');
  }

  writeLogin(isRight: boolean): void {
    const password = isRight ? this.ca.member.password : 'wrong';
    const data = {
      username: Buffer.from(this.ca.member.username).toString('base64'),
      password: Buffer.from(password).toString('base64'),
    };
    if (this.#cluster.get(secrets, LOGIN)) this.#cluster.patch(secrets, LOGIN, { data });
    else this.#cluster.create(secrets, { metadata: LOGIN, data });
    this.#did('other');
  }

  create(emails: number): void {
    if (this.certificate) return;
    const spec: CAcertCertificateSpec = {
      secretName: MAIL_SECRET.name,
      accountRef: { name: ACCOUNT.name },
      emailAddresses: this.ca.member.emails.slice(0, emails),
      privateKey: { size: BITS, rotationPolicy: 'Always' },
    };
    this.#cluster.create(cacertCertificates, { metadata: MAIL, spec });
    this.#did('asks');
  }

  /** Changes the spec; nothing if it is so already. */
  change(spec: Partial<CAcertCertificateSpec>, is: Deed['is']): void {
    const { certificate } = this;
    if (!certificate) return;
    this.#cluster.patch(cacertCertificates, MAIL, { spec });
    if (this.certificate?.metadata.generation !== certificate.metadata.generation) this.#did(is);
  }

  delete(): void {
    if (!this.certificate) return;
    this.#cluster.delete(cacertCertificates, MAIL);
    this.#did('other');
  }

  loseSecret(how: 'remove' | 'spoil'): void {
    if (!this.secret) return;
    if (how === 'remove') this.#cluster.delete(secrets, MAIL_SECRET);
    else this.#cluster.patch(secrets, MAIL_SECRET, { data: { 'tls.crt': 'c3BvaWxlZA==' } });
    this.#did('loses');
  }

  #did(is: Deed['is']): void {
    this.deeds.push({ at: this.#clock.monotonic(), is });
  }
}
