import { expect, test } from 'vitest';
import { expectLinear, runsOf } from '../../test/support/scaling.ts';
import { isAllowedEndpoint } from './allowed-endpoint.ts';

const publicEndpoint = 'https://www.tinycert.org/api/v1/';
const local = 'https://127.0.0.1:8443/api/v1/';

test.each([
  ['the public endpoint', 'https://www.tinycert.org/api/v1', true, [], true],
  ['another endpoint of a namespaced issuer', local, true, [], false],
  ['another endpoint that an administrator allowed', local, true, ['https://127.0.0.1:8443/api/v1'], true],
  ['a port other than the allowed one', 'https://127.0.0.1:9443/api/v1/', true, [local], false],
  ['a path other than the allowed one', 'https://127.0.0.1:8443/other/', true, [local], false],
  ['any https endpoint of a cluster issuer', local, false, [], true],
  ['an http endpoint of a cluster issuer', 'http://127.0.0.1:8080/api/v1/', false, [], false],
  [
    'an http endpoint that an administrator allowed',
    'http://127.0.0.1:8080/api/v1/',
    true,
    ['http://127.0.0.1:8080/api/v1/'],
    true,
  ],
  ['the allowed endpoint with more slashes at its end', `${local}//`, true, [local], true],
  [
    'the allowed endpoint with a slash too many inside',
    'https://127.0.0.1:8443/api//v1/',
    true,
    [local],
    false,
  ],
  ['no URL', 'nonsense', false, ['nonsense'], false],
])('%s', (_, endpoint, namespaced, allowed, want) => {
  expect(isAllowedEndpoint(endpoint, { namespaced, publicEndpoint, allowed })).toBe(want);
});

test('an endpoint of slashes is checked in linear time', () => {
  const options = { namespaced: true, publicEndpoint, allowed: [] };
  const path = runsOf('/');
  expectLinear(
    (endpoint) => isAllowedEndpoint(endpoint, options),
    (size) => `https://127.0.0.1/${path(size)}`,
    { to: 1024 * 1024 },
  );
});
