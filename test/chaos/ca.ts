import type {
  AuthorityView,
  CertificateView,
  Fault,
  FaultView,
  JournalEntry,
  ManualRequest,
  RuntimeOptions,
  SettableStatus,
} from '../../tools/dev-server/types.ts';
import type { RunClock } from './clock.ts';
import { askControl } from './control-url.ts';
import type { CaName } from './issuers.ts';
import { endServer, type ServerProcess, startServer } from './server-process.ts';
import { accountDigest } from './witness/identity.ts';

/** A certificate at a CA. Its account is named by the digest of endpoint and e-mail address. */
export interface Issued extends CertificateView {
  ca: CaName;
}

/** A request to a CA. */
export interface Called extends JournalEntry {
  ca: CaName;
}

/** An authority of a CA; its account is named as in `Issued`. */
export interface Authority extends AuthorityView {
  ca: CaName;
}

interface Ready {
  endpoint: string;
  caPem: string;
  controlUrl: string;
  email: string;
  passphrase: string;
  apiKey: string;
}

/** A CA, which is controlled and read through its control URL. */
export class Ca {
  readonly name: CaName;
  readonly ready: Ready;
  readonly #process: ServerProcess<Ready>;

  private constructor(name: CaName, process: ServerProcess<Ready>) {
    this.name = name;
    this.#process = process;
    this.ready = process.ready;
  }

  static async start(name: CaName, clock: RunClock): Promise<Ca> {
    return new Ca(name, await startServer<Ready>(new URL('ca-process.ts', import.meta.url), clock));
  }

  /** The built-in account. */
  get account(): string {
    return this.#accountOf(this.ready.email);
  }

  async journal(): Promise<Called[]> {
    const entries = await this.#ask<JournalEntry[]>('GET', '/journal');
    return entries.map((entry) => ({ ...entry, ca: this.name }));
  }

  async certificates(): Promise<Issued[]> {
    const views = await this.#ask<CertificateView[]>('GET', '/certificates');
    return views.map((view) => ({ ...view, account: this.#accountOf(view.account), ca: this.name }));
  }

  async authorities(): Promise<Authority[]> {
    const views = await this.#ask<AuthorityView[]>('GET', '/authorities');
    return views.map((view) => ({ ...view, account: this.#accountOf(view.account), ca: this.name }));
  }

  issueByHand(wish: ManualRequest): Promise<CertificateView> {
    return this.#ask('POST', '/certificates', wish);
  }

  reissueByHand(id: number): Promise<CertificateView> {
    return this.#ask('POST', `/certificates/${id}/reissue`, {});
  }

  setStatusByHand(id: number, status: SettableStatus): Promise<CertificateView> {
    return this.#ask('POST', `/certificates/${id}/status`, { status });
  }

  addFault(fault: Fault): Promise<unknown> {
    return this.#ask('POST', '/faults', fault);
  }

  faults(): Promise<FaultView[]> {
    return this.#ask('GET', '/faults');
  }

  clearFaults(): Promise<unknown> {
    return this.#ask('DELETE', '/faults');
  }

  setOptions(options: RuntimeOptions): Promise<unknown> {
    return this.#ask('PUT', '/options', options);
  }

  expireSessions(): Promise<unknown> {
    return this.#ask('POST', '/sessions/expire');
  }

  /** Releases calls that wait at a hold. */
  release(): Promise<unknown> {
    return this.#ask('POST', '/release');
  }

  stop(): Promise<void> {
    return endServer(this.#process);
  }

  #accountOf(email: string): string {
    return accountDigest(this.ready.endpoint, email);
  }

  #ask<T>(method: string, path: string, body?: unknown): Promise<T> {
    return askControl(this.ready.controlUrl, method, path, body);
  }
}
