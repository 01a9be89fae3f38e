import { expect, test } from 'vitest';
import { CAcertError, type CAcertErrorCode } from '../cacert/index.ts';
import { TinyCertError, type TinyCertErrorCode } from '../tinycert/index.ts';
import { type Stops, stopsOf } from './stops.ts';

test.each<[TinyCertErrorCode, string, Stops]>([
  ['DeadlineExceeded', 'cert/new', 'account'],
  ['ConnectionFailed', 'connect', 'account'],
  ['ProtocolError', 'cert/list', 'account'],
  ['TlsFailure', 'connect', 'login'],
  ['ApiKeyMismatch', 'connect', 'login'],
  ['AccountNotFound', 'connect', 'login'],
  ['SignatureFailure', 'cert/new', 'account'],
  ['InvalidToken', 'cert/new', 'account'],
  ['InputFailure', 'connect', 'login'],
  ['InputFailure', 'cert/new', 'nobody'],
  ['NotFound', 'cert/reissue', 'nobody'],
  ['RateLimitExceeded', 'cert/new', 'pause'],
  ['RateLimitExceeded', 'connect', 'pause'],
  ['Closed', 'cert/new', 'login'],
  ['Aborted', 'cert/new', 'nobody'],
])('TinyCert’s %s in %s stops: %s', (code, call, stops) => {
  expect(stopsOf(new TinyCertError(code, { call }))).toBe(stops);
});

test.each<[CAcertErrorCode, string, Stops]>([
  ['DeadlineExceeded', 'ccsr.php', 'account'],
  ['ProtocolError', 'cemails.php', 'account'],
  ['TlsFailure', 'cemails.php', 'login'],
  ['CredentialsRejected', 'cemails.php', 'login'],
  ['CredentialsRejected', 'ccsr.php', 'login'],
  ['KeyRefused', 'ccsr.php', 'nobody'],
  ['EmailRefused', 'ccsr.php', 'nobody'],
  ['IssuanceUncertain', 'ccsr.php', 'nobody'],
  ['Closed', 'ccsr.php', 'login'],
  ['Aborted', 'ccsr.php', 'nobody'],
])('CAcert’s %s in %s stops: %s', (code, call, stops) => {
  expect(stopsOf(new CAcertError(code, { call }))).toBe(stops);
});

test('CAcert’s status 429 stops: pause', () => {
  const error = new CAcertError('UnexpectedStatus', { call: 'ccsr.php', status: 429 });
  expect(stopsOf(error)).toBe('pause');
});
