import { AsyncLocalStorage } from 'node:async_hooks';
import { subscribe } from 'node:diagnostics_channel';
import type { DiagnosticsChannel } from 'undici';
import { MANAGED_LABEL } from '../../../src/api/names.ts';
import type { KubeObject } from '../../../src/kube/objects.ts';
import { JOURNAL_NAME, RECORDS_NAME } from '../../../src/operator/journal.ts';

/** One request to the API server that has been answered. */
export interface ApiRequest {
  method: string;
  /** Plural, and subresource if there is one. */
  resource: string;
  namespace: string | undefined;
  /** Of a new object only if it was created. */
  name: string | undefined;
  status: number;
  /** Requests are counted as they begin. */
  number: number;
}

type Request = DiagnosticsChannel.Request;

interface Flight {
  number: number;
  target: Target;
  isWatch: boolean;
  status: number;
  text: string;
  /** Of a watch: the highest resourceVersion that it has shown. */
  seen: number;
}

const owner = new AsyncLocalStorage<Traffic>();
const owners = new WeakMap<Request, Traffic>();

/**
 * What one operator in this process sends, observed through undici's diagnostics without any code in the operator. It counts
 * requests of whatever `run` started, which separates several operators and the test's own requests.
 */
export class Traffic {
  /** Answered requests to the API server, without watches. */
  readonly requests: ApiRequest[] = [];
  /** Called with each answer from the API server, before the operator sees its end. */
  onAnswer: (request: ApiRequest) => void = () => undefined;
  readonly #apiServer: string;
  readonly #atApiServer = new Map<Request, Flight>();
  readonly #elsewhere = new Set<Request>();
  #begun = 0;
  /** The version of each written object, until the watch has shown it. */
  readonly #unseen = new Map<string, { target: WatchedObject; version: number }>();

  /** `apiServer` is its URL; requests to other servers count only while they are under way. */
  constructor(apiServer: string) {
    this.#apiServer = new URL(apiServer).origin;
  }

  /** Runs something whose requests count here, now and later. */
  run<T>(fn: () => T): T {
    return owner.run(this, fn);
  }

  /** How many requests have begun so far; requests under way count as before this moment. */
  mark(): number {
    return this.#begun;
  }

  /**
   * The counts of writes that began after a `mark`, such as `PATCH secrets`; a failed one has its status. Those of the journal, which
   * come when they share one with others, are counted by `journalWrites`, and those of its records by `recordWrites`.
   */
  writes(since = 0): Record<string, number> {
    const writes = this.#writes(since).filter(({ name }) => name !== JOURNAL_NAME && name !== RECORDS_NAME);
    return counted(
      writes.map(
        ({ method, resource, status }) => `${method} ${resource}${status < 300 ? '' : ` (${status})`}`,
      ),
    );
  }

  /** How many writes of the journal began after a `mark`. */
  journalWrites(since = 0): number {
    return this.#writes(since).filter(({ name }) => name === JOURNAL_NAME).length;
  }

  /** How many writes of the journal's records began after a `mark`. */
  recordWrites(since = 0): number {
    return this.#writes(since).filter(({ name }) => name === RECORDS_NAME).length;
  }

  #writes(since: number): ApiRequest[] {
    return this.requests.filter(({ method, number }) => method !== 'GET' && number > since);
  }

  /** Requests to servers other than the API server that wait for their answer. */
  get pendingElsewhere(): number {
    return this.#elsewhere.size;
  }

  /** What is under way at the API server: requests, watches that are not yet open, writes that no watch has shown. */
  pendingAtApiServer(): string[] {
    const flights = [...this.#atApiServer.values()];
    const waiting = flights.filter(({ isWatch, status }) => !isWatch || status === 0);
    for (const [key, { target, version }] of this.#unseen) {
      if (this.hasSeen(target, version)) this.#unseen.delete(key);
    }
    return [...waiting.map(({ target }) => target.path), ...this.#unseen.keys()];
  }

  /** Whether every open watch that covers this object has shown this version of it. */
  hasSeen(target: WatchedObject, version: number): boolean {
    return [...this.#atApiServer.values()].every(
      (flight) =>
        !flight.isWatch || flight.status === 0 || flight.seen >= version || !covers(flight.target, target),
    );
  }

  /** Plurals, with selector, of the watches that are open. */
  watches(): string[] {
    return [...this.#atApiServer.values()]
      .filter(({ isWatch, status }) => isWatch && status === 200)
      .map(({ target }) => `${target.plural}${target.selector === '' ? '' : `?${target.selector}`}`);
  }

  begin(request: Request): void {
    if (String(request.origin) !== this.#apiServer) {
      this.#elsewhere.add(request);
      return;
    }
    const target = targetOf(request.path);
    const isWatch = target.query.get('watch') === '1';
    const seen = Number(target.query.get('resourceVersion') ?? 0);
    this.#begun += 1;
    this.#atApiServer.set(request, { number: this.#begun, target, isWatch, status: 0, text: '', seen });
  }

  answered(request: Request, status: number): void {
    const flight = this.#atApiServer.get(request);
    if (flight) flight.status = status;
  }

  received(request: Request, chunk: Buffer): void {
    const flight = this.#atApiServer.get(request);
    if (!flight || (request.method === 'GET' && !flight.isWatch)) return;
    flight.text += chunk.toString('latin1');
    if (!flight.isWatch) return;
    for (const [, version] of flight.text.matchAll(/"resourceVersion":"(\d+)"/g))
      flight.seen = Math.max(flight.seen, Number(version));
    flight.text = flight.text.slice(-40);
  }

  /** `isWhole`: the answer was complete. */
  end(request: Request, isWhole: boolean): void {
    this.#elsewhere.delete(request);
    const flight = this.#atApiServer.get(request);
    if (!flight) return;
    this.#atApiServer.delete(request);
    if (flight.isWatch) return;
    const { target, status, text, number } = flight;
    const { namespace } = target;
    const resource =
      target.subresource === undefined ? target.plural : `${target.plural}/${target.subresource}`;
    const { method = 'GET' } = request;
    const isStored = method !== 'GET' && method !== 'DELETE' && status < 300 && isWhole;
    const metadata = isStored ? (JSON.parse(text) as KubeObject).metadata : undefined;
    const answered = { method, resource, namespace, name: target.name ?? metadata?.name, status, number };
    this.requests.push(answered);
    this.onAnswer(answered);
    if (!metadata) return;
    const written = { ...target, name: metadata.name, isManaged: isManaged({ metadata }) };
    this.#unseen.set(`${written.plural} ${namespace}/${metadata.name}`, {
      target: written,
      version: Number(metadata.resourceVersion),
    });
  }
}

/** An object that a watch may show. */
export interface WatchedObject {
  plural: string;
  namespace: string | undefined;
  name: string | undefined;
  /** Whether it has the label by which the operator watches Secrets. */
  isManaged: boolean;
}

/** Whether an object has the operator's label. */
export function isManaged({ metadata }: KubeObject): boolean {
  return metadata.labels?.[MANAGED_LABEL] === 'true';
}

/** How often each text occurs. */
export function counted(texts: readonly string[]): Record<string, number> {
  const counts: Record<string, number> = {};
  for (const text of texts) counts[text] = (counts[text] ?? 0) + 1;
  return counts;
}

interface Target {
  path: string;
  plural: string;
  namespace: string | undefined;
  name: string | undefined;
  subresource: string | undefined;
  /** `labelSelector=…` or `fieldSelector=…`, else empty. */
  selector: string;
  query: URLSearchParams;
}

function targetOf(path: string): Target {
  const { pathname, searchParams: query } = new URL(path, 'https://api.invalid');
  const parts = pathname.split('/').slice(1);
  const rest = parts.slice(parts[0] === 'api' ? 2 : 3);
  const namespace = rest[0] === 'namespaces' && rest.length > 2 ? rest[1] : undefined;
  const [plural = '', name, subresource] = namespace === undefined ? rest : rest.slice(2);
  const selector = ['labelSelector', 'fieldSelector']
    .filter((key) => query.has(key))
    .map((key) => `${key}=${query.get(key)}`)
    .join('&');
  return { path, plural, namespace, name, subresource, selector, query };
}

function covers(watch: Target, object: WatchedObject): boolean {
  if (watch.plural !== object.plural) return false;
  if (watch.query.has('labelSelector') && !object.isManaged) return false;
  if (watch.namespace !== undefined && watch.namespace !== object.namespace) return false;
  const field = watch.query.get('fieldSelector');
  return field === null || field === `metadata.name=${object.name}`;
}

function on(name: string, handle: (message: never) => void): void {
  subscribe(name, handle as (message: unknown) => void);
}

on('undici:request:create', ({ request }: DiagnosticsChannel.RequestCreateMessage) => {
  const traffic = owner.getStore();
  if (!traffic) return;
  owners.set(request, traffic);
  traffic.begin(request);
});
on('undici:request:headers', ({ request, response }: DiagnosticsChannel.RequestHeadersMessage) => {
  owners.get(request)?.answered(request, response.statusCode);
});
on(
  'undici:request:bodyChunkReceived',
  ({ request, chunk }: DiagnosticsChannel.RequestBodyChunkReceivedMessage) => {
    owners.get(request)?.received(request, Buffer.from(chunk));
  },
);
on('undici:request:trailers', ({ request }: DiagnosticsChannel.RequestTrailersMessage) => {
  owners.get(request)?.end(request, true);
});
on('undici:request:error', ({ request }: DiagnosticsChannel.RequestErrorMessage) => {
  owners.get(request)?.end(request, false);
});
