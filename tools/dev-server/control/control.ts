/** The control URL: JSON over plain HTTP for all `Operations`, and the CRLs and CA certificates. */
import type { IncomingMessage, ServerResponse } from 'node:http';
import type { ApiContext } from '../http/answer.ts';
import { type Actions, answerControl, COMMON_ACTIONS } from './actions.ts';
import { type Publication, publication } from './publication.ts';
import type { Operations } from './operations.ts';
import { authorityPreset, checked, fault, manualRequest, runtimeOptions, statusChange } from '../schemas.ts';

const ACTIONS: Actions<Operations> = {
  ...COMMON_ACTIONS,
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
  'POST /faults': (operations, { body }) => ({ id: operations.addFault(checked(fault, body)) }),
};

/** Answers one request to the control URL. */
export async function control(
  context: ApiContext,
  operations: Operations,
  request: IncomingMessage,
  response: ServerResponse,
): Promise<void> {
  const publish = (method: string, path: string): Publication | undefined =>
    publication(context.service, method, path);
  await answerControl({ actions: ACTIONS, operations, publish }, request, response);
}
