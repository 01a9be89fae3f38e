/** The part that all control URLs share: JSON over plain HTTP. */
import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Publication } from './publication.ts';
import { ServiceError } from '../service-error.ts';

const LARGEST_BODY = 1024 * 1024;

export interface ControlRequest {
  /** The number in the path. */
  id: number;
  query: URLSearchParams;
  body: unknown;
}

/** Actions by method and path; `:id` is a number. An action returns the answer's JSON, or undefined for 204. */
export type Actions<O> = Record<string, (operations: O, request: ControlRequest) => unknown>;

/** The operations that every control URL offers. */
interface CommonOperations {
  journal: (since: number) => unknown;
  clearJournal: () => void;
  certificates: () => unknown;
  certificatePem: (id: number) => string;
  faults: () => unknown;
  clearFaults: () => void;
  release: () => number;
  counts: () => unknown;
}

/** The actions that every control URL has. */
export const COMMON_ACTIONS: Actions<CommonOperations> = {
  'GET /journal': (operations, { query }) => operations.journal(Number(query.get('since') ?? 0)),
  'DELETE /journal': (operations) => operations.clearJournal(),
  'GET /certificates': (operations) => operations.certificates(),
  'GET /certificates/:id': (operations, { id }) => ({ pem: operations.certificatePem(id) }),
  'GET /faults': (operations) => operations.faults(),
  'DELETE /faults': (operations) => operations.clearFaults(),
  'POST /release': (operations) => ({ released: operations.release() }),
  'GET /stats': (operations) => operations.counts(),
};

/** Answers one request with the publication at its path, else with an action. */
export async function answerControl<O>(
  {
    actions,
    operations,
    publish,
  }: {
    actions: Actions<O>;
    operations: O;
    publish: (method: string, path: string) => Publication | undefined;
  },
  request: IncomingMessage,
  response: ServerResponse,
): Promise<void> {
  const published = publish(request.method ?? '', urlOf(request).pathname);
  if (published) {
    response.writeHead(200, { 'content-type': published.type, 'content-length': published.content.length });
    response.end(request.method === 'HEAD' ? undefined : published.content);
    return;
  }
  const [status, answer] = await act(actions, operations, request);
  const text = answer === undefined ? '' : JSON.stringify(answer);
  response.writeHead(status, { 'content-type': 'application/json' });
  response.end(text);
}

function urlOf(request: IncomingMessage): URL {
  return new URL(request.url ?? '/', 'http://control');
}

async function act<O>(
  actions: Actions<O>,
  operations: O,
  request: IncomingMessage,
): Promise<[status: number, answer: unknown]> {
  const url = urlOf(request);
  // A web page in a browser must not control the server, neither from its own origin nor by a name bound to loopback.
  if (
    request.headers.origin !== undefined ||
    !/^(?:127\.0\.0\.1|localhost)(?::|$)/.test(request.headers.host ?? '')
  ) {
    return [403, { error: 'The control URL is for programs on this machine' }];
  }
  const id = /\/(\d+)(?=\/|$)/.exec(url.pathname)?.[1];
  const path = url.pathname.replace(/\/\d+(?=\/|$)/, '/:id');
  const action = actions[`${request.method} ${path}`];
  if (!action) return [404, { error: 'There is no such action', actions: Object.keys(actions) }];
  try {
    const body = await readJson(request);
    const answer: unknown = await action(operations, { id: Number(id), query: url.searchParams, body });
    return answer === undefined ? [204, undefined] : [200, answer];
  } catch (error) {
    if (error instanceof ServiceError) return [error.status, { error: error.message, code: error.code }];
    if (error instanceof RangeError) return [400, { error: error.message }];
    throw error;
  }
}

async function readJson(request: IncomingMessage): Promise<unknown> {
  let text = '';
  for await (const piece of request.setEncoding('utf8') as AsyncIterable<string>) {
    text += piece;
    if (text.length > LARGEST_BODY) throw new RangeError('The body is too large');
  }
  if (text === '') return undefined;
  try {
    return JSON.parse(text);
  } catch (cause) {
    throw new RangeError('The body is not JSON', { cause });
  }
}
