/** The control URL of the CAcert server. It also serves the CRLs, and answers OCSP with tryLater. */
import type { IncomingMessage, ServerResponse } from 'node:http';
import { type Actions, answerControl, COMMON_ACTIONS } from '../control/actions.ts';
import { revocationList } from '../x509/crl.ts';
import { OCSP_TRY_LATER, type Publication } from '../control/publication.ts';
import { checked } from '../schemas.ts';
import type { Operations } from './operations.ts';
import { fault, memberPreset, runtimeOptions } from './schemas.ts';
import type { Service } from './service.ts';

const ACTIONS: Actions<Operations> = {
  ...COMMON_ACTIONS,
  'GET /members': (operations) => operations.members(),
  'POST /members': (operations, { body }) => operations.putMember(checked(memberPreset, body)),
  'GET /requests': (operations) => operations.requests(),
  'POST /requests/:id/sign': (operations, { id }) => operations.sign(id),
  'POST /certificates/:id/revoke': (operations, { id }) => operations.revokeByHand(id),
  'PUT /options': (operations, { body }) => operations.setOptions(checked(runtimeOptions, body)),
  'POST /faults': (operations, { body }) => ({ id: operations.addFault(checked(fault, body)) }),
};

/** Answers one request to the control URL. */
export async function control(
  service: Service,
  operations: Operations,
  request: IncomingMessage,
  response: ServerResponse,
): Promise<void> {
  const publish = (_method: string, path: string): Publication | undefined => publication(service, path);
  await answerControl({ actions: ACTIONS, operations, publish }, request, response);
}

function publication({ hierarchy, signer, now }: Service, path: string): Publication | undefined {
  if (/^\/ocsp(?:\/|$)/.test(path)) return { type: 'application/ocsp-response', content: OCSP_TRY_LATER };
  const authority = [hierarchy.class1, hierarchy.class3].find(({ crl }) => new URL(crl).pathname === path);
  if (!authority) return undefined;
  const entries = signer.revoked(authority.id).map((entry) => ({ ...entry, hold: false }));
  const seconds = Math.floor(now() / 1000);
  const dates = { number: seconds, now: seconds };
  return {
    type: 'application/pkix-crl',
    content: revocationList(authority.name, authority.key, 'sha256', entries, dates),
  };
}
