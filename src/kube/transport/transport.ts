import { promisify } from 'node:util';
import { gunzip } from 'node:zlib';
import type { Clock } from '../../lib/clock.ts';
import type { ClusterConnection, TlsMaterial } from '../config/connection.ts';
import { ApiError, isApiError, statusError } from '../errors.ts';
import { trimEndOf } from '../../lib/text.ts';
import { within } from '../../lib/within.ts';
import { type Answer, exchange, type ExchangeOptions } from './exchange.ts';
import { isTrustFailure } from './network-error.ts';
import { Pools } from './pools.ts';
import { retryAfterMs } from './retry-after.ts';

export type { ClusterConnection, TlsMaterial };

export interface KubeRequest {
  method: 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE';
  /** Percent-encoded, with a leading slash, relative to the server's base URL. */
  path: string;
  query?: Record<string, string | undefined>;
  /** Sent as JSON. */
  body?: unknown;
  /** Default: application/json. */
  contentType?: string;
  /** Default: application/json. */
  accept?: string;
  /** Milliseconds for everything: the wait for a connection, the answer and its body, and retries after a 429. Default: 30 s. */
  deadlineMs?: number;
  signal?: AbortSignal;
  /** Plural name of the kind, for errors and metrics. */
  resource?: string;
  /** Accepts gzip, and a body as large as a list's. */
  large?: boolean;
}

/** Counts requests. `status` is 0, with a reason, if there was no answer. */
export interface TransportMetrics {
  request(done: { method: string; resource: string; status: number; reason?: string; seconds: number }): void;
}

export interface TransportOptions {
  connection: ClusterConnection;
  clock: Clock;
  userAgent: string;
  metrics?: TransportMetrics;
  /** Most connections for requests; watches have their own. Default: 32. */
  connections?: number;
  /** Largest answers in bytes. Default: 8 MiB for one object, 256 MiB for a page of a list. */
  limits?: { body: number; list: number };
}

const MIB = 2 ** 20;
/** etcd accepts objects of up to 1.5 MiB. A list is limited both before and after decompression. */
const LIMITS = { body: 8 * MIB, list: 256 * MIB };
const DEADLINE_MS = 30_000;
/** How long running requests may take once the transport closes, in milliseconds. */
export const CLOSE_MS = 1000;
/** How often a request that the server refused before acting on it (429) is retried. */
export const MAX_THROTTLED_RETRIES = 4;
/** Wait before such a retry if the server gives no Retry-After, in milliseconds. */
export const THROTTLED_RETRY_MS = 1000;

const unzip = promisify(gunzip);

/** Requests and streams to one API server, over HTTP/1.1 on pooled connections. */
export class Transport {
  readonly #connection: ClusterConnection;
  readonly #clock: Clock;
  readonly #userAgent: string;
  readonly #metrics: TransportMetrics | undefined;
  readonly #pools: Pools;
  readonly #basePath: string;
  readonly #limits: { body: number; list: number };
  /** The server's certificate was not trusted, or ours was refused: reload the credentials before the next request. */
  #distrusted = false;

  constructor(options: TransportOptions) {
    this.#connection = options.connection;
    this.#clock = options.clock;
    this.#userAgent = options.userAgent;
    this.#metrics = options.metrics;
    this.#limits = options.limits ?? LIMITS;
    this.#pools = new Pools(options.connection, options.connections ?? 32);
    this.#basePath = trimEndOf(new URL(options.connection.server).pathname, '/');
  }

  /**
   * Sends a request and parses the JSON of the answer. Retries only after a 429, since then the server did not act: after the time
   * that the server gives, and within the deadline. After a 401 it reloads the credentials and, if they changed, sends once more.
   * Throws an `ApiError`.
   */
  async request<T>(request: KubeRequest): Promise<T> {
    const { large = false } = request;
    const body = request.body === undefined ? undefined : JSON.stringify(request.body);
    const headers: Record<string, string> = { accept: request.accept ?? 'application/json' };
    if (body !== undefined) headers['content-type'] = request.contentType ?? 'application/json';
    if (large) headers['accept-encoding'] = 'gzip';
    const maxBytes = large ? this.#limits.list : this.#limits.body;
    const end = this.#clock.monotonic() + (request.deadlineMs ?? DEADLINE_MS);

    for (let repeats = 0; ; repeats += 1) {
      const answer = await this.#send(request, { headers, body, maxBytes }, end);
      if (answer.status < 300) return (await this.#parse(request, answer, maxBytes)) as T;
      const error = await this.#refusal(request, answer, maxBytes);
      if (error.status !== 429 || repeats >= MAX_THROTTLED_RETRIES) throw error;
      const wait = error.retryAfterMs ?? THROTTLED_RETRY_MS;
      if (this.#clock.monotonic() + wait >= end) throw error;
      await this.#wait(wait, request);
    }
  }

  /**
   * Opens a stream and passes each chunk of a 200 to `onChunk`, synchronously, as it arrives, so nothing downstream delays reading.
   * Resolves when the server ends the stream. Throws an `ApiError` for any other end, or what `onChunk` threw. `deadlineMs` limits
   * the whole stream, `idleMs` the silence between two chunks. `onOpen` is called when the headers of a 200 arrive.
   */
  async stream(
    request: KubeRequest & { idleMs: number; onOpen?: () => void },
    onChunk: (chunk: Buffer) => void,
  ): Promise<void> {
    const headers = { accept: request.accept ?? 'application/json' };
    const end = this.#clock.monotonic() + (request.deadlineMs ?? DEADLINE_MS);
    const answer = await this.#send(
      request,
      {
        headers,
        body: undefined,
        maxBytes: this.#limits.body,
        onChunk,
        idleMs: request.idleMs,
        onOpen: request.onOpen,
      },
      end,
    );
    if (answer.status !== 200) throw await this.#refusal(request, answer, this.#limits.body);
  }

  /** Ends all streams and waits for running requests, though not for long: a connection may hang before its request is sent. */
  async close(): Promise<void> {
    const cancel = this.#clock.timer(CLOSE_MS, () => this.#pools.destroy());
    try {
      await this.#pools.close();
    } finally {
      cancel();
    }
  }

  async #send(
    request: KubeRequest,
    extra: Pick<ExchangeOptions, 'body' | 'maxBytes' | 'onChunk' | 'idleMs' | 'onOpen'> & {
      headers: Record<string, string>;
    },
    end: number,
  ): Promise<Answer> {
    const authorization = await this.#authorization(request, this.#distrusted, end);
    this.#distrusted = false;
    const { version } = this.#connection.tls();
    const answer = await this.#exchange(request, extra, authorization, end);
    if (answer.status !== 401) return answer;
    const fresh = await this.#authorization(request, true, end);
    if (fresh === authorization && this.#connection.tls().version === version) return answer;
    return this.#exchange(request, extra, fresh, end);
  }

  /** The credentials, within the limits of the request: a plugin that loads them may hang. */
  async #authorization(request: KubeRequest, force: boolean, end: number): Promise<string | undefined> {
    const { method: verb, resource = request.path, signal } = request;
    const late = (): ApiError =>
      new ApiError({
        status: 0,
        reason: 'DeadlineExceeded',
        message: 'The cluster’s credentials were not loaded in time.',
        verb,
        resource,
      });
    const loading = this.#connection.authorization(force);
    // Nearly always they are there, and limits cost time.
    if (!this.#connection.isLoading()) return loading;
    try {
      return await within(this.#clock, end - this.#clock.monotonic(), late, () => loading, signal);
    } catch (error) {
      throw signal?.aborted ? aborted(request, error) : error;
    }
  }

  async #exchange(
    request: KubeRequest,
    extra: Pick<ExchangeOptions, 'body' | 'maxBytes' | 'onChunk' | 'idleMs' | 'onOpen'> & {
      headers: Record<string, string>;
    },
    authorization: string | undefined,
    end: number,
  ): Promise<Answer> {
    const { method, resource = request.path, signal } = request;
    const started = this.#clock.monotonic();
    const headers: Record<string, string> = { ...extra.headers, 'user-agent': this.#userAgent };
    if (authorization !== undefined) headers['authorization'] = authorization;
    try {
      const answer = await exchange({
        ...extra,
        dispatcher: this.#pools.dispatcher(extra.onChunk ? 'streams' : 'requests'),
        origin: this.#pools.origin,
        clock: this.#clock,
        method,
        path: `${this.#basePath}${request.path}${queryText(request.query)}`,
        resource,
        headers,
        deadlineMs: Math.max(0, end - started),
        signal,
      });
      this.#report(method, resource, answer.status, started);
      return answer;
    } catch (error) {
      if (isTrustFailure(error)) this.#distrusted = true;
      this.#report(method, resource, 0, started, isApiError(error) ? error.reason : 'ProtocolError');
      throw error;
    }
  }

  async #parse(request: KubeRequest, answer: Answer, maxBytes: number): Promise<unknown> {
    if (answer.body.length === 0) return undefined;
    try {
      const zipped = answer.headers['content-encoding'] === 'gzip';
      const body = zipped ? await unzip(answer.body, { maxOutputLength: maxBytes }) : answer.body;
      return JSON.parse(body.toString('utf8')) as unknown;
    } catch {
      // The parser's message quotes the body, which may be a Secret, so it is not kept as cause.
      const message = 'The answer of the API server is not JSON or is larger than the limit.';
      throw this.#protocolError(request, message, answer.status);
    }
  }

  async #refusal(request: KubeRequest, answer: Answer, maxBytes: number): Promise<ApiError> {
    if (answer.status < 400)
      return this.#protocolError(request, 'The API server answered with a redirect.', answer.status);
    const wait = retryAfterMs(answer.headers['retry-after'], this.#clock.now());
    const status = await this.#parse(request, answer, maxBytes).catch(() => undefined);
    return statusError(status, {
      verb: request.method,
      resource: request.resource ?? request.path,
      status: answer.status,
      ...(wait === undefined ? {} : { retryAfterMs: wait }),
    });
  }

  #protocolError(request: KubeRequest, message: string, status: number): ApiError {
    const { method, resource = request.path } = request;
    return new ApiError({ status, reason: 'ProtocolError', message, verb: method, resource });
  }

  async #wait(ms: number, request: KubeRequest): Promise<void> {
    try {
      await this.#clock.sleep(ms, request.signal);
    } catch (cause) {
      throw aborted(request, cause);
    }
  }

  #report(method: string, resource: string, status: number, started: number, reason?: string): void {
    if (!this.#metrics) return;
    const seconds = (this.#clock.monotonic() - started) / 1000;
    this.#metrics.request({ method, resource, status, seconds, ...(reason === undefined ? {} : { reason }) });
  }
}

function aborted({ method: verb, path, resource = path }: KubeRequest, cause: unknown): ApiError {
  return new ApiError({
    status: 0,
    reason: 'Aborted',
    message: 'The request was aborted.',
    verb,
    resource,
    cause,
  });
}

function queryText(query: KubeRequest['query']): string {
  if (!query) return '';
  let text = '';
  for (const [name, value] of Object.entries(query)) {
    if (value === undefined) continue;
    text += `${text === '' ? '?' : '&'}${encodeURIComponent(name)}=${encodeURIComponent(value)}`;
  }
  return text;
}
