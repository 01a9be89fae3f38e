import { describe, expect, test } from 'vitest';
import { createCleaner } from '../http/secrecy.ts';
import { readError } from './reply.ts';

const clean = createCleaner(['open sesame!', 'key-of-the-api']);
const context = { call: 'cert/new', token: 'token-1', clean, now: 0 };

function errorOf(status: number, body: unknown, call = 'cert/new', headers: Record<string, string> = {}) {
  const text = typeof body === 'string' ? body : JSON.stringify(body);
  return readError({ status, headers, body: Buffer.from(text) }, { ...context, call });
}

describe('an error reply', () => {
  test.each([
    ['AccessDenied', 403, 'not-found'],
    ['AccountNotFound', 404, 'credentials'],
    ['ApiKeyMismatch', 403, 'credentials'],
    ['InputFailure', 400, 'input'],
    ['InvalidToken', 403, 'passing'],
    ['MethodDisallowed', 400, 'protocol'],
    ['MissingParameter', 400, 'input'],
    ['NotFound', 404, 'not-found'],
    ['NotLatest', 400, 'input'],
    ['RateLimitExceeded', 429, 'rate-limit'],
    ['SessionError', 500, 'passing'],
    ['SignatureFailure', 403, 'credentials'],
    ['StatusDisallowed', 400, 'input'],
  ])('with code %s has its kind from the code, whatever the status', (code, status, kind) => {
    for (const given of [status, 418, 500])
      expect(errorOf(given, { code, text: 'why' })).toMatchObject({
        name: 'TinyCertError',
        code,
        kind,
        status: given,
        call: 'cert/new',
        text: 'why',
        maybeExecuted: false,
      });
  });

  test.each([
    ['AccountError', 'passing'],
    ['AccountNotLoaded', 'passing'],
    ['PassphraseFailure', 'credentials'],
    ['UnknownError', 'passing'],
  ])('with code %s leaves the outcome open, whatever the status', (code, kind) => {
    for (const status of [400, 403, 500])
      expect(errorOf(status, { code })).toMatchObject({ kind, maybeExecuted: true });
  });

  test.each([
    [400, 'input', true],
    [401, 'credentials', true],
    [403, 'credentials', true],
    [404, 'not-found', true],
    [409, 'protocol', true],
    [429, 'rate-limit', false],
    [500, 'passing', true],
    [503, 'passing', true],
  ])('with an unknown code has its kind from its status %d', (status, kind, maybeExecuted) => {
    expect(errorOf(status, { code: 'QuotaReached', text: '' })).toMatchObject({
      code: 'UnrecognizedCode',
      upstreamCode: 'QuotaReached',
      kind,
      maybeExecuted,
    });
  });

  test.each([
    [400, 'UnexpectedStatus', 'protocol', true],
    [403, 'UnexpectedStatus', 'protocol', true],
    [404, 'UnexpectedStatus', 'protocol', true],
    [408, 'UnexpectedStatus', 'passing', true],
    [429, 'RateLimitExceeded', 'rate-limit', false],
    [500, 'UnexpectedStatus', 'passing', true],
    [502, 'UnexpectedStatus', 'passing', true],
    [504, 'UnexpectedStatus', 'passing', true],
    [201, 'ProtocolError', 'protocol', true],
    [204, 'ProtocolError', 'protocol', true],
    [302, 'ProtocolError', 'protocol', true],
  ])(
    'without a code goes by its status %d, and is never read as not found',
    (status, code, kind, maybeExecuted) => {
      for (const body of ['', '<html>Not Found</html>', '{"message":"no"}', '[]', '{"code":404}', 'null'])
        expect(errorOf(status, body)).toMatchObject({ code, kind, maybeExecuted });
    },
  );

  test.each(['AccessDenied', 'InputFailure', 'MissingParameter'])(
    'with code %s to a login is one of the credentials',
    (code) => {
      expect(errorOf(400, { code }, 'connect').kind).toBe('credentials');
    },
  );

  test.each<[number, string]>([
    [404, 'NotFound'],
    [404, 'SomethingNew'],
  ])('with status %i and code %s to a login says nothing of a certificate', (status, code) => {
    expect(errorOf(status, { code }, 'connect').kind).toBe('protocol');
  });

  test('to a login never leaves the outcome open', () => {
    expect(errorOf(502, '', 'connect').maybeExecuted).toBe(false);
  });

  test.each([
    ['Missing parameter: CN', 'CN'],
    ['The parameter "SANs" is not valid', 'SANs'],
    ['Illegal value for C.', 'C'],
    ['CN or OU', undefined],
    ['something', undefined],
    ['CNs', undefined],
  ])('names the parameter in %j', (text, parameter) => {
    expect(errorOf(400, { code: 'InputFailure', text }).parameter).toBe(parameter);
  });

  test('has the wait that the service asks for', () => {
    const error = errorOf(429, { code: 'RateLimitExceeded' }, 'cert/new', { 'retry-after': '30' });

    expect(error.retryAfterMs).toBe(30_000);
  });

  test('has a clipped text', () => {
    expect(errorOf(400, { code: 'InputFailure', text: 'x'.repeat(5000) }).text).toHaveLength(257);
  });

  test.each(['Code With Space', 'X'.repeat(41), '<b>', 'key-of-the-api', 'token-1', 'd7dd6880', 'A1b'])(
    'does not show the unknown code %j',
    (code) => {
      expect(errorOf(400, { code }).upstreamCode).toBeUndefined();
    },
  );
});
