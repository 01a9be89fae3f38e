import { expect, test } from 'vitest';
import { expectLinear, runsOf } from '../../test/support/scaling.ts';
import { isAllowedEndpoint } from './allowed-endpoint.ts';

const publicEndpoint = 'https://www.tinycert.org/api/v1/';
const local = 'https://127.0.0.1:8443/api/v1/';

test.each([
  ['the public endpoint', 'https://www.tinycert.org/api/v1', true, [], true],
  ['another one of a namespaced issuer', local, true, [], false],
  ['another one that an administrator allowed', local, true, ['https://127.0.0.1:8443/api/v1'], true],
  ['another port than the allowed one', 'https://127.0.0.1:9443/api/v1/', true, [local], false],
  ['another path than the allowed one', 'https://127.0.0.1:8443/other/', true, [local], false],
  ['any https of a cluster issuer', local, false, [], true],
  ['http of a cluster issuer', 'http://127.0.0.1:8080/api/v1/', false, [], false],
  [
    'http that an administrator allowed',
    'http://127.0.0.1:8080/api/v1/',
    true,
    ['http://127.0.0.1:8080/api/v1/'],
    true,
  ],
  ['the allowed one with more slashes at its end', `${local}//`, true, [local], true],
  ['the allowed one with a slash too many in it', 'https://127.0.0.1:8443/api//v1/', true, [local], false],
  ['no URL', 'nonsense', false, ['nonsense'], false],
])('%s', (_, endpoint, namespaced, allowed, want) => {
  expect(isAllowedEndpoint(endpoint, { namespaced, publicEndpoint, allowed })).toBe(want);
});

test('an endpoint of slashes is judged in linear time', () => {
  const options = { namespaced: true, publicEndpoint, allowed: [] };
  const path = runsOf('/');
  expectLinear(
    (endpoint) => isAllowedEndpoint(endpoint, options),
    (size) => `https://127.0.0.1/${path(size)}`,
    { to: 1024 * 1024 },
  );
});
