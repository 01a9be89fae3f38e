/**
 * A typed client for both calls of CAcert's API for client certificates, with one error class.
 *
 * ```ts
 * import { createCAcertClient, maybeExecuted } from 'tinycert-operator/cacert';
 *
 * const client = createCAcertClient({
 *   credentials: { username, password },
 *   ca: roots, // PEM: the server certificate of CAcert is usually signed by CAcert
 * });
 * const { names, emails, encoding } = await client.getAccount();
 *
 * try {
 *   const { certificate } = await client.signCertificate({ csr, emails, name: names[0], encoding });
 * } catch (error) {
 *   if (maybeExecuted(error)) console.error('There may be a certificate. Keep the key and check the account.');
 *   throw error;
 * }
 * await client.close();
 * ```
 *
 * `signCertificate` is not idempotent, and CAcert has no call to look up, renew or revoke a certificate. Rather than refuse
 * a request, CAcert leaves out the name, some of the e-mail addresses or code signing, so compare the certificate with the
 * request. Every certificate that it issues can log in to the account. Needs Node 24.
 */
export type { Clock } from '../lib/clock.ts';
export type { ClockOffset } from '../http/clock-offset.ts';
export { maybeExecuted } from '../http/errors.ts';
export type { CallOptions, FinishedRequest, WaitOptions } from '../http/types.ts';
export { anonymousName } from './account-answer.ts';
export { createCAcertClient, defaultEndpoint } from './client.ts';
export type { CAcertErrorCode, CAcertErrorKind } from './error-codes.ts';
export { CAcertError, type CAcertErrorDetails } from './errors.ts';
export type { KeyRefusal } from './key-refusals.ts';
export type {
  AccountDetails,
  CAcertClient,
  CAcertClientOptions,
  CAcertCredentials,
  SignCertificateInput,
  SignedCertificate,
  TextEncoding,
} from './types.ts';
