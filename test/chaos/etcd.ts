import { request } from 'node:http';

/** One version of an object in etcd; `object` is undefined for a deletion. */
export interface Version {
  /** The path of the object, such as `/registry/secrets/NAMESPACE/NAME`. */
  key: string;
  /** The resource version. */
  revision: number;
  object: Stored | undefined;
}

/** The fields of an object that the witnesses read. */
export interface Stored {
  metadata: {
    name: string;
    namespace?: string;
    uid: string;
    generation?: number;
    labels?: Record<string, string>;
    annotations?: Record<string, string>;
    finalizers?: string[];
    deletionTimestamp?: string;
  };
  spec?: Record<string, unknown>;
  status?: Record<string, unknown>;
  data?: Record<string, string>;
}

interface Change {
  type?: 'DELETE';
  kv: { key: string; value?: string; mod_revision: string };
}

const PREFIX = '/registry/';
const RETRY_MS = 100;

/**
 * Every version of every object, read from etcd itself: a watch at the API server loses versions when the server restarts. The
 * API server must store JSON.
 */
export class EtcdWitness {
  readonly #port: number;
  readonly #stop = new AbortController();
  readonly #present = new Map<string, Stored>();
  readonly #listeners = new Set<(version: Version) => void>();
  #revision = 0;
  #done: Promise<void> | undefined;

  constructor(port: number) {
    this.#port = port;
  }

  /** The last revision that was read. */
  get revision(): number {
    return this.#revision;
  }

  /** What is stored now under paths with this prefix. */
  present(prefix: string): Stored[] {
    return [...this.#present].filter(([key]) => key.startsWith(prefix)).map(([, object]) => object);
  }

  get(key: string): Stored | undefined {
    return this.#present.get(key);
  }

  /** Calls back with each new version. */
  subscribe(listener: (version: Version) => void): void {
    this.#listeners.add(listener);
  }

  start(): void {
    this.#done ??= this.#run();
  }

  /** Compacts in etcd what has been read already, so watches that lag behind end with 410. */
  async compact(): Promise<void> {
    await this.#post('/v3/kv/compaction', { revision: String(this.#revision) });
  }

  async stop(): Promise<void> {
    this.#stop.abort();
    await this.#done;
  }

  async #run(): Promise<void> {
    while (!this.#stop.signal.aborted) {
      await this.#watch().catch(() => {});
      await new Promise((resolve) => setTimeout(resolve, RETRY_MS));
    }
  }

  #watch(): Promise<void> {
    const body = JSON.stringify({
      create_request: {
        key: base64(PREFIX),
        range_end: base64('/registry0'),
        start_revision: String(this.#revision + 1),
      },
    });
    return new Promise((resolve, reject) => {
      const outgoing = request(
        { host: '127.0.0.1', port: this.#port, path: '/v3/watch', method: 'POST', signal: this.#stop.signal },
        (incoming) => {
          let rest = '';
          incoming.setEncoding('utf8');
          incoming.on('data', (chunk: string) => {
            const lines = (rest + chunk).split('\n');
            rest = lines.pop() ?? '';
            for (const line of lines) if (line !== '') this.#take(line);
          });
          incoming.once('error', reject);
          incoming.once('close', () => resolve());
        },
      );
      outgoing.once('error', reject);
      outgoing.end(body);
    });
  }

  #take(line: string): void {
    const { result } = JSON.parse(line) as { result?: { events?: Change[] } };
    for (const { type, kv } of result?.events ?? []) {
      const revision = Number(kv.mod_revision);
      if (revision < this.#revision) continue;
      this.#revision = revision;
      const key = Buffer.from(kv.key, 'base64').toString('utf8');
      const object = type === 'DELETE' ? undefined : parsed(kv.value ?? '');
      if (type === 'DELETE') this.#present.delete(key);
      else if (object) this.#present.set(key, object);
      else continue;
      for (const listener of this.#listeners) listener({ key, revision, object });
    }
  }

  #post(path: string, body: object): Promise<void> {
    return new Promise((resolve, reject) => {
      const outgoing = request({ host: '127.0.0.1', port: this.#port, path, method: 'POST' }, (incoming) => {
        incoming.resume();
        incoming.once('end', () => resolve());
      });
      outgoing.once('error', reject);
      outgoing.end(JSON.stringify(body));
    });
  }
}

/** Undefined for values that the API server stores in another form, such as its own leases' keys. */
function parsed(value: string): Stored | undefined {
  try {
    return JSON.parse(Buffer.from(value, 'base64').toString('utf8')) as Stored;
  } catch {
    return undefined;
  }
}

function base64(text: string): string {
  return Buffer.from(text).toString('base64');
}
