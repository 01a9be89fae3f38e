import type {
  CAcertCertificateView,
  CAcertFault,
  CAcertJournalEntry,
  CAcertRequestView,
  CAcertRuntimeOptions,
} from '../../../tools/dev-server/cacert/types.ts';
import type { RunClock } from '../clock.ts';
import { askControl } from '../control-url.ts';
import { endServer, type ServerProcess, startServer } from '../server-process.ts';

interface Ready {
  endpoint: string;
  caPem: string;
  controlUrl: string;
  rootPem: string;
}

/** The CAcert server, which is controlled and read through its control URL. */
export class CAcert {
  readonly ready: Ready;
  readonly #process: ServerProcess<Ready>;

  private constructor(process: ServerProcess<Ready>) {
    this.#process = process;
    this.ready = process.ready;
  }

  static async start(clock: RunClock): Promise<CAcert> {
    return new CAcert(await startServer<Ready>(new URL('server-main.ts', import.meta.url), clock));
  }

  journal(): Promise<CAcertJournalEntry[]> {
    return this.#ask('GET', '/journal');
  }

  requests(): Promise<CAcertRequestView[]> {
    return this.#ask('GET', '/requests');
  }

  certificates(): Promise<CAcertCertificateView[]> {
    return this.#ask('GET', '/certificates');
  }

  /** What the web account shows of a request. */
  async pemOf(id: number): Promise<string> {
    const { pem } = await this.#ask<{ pem: string }>('GET', `/certificates/${id}`);
    return pem;
  }

  addFault(fault: CAcertFault): Promise<unknown> {
    return this.#ask('POST', '/faults', fault);
  }

  clearFaults(): Promise<unknown> {
    return this.#ask('DELETE', '/faults');
  }

  release(): Promise<unknown> {
    return this.#ask('POST', '/release');
  }

  setOptions(options: CAcertRuntimeOptions): Promise<unknown> {
    return this.#ask('PUT', '/options', options);
  }

  stop(): Promise<void> {
    return endServer(this.#process);
  }

  #ask<T>(method: string, path: string, body?: unknown): Promise<T> {
    return askControl(this.ready.controlUrl, method, path, body);
  }
}
