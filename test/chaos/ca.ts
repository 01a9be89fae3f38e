import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { request } from 'node:http';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
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
import { tied } from '../../bench/processes/children.ts';
import { type RunClock, clockText } from './clock.ts';

interface Ready {
  endpoint: string;
  caPem: string;
  controlUrl: string;
  email: string;
  passphrase: string;
  apiKey: string;
}

/** The CA, which is controlled and read through its control URL. */
export class Ca {
  readonly ready: Ready;
  readonly #child: ChildProcess;

  private constructor(child: ChildProcess, ready: Ready) {
    this.#child = child;
    this.ready = ready;
  }

  static async start(clock: RunClock): Promise<Ca> {
    const entry = fileURLToPath(new URL('ca-process.ts', import.meta.url));
    const child = tied(
      spawn(process.execPath, [entry, clockText(clock)], {
        stdio: ['ignore', 'pipe', 'inherit'],
      }),
    );
    const lines = createInterface({ input: child.stdout });
    const [line] = (await Promise.race([once(lines, 'line'), once(lines, 'close')])) as [string?];
    if (line === undefined) throw new Error('The CA did not start.');
    return new Ca(child, JSON.parse(line) as Ready);
  }

  journal(): Promise<JournalEntry[]> {
    return this.#ask('GET', '/journal');
  }

  certificates(): Promise<CertificateView[]> {
    return this.#ask('GET', '/certificates');
  }

  authorities(): Promise<AuthorityView[]> {
    return this.#ask('GET', '/authorities');
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

  async stop(): Promise<void> {
    if (this.#child.exitCode !== null || this.#child.signalCode !== null) return;
    this.#child.kill('SIGKILL');
    await once(this.#child, 'exit');
  }

  #ask<T>(method: string, path: string, body?: unknown): Promise<T> {
    return new Promise((resolve, reject) => {
      const outgoing = request(new URL(path, this.ready.controlUrl), { method }, (incoming) => {
        let text = '';
        incoming.setEncoding('utf8');
        incoming.on('data', (chunk: string) => (text += chunk));
        incoming.once('error', reject);
        incoming.once('end', () => {
          const status = incoming.statusCode ?? 0;
          if (status >= 300) reject(new CaRefused(`${method} ${path}: ${status} ${text.slice(0, 200)}`));
          else resolve((text === '' ? undefined : JSON.parse(text)) as T);
        });
      });
      outgoing.once('error', reject);
      outgoing.end(body === undefined ? undefined : JSON.stringify(body));
    });
  }
}

/** The service refused, such as a reissue of a certificate that has been replaced. */
export class CaRefused extends Error {}
