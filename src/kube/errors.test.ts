import { expect, test } from 'vitest';
import {
  ApiError,
  isAlreadyExists,
  isConflict,
  isExpired,
  isForbidden,
  isInvalid,
  isNotFound,
  isUnauthorized,
  statusError,
} from './errors.ts';
import { retryAfterMs } from './transport/retry-after.ts';

const request = { verb: 'GET', resource: 'things', status: 400 };

function statusObject(code: number, reason: string, extra: object = {}): object {
  return { kind: 'Status', code, reason, message: 'm', ...extra };
}

test.each<[string, (error: unknown) => boolean, number, string]>([
  ['isNotFound', isNotFound, 404, 'NotFound'],
  ['isAlreadyExists', isAlreadyExists, 409, 'AlreadyExists'],
  ['isConflict', isConflict, 409, 'Conflict'],
  ['isExpired', isExpired, 410, 'Expired'],
  ['isForbidden', isForbidden, 403, 'Forbidden'],
  ['isInvalid', isInvalid, 422, 'Invalid'],
  ['isUnauthorized', isUnauthorized, 401, 'Unauthorized'],
])('%s matches its own error and no other', (_name, is, status, reason) => {
  expect(is(statusError(statusObject(status, reason), request))).toBe(true);
  expect(is(statusError(statusObject(500, 'InternalError'), request))).toBe(false);
  expect(is(Object.assign(new Error('other'), { status, reason }))).toBe(false);
  expect(is(undefined)).toBe(false);
});

test('a taken name is not a conflict of versions, and the reverse', () => {
  expect(isConflict(statusError(statusObject(409, 'AlreadyExists'), request))).toBe(false);
  expect(isAlreadyExists(statusError(statusObject(409, 'Conflict'), request))).toBe(false);
});

test.each<[string, unknown]>([
  ['null', null],
  ['a text', 'Status'],
  ['another object', { kind: 'Secret', data: { password: 'x' }, message: 'x' }],
  [
    'fields of the wrong types',
    { kind: 'Status', code: 'x', reason: 1, message: {}, details: { causes: 'x', retryAfterSeconds: 'y' } },
  ],
])('a body that is %s gives an error with the HTTP status alone', (_name, body) => {
  expect(statusError(body, request)).toMatchObject({
    status: 400,
    reason: 'BadRequest',
    message: 'The API server refused the request.',
    causes: [],
  });
});

test('only a limited number of causes is kept', () => {
  const causes = Array.from({ length: 1000 }, () => ({
    field: 'f'.repeat(1000),
    message: 'm'.repeat(1000),
    secret: 's',
  }));

  const error = statusError(
    statusObject(422, 'Invalid', { details: { causes: [null, 'x', ...causes] } }),
    request,
  );

  expect(error.causes.length).toBeLessThanOrEqual(16);
  expect(error.causes[0]).toEqual({ field: `${'f'.repeat(256)}…`, message: `${'m'.repeat(256)}…` });
});

test('an ApiError has a code of its own and keeps its cause', () => {
  const cause = new Error('below');
  const error = new ApiError({
    status: 0,
    reason: 'ConnectionFailed',
    message: 'm',
    verb: 'GET',
    resource: 'things',
    cause,
  });

  expect(error).toMatchObject({ name: 'ApiError', code: 'KUBE_API', cause });
});

test.each<[string | string[] | undefined, number | undefined]>([
  [undefined, undefined],
  ['', undefined],
  ['soon', undefined],
  ['-5', undefined],
  ['0', 0],
  ['7', 7000],
  [['7', '9'], 7000],
  ['999999999', 300_000],
  ['Thu, 01 Jan 2026 00:00:30 GMT', 30_000],
  ['Wed, 31 Dec 2025 00:00:00 GMT', 0],
])('Retry-After: %s is %s ms', (header, expected) => {
  expect(retryAfterMs(header, Date.parse('2026-01-01T00:00:00Z'))).toBe(expected);
});
