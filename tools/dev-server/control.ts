/** The control URL: JSON over plain HTTP for whatever `Operations` offers, and the CRLs and CA certificates. */
import type { IncomingMessage, ServerResponse } from 'node:http';
import type { ApiContext } from './answer.ts';
import { type Actions, answerControl } from './control-actions.ts';
import { publication } from './publication.ts';
import type { Operations } from './operations.ts';
import { authorityPreset, checked, fault, manualRequest, runtimeOptions, statusChange } from './schemas.ts';

const ACTIONS: Actions<Operations> = {
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
  await answerControl(ACTIONS, operations, request, response);
}
