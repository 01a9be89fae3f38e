import {
  authorityDetails,
  deleteAuthority,
  getAuthority,
  listAuthorities,
  newAuthority,
} from './authorities.ts';
import type { CallHandler, Service } from './call.ts';
import { getCertificate } from './certificate-parts.ts';
import {
  certificateDetails,
  changeStatus,
  listCertificates,
  newCertificate,
  reissueCertificate,
} from './certificates.ts';
import { authenticate, connect, disconnect } from './session.ts';
import type { Form } from '../http/form.ts';
import { ServiceError } from '../service-error.ts';
import type { CallName, FaultEffect, JournalEntry } from '../types.ts';

export const API_PATH = '/api/v1/';

const HANDLERS: Record<Exclude<CallName, 'connect'>, CallHandler> = {
  disconnect,
  'ca/list': listAuthorities,
  'ca/details': authorityDetails,
  'ca/get': getAuthority,
  'ca/delete': deleteAuthority,
  'ca/new': newAuthority,
  'cert/list': listCertificates,
  'cert/details': certificateDetails,
  'cert/get': getCertificate,
  'cert/reissue': reissueCertificate,
  'cert/status': changeStatus,
  'cert/new': newCertificate,
};

/** Every call of the API. */
export const CALL_NAMES = ['connect', ...Object.keys(HANDLERS)] as CallName[];

/** What a request's path means. */
export interface Route {
  /** The call, or the path if it is none. */
  name: string;
  format: 'json' | 'xml';
}

/** Reads the path. `.json` is the explicit default. One client doubles the slash at the start, so that is allowed. */
export function routeOf(url: string): Route {
  const path = url.split('?')[0] ?? '';
  if (!path.startsWith(API_PATH)) return { name: path, format: 'json' };
  const call = path.slice(API_PATH.length).replace(/^\/+/, '');
  if (call.endsWith('.xml')) return { name: call.slice(0, -4), format: 'xml' };
  return { name: call.endsWith('.json') ? call.slice(0, -5) : call, format: 'json' };
}

/** A request, parsed. */
export interface CallInput {
  route: Route;
  body: Buffer;
  form: Form;
  entry: JournalEntry;
  defect: FaultEffect | undefined;
}

/** The rest of an admitted call: returns the answer's JSON, or rejects with a ServiceError. */
export type AdmittedCall = () => Promise<string>;

/**
 * Authenticates the caller, as the service does on arrival; the call itself may run later. Throws a ServiceError for a caller
 * who is not admitted.
 */
export function admit(service: Service, input: CallInput): AdmittedCall {
  const { route, body, form, entry, defect } = input;
  if (entry.method !== 'POST') throw new ServiceError('MethodDisallowed', 'Only POST is allowed');
  if (route.format === 'xml') {
    throw new ServiceError('InputFailure', 'This server answers in JSON only: leave out the suffix .xml');
  }
  if (route.name === 'connect') return async () => JSON.stringify(connect(service, body, form, entry));
  if (!isCall(route.name)) throw new ServiceError('NotFound', 'There is no such call');
  const handler = HANDLERS[route.name];
  const account = authenticate(service, body, form, entry);
  return async () => {
    const answer = await handler({ service, account, form, entry, ...(defect && { defect }) });
    return answer === undefined ? service.settings.successBody : JSON.stringify(answer);
  };
}

function isCall(name: string): name is keyof typeof HANDLERS {
  return Object.hasOwn(HANDLERS, name);
}
