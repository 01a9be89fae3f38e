import { type Dispatcher, Pool } from 'undici';

export interface RawHttpOptions {
  /** Scheme, host and port. */
  origin: string;
  connections: number;
  /** PEM. */
  ca?: string;
  cert?: string;
  key?: string;
}

/** An answer other than 2xx, or none. */
export class RawHttpError extends Error {
  readonly status: number;

  constructor(method: string, path: string, status: number, detail: string) {
    super(`${method} ${path}: ${status === 0 ? 'no answer' : status}, ${detail.slice(0, 300)}`);
    this.status = status;
  }
}

/** A minimal HTTP client on a keep-alive pool: no timers, no retries, no parsing. */
export class RawHttp {
  readonly #pool: Pool;
  readonly #origin: string;

  constructor({ origin, connections, ca, cert, key }: RawHttpOptions) {
    this.#origin = origin;
    this.#pool = new Pool(origin, {
      connections,
      pipelining: 1,
      allowH2: false,
      headersTimeout: 0,
      bodyTimeout: 0,
      connect: {
        ...(ca === undefined ? {} : { ca }),
        ...(cert === undefined ? {} : { cert }),
        ...(key === undefined ? {} : { key }),
      },
    });
  }

  /** Sends a request and returns the body of a 2xx. Rejects with a `RawHttpError` for anything else. */
  send(
    method: Dispatcher.HttpMethod,
    path: string,
    contentType?: string,
    body: string | null = null,
  ): Promise<Buffer> {
    return new Promise((resolve, reject) => {
      const headers = contentType === undefined ? null : ['content-type', contentType];
      this.#pool.dispatch(
        { origin: this.#origin, method, path, headers, body },
        new Collector(method, path, resolve, reject),
      );
    });
  }

  async close(): Promise<void> {
    await this.#pool.destroy();
  }
}

class Collector implements Dispatcher.DispatchHandler {
  readonly #method: string;
  readonly #path: string;
  readonly #resolve: (body: Buffer) => void;
  readonly #reject: (error: RawHttpError) => void;
  readonly #chunks: Buffer[] = [];
  #status = 0;

  constructor(
    method: string,
    path: string,
    resolve: (body: Buffer) => void,
    reject: (error: RawHttpError) => void,
  ) {
    this.#method = method;
    this.#path = path;
    this.#resolve = resolve;
    this.#reject = reject;
  }

  // undici recognizes a current handler by this method.
  onRequestStart(): void {}

  onResponseStart(_controller: Dispatcher.DispatchController, status: number): void {
    this.#status = status;
  }

  onResponseData(_controller: Dispatcher.DispatchController, chunk: Buffer): void {
    this.#chunks.push(chunk);
  }

  onResponseEnd(): void {
    const [first, second] = this.#chunks;
    const body = first && !second ? first : Buffer.concat(this.#chunks);
    if (this.#status >= 200 && this.#status < 300) this.#resolve(body);
    else this.#reject(new RawHttpError(this.#method, this.#path, this.#status, body.toString('utf8')));
  }

  onResponseError(_controller: Dispatcher.DispatchController | null, error: Error): void {
    this.#reject(new RawHttpError(this.#method, this.#path, 0, error.message));
  }
}
