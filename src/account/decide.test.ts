import { expect, test } from 'vitest';
import { connectionBlocker } from './decide.ts';
import type { AccountInputs } from './gather.ts';
import type { SecretText } from './secret-text.ts';

const options = { who: 'issuer', publicEndpoint: 'https://ca.example/', keys: ['user', 'password'] };
const ref = { namespace: 'ns', name: 'login' };
const credentials: SecretText = { ref, found: true, version: '1', text: { user: 'me', password: 'x' } };
const bundleRef = { namespace: 'ns', name: 'roots' };
const pem = '-----BEGIN CERTIFICATE-----\n';

type Inputs = AccountInputs<{ spec: { endpoint: string } }>;

function inputs(change: Partial<Inputs> = {}): Inputs {
  return {
    resource: { spec: { endpoint: options.publicEndpoint } },
    namespaced: true,
    allowedEndpoints: [],
    credentials,
    caBundle: undefined,
    ...change,
  };
}

const elsewhere = { spec: { endpoint: 'https://elsewhere.example/' } };
const missing: SecretText = { ref, found: false };

test.each<[string, string | undefined, Partial<Inputs>]>([
  ['nothing', undefined, {}],
  ['another endpoint', 'EndpointNotAllowed', { resource: elsewhere }],
  ['another endpoint of a cluster-scoped kind', undefined, { resource: elsewhere, namespaced: false }],
  [
    'an endpoint that an administrator allows',
    undefined,
    { resource: elsewhere, allowedEndpoints: ['https://elsewhere.example'] },
  ],
  ['a missing Secret', 'CredentialsNotFound', { credentials: missing }],
  ['the endpoint before the Secret', 'EndpointNotAllowed', { resource: elsewhere, credentials: missing }],
  ['a missing key', 'CredentialsIncomplete', { credentials: { ...credentials, text: { user: 'me' } } }],
  [
    'a blank key',
    'CredentialsIncomplete',
    { credentials: { ...credentials, text: { user: 'me', password: ' \n' } } },
  ],
  ['a missing bundle', 'CABundleNotFound', { caBundle: { ref: bundleRef, found: false, key: 'ca.crt' } }],
  [
    'a bundle under another key',
    'CABundleNotFound',
    { caBundle: { ref: bundleRef, found: true, version: '1', text: { other: pem }, key: 'ca.crt' } },
  ],
  [
    'a bundle that is not PEM',
    'CABundleNotFound',
    { caBundle: { ref: bundleRef, found: true, version: '1', text: { 'ca.crt': 'x' }, key: 'ca.crt' } },
  ],
  [
    'a bundle of certificates',
    undefined,
    { caBundle: { ref: bundleRef, found: true, version: '1', text: { 'ca.crt': pem }, key: 'ca.crt' } },
  ],
])('%s: %s', (_, reason, change) => {
  expect(connectionBlocker(inputs(change), options)?.reason).toBe(reason);
});

test('a message names the cure', () => {
  const message = (change: Partial<Inputs>, keys = options.keys): string | undefined =>
    connectionBlocker(inputs(change), { ...options, keys })?.message;
  expect(message({ resource: elsewhere })).toBe(
    'The endpoint https://elsewhere.example/ is not allowed: an administrator has to start the operator with --allowed-endpoints=https://elsewhere.example/, or the issuer has to use the public one.',
  );
  expect(message({ credentials: missing })).toBe(
    'The Secret ns/login does not exist: create it with the keys user and password.',
  );
  expect(message({}, ['user', 'password', 'pin'])).toBe(
    'The Secret login lacks pin: it needs the keys user, password, pin.',
  );
});
