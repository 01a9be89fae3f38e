/**
 * A typed client for all calls of the TinyCert API, version 1, with one error class.
 *
 * ```ts
 * import { createTinyCertClient } from 'tinycert-operator/tinycert';
 *
 * const client = createTinyCertClient({
 *   credentials: { email, passphrase, apiKey },
 * });
 * const [authority] = await client.listAuthorities();
 * if (!authority) throw new Error('The account has no authority yet.');
 *
 * const id = await client.createCertificate({
 *   authorityId: authority.id,
 *   subject: { commonName: 'www.example.com', country: 'NL', organization: 'ACME, Inc.' },
 *   alternativeNames: [{ type: 'DNS', value: 'www.example.com' }],
 * });
 * const chain = await client.getCertificate(id, 'chain');
 * const key = await client.getCertificate(id, 'key.dec');
 * await client.close({ disconnect: true });
 * ```
 *
 * Calls log in by themselves. `createCertificate`, `reissueCertificate` and `createAuthority` are not idempotent: if one
 * fails, check `maybeExecuted(error)` for whether the service may have acted all the same. Needs Node 24.
 */
export type { Clock } from '../lib/clock.ts';
export type { ClockOffset } from '../http/clock-offset.ts';
export { maybeExecuted } from '../http/errors.ts';
export type { CallOptions, FinishedRequest, WaitOptions } from '../http/types.ts';
export type { TinyCertAccountOptions, TinyCertCredentials } from './account.ts';
export { createTinyCertClient } from './client.ts';
export type { TinyCertErrorCode, TinyCertErrorKind, UpstreamErrorCode } from './error-codes.ts';
export { TinyCertError, type TinyCertErrorDetails } from './errors.ts';
export { defaultEndpoint } from './default-endpoint.ts';
export { createTinyCertSession, sessionKey, type TinyCertSession } from './session.ts';
export type {
  AlternativeName,
  AlternativeNameType,
  AuthorityDetails,
  AuthoritySummary,
  CertificateDetails,
  CertificatePemItem,
  CertificateStatus,
  CertificateSubject,
  CertificateSummary,
  CreateAuthorityInput,
  CreateCertificateInput,
  HashAlgorithm,
  ListableStatus,
  ReportedStatus,
  ReportedSubject,
  SettableStatus,
  StatusFilter,
  TinyCertClient,
  TinyCertClientOptions,
} from './types.ts';
