/** The floor's process. It runs orders from messages and lives through all rounds, so it is as warm as the operator. */
import { CaLoop, type CaAccess } from './ca-loop.ts';
import type { Material } from './payloads.ts';
import { RawHttp, type RawHttpOptions } from './raw-http.ts';
import { createCertificates, forEach, issueRaw, type Prepared } from './raw-loop.ts';

/** The first order: what the process needs to know. */
export interface FloorSetup {
  do: 'open';
  server: Required<Omit<RawHttpOptions, 'connections'>>;
  concurrency: number;
  /** Where certificates come from: the CA, or these files for all of them. */
  source: { access: CaAccess } | { material: Material };
}

export type FloorOrder =
  | FloorSetup
  /** Creates that many certificates and opens all connections. Not measured. */
  | { do: 'prepare'; namespace: string; count: number }
  /** Issues what was prepared. */
  | { do: 'run' }
  /** Issues what was prepared, one after the other. */
  | { do: 'one-by-one' };

/** The answer to any order. `times` are milliseconds: of the whole run, or of each issuance. */
export type FloorReply = { ok: true; times: number[] } | { ok: false; message: string };

/** Runs orders from the parent until it disconnects. */
export function serveFloor(): void {
  let floor: Floor | undefined;
  const execute = async (order: FloorOrder): Promise<number[]> => {
    if (order.do === 'open') {
      floor = await Floor.open(order);
      return [];
    }
    if (!floor) throw new Error('The floor was not opened.');
    if (order.do === 'prepare') return floor.prepare(order.namespace, order.count);
    return order.do === 'run' ? floor.run() : floor.oneByOne();
  };
  process.on('message', (order: FloorOrder) => {
    void execute(order)
      .then((times): FloorReply => ({ ok: true, times }))
      .catch((error: unknown): FloorReply => ({ ok: false, message: String(error) }))
      .then((reply) => process.send?.(reply));
  });
  process.once('disconnect', () => process.exit());
}

class Floor {
  readonly #concurrency: number;
  readonly #http: RawHttp;
  readonly #source: CaLoop | Material;
  #namespace = '';
  #prepared: Prepared[] = [];

  private constructor({ server, concurrency }: FloorSetup, source: CaLoop | Material) {
    this.#concurrency = concurrency;
    this.#http = new RawHttp({ ...server, connections: concurrency });
    this.#source = source;
  }

  static async open(setup: FloorSetup): Promise<Floor> {
    const { concurrency, source } = setup;
    if ('material' in source) return new Floor(setup, source.material);
    // Chain and key are fetched at once.
    return new Floor(setup, await CaLoop.open(source.access, 2 * concurrency));
  }

  async prepare(namespace: string, count: number): Promise<number[]> {
    this.#namespace = namespace;
    this.#prepared = await createCertificates(this.#http, namespace, count, this.#concurrency);
    if (!('chain' in this.#source)) await this.#source.warm(2 * this.#concurrency);
    return [];
  }

  async run(): Promise<number[]> {
    const start = performance.now();
    await forEach(this.#prepared, this.#concurrency, this.#issue);
    return [performance.now() - start];
  }

  oneByOne(): Promise<number[]> {
    return forEach(this.#prepared, 1, async (prepared) => {
      const start = performance.now();
      await this.#issue(prepared);
      return performance.now() - start;
    });
  }

  readonly #issue = (prepared: Prepared): Promise<void> =>
    issueRaw(this.#http, this.#namespace, prepared, this.#source);
}
