/** The control URL: JSON over plain HTTP for whatever `Operations` offers, and the CRLs and CA certificates. */
import type { IncomingMessage, ServerResponse } from 'node:http';
import type { ApiContext } from './answer.ts';
import { publication } from './publication.ts';
import type { Operations } from './operations.ts';
import { authorityPreset, checked, fault, manualRequest, runtimeOptions, statusChange } from './schemas.ts';
import { ServiceError } from './service-error.ts';

const LARGEST_BODY = 1024 * 1024;

interface ControlRequest {
  /** The number in the path. */
  id: number;
  query: URLSearchParams;
  body: unknown;
}

type Action = (operations: Operations, request: ControlRequest) => unknown;

/** By method and path; `:id` is a number. What an action gives is the answer's JSON; nothing is 204. */
const ACTIONS: Record<string, Action> = {
  'GET /journal': (operations, { query }) => operations.journal(Number(query.get('since') ?? 0)),
  'DELETE /journal': (operations) => operations.clearJournal(),
  'GET /certificates': (operations) => operations.certificates(),
  'GET /certificates/:id': (operations, { id }) => ({ pem: operations.certificatePem(id) }),
  'POST /certificates': (operations, { body }) => operations.issueByHand(checked(manualRequest, body)),
  'POST /certificates/:id/status': (operations, { id, body }) =>
    operations.setStatusByHand(id, checked(statusChange, body).status),
  'POST /certificates/:id/reissue': (operations, { id }) => operations.reissueByHand(id),
  'GET /authorities': (operations) => operations.authorities(),
  'POST /authorities': async (operations, { body }) => ({
    id: await operations.addAuthority(checked(authorityPreset, body)),
  }),
  'DELETE /authorities/:id': (operations, { id }) => operations.deleteAuthority(id),
  'PUT /options': (operations, { body }) => operations.setOptions(checked(runtimeOptions, body)),
  'POST /sessions/expire': (operations) => ({ expired: operations.expireSessions() }),
  'GET /faults': (operations) => operations.faults(),
  'POST /faults': (operations, { body }) => ({ id: operations.addFault(checked(fault, body)) }),
  'DELETE /faults': (operations) => operations.clearFaults(),
  'POST /release': (operations) => ({ released: operations.release() }),
  'GET /stats': (operations) => operations.counts(),
};

/** Answers one request to the control URL. */
export async function control(
  context: ApiContext,
  operations: Operations,
  request: IncomingMessage,
  response: ServerResponse,
): Promise<void> {
  const url = new URL(request.url ?? '/', 'http://control');
  const published = publication(context.service, request.method ?? '', url.pathname);
  if (published) {
    response.writeHead(200, { 'content-type': published.type, 'content-length': published.content.length });
    response.end(request.method === 'HEAD' ? undefined : published.content);
    return;
  }
  const [status, answer] = await act(operations, request, url);
  const text = answer === undefined ? '' : JSON.stringify(answer);
  response.writeHead(status, { 'content-type': 'application/json' });
  response.end(text);
}

async function act(
  operations: Operations,
  request: IncomingMessage,
  url: URL,
): Promise<[status: number, answer: unknown]> {
  // A web page in a browser must not steer the server: neither by its own origin nor by a name bound to loopback.
  if (
    request.headers.origin !== undefined ||
    !/^(?:127\.0\.0\.1|localhost)(?::|$)/.test(request.headers.host ?? '')
  ) {
    return [403, { error: 'The control URL is for programs on this machine' }];
  }
  const id = /\/(\d+)(?=\/|$)/.exec(url.pathname)?.[1];
  const path = url.pathname.replace(/\/\d+(?=\/|$)/, '/:id');
  const action = ACTIONS[`${request.method} ${path}`];
  if (!action) return [404, { error: 'There is no such action', actions: Object.keys(ACTIONS) }];
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
