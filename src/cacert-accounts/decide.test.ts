import { afterAll, expect, test } from 'vitest';
import { cacertAccount } from '../../test/support/inputs/accounts.ts';
import { AUTHORITY, Vectors } from '../../test/support/x509/x509-vectors.ts';
import type { CAcertAccountSpec } from '../api/cacert/account-spec.ts';
import { decide } from './decide.ts';
import type { Inputs } from './gather.ts';

const vectors = new Vectors();
afterAll(() => vectors.remove());
const { cert } = vectors.make({ subject: '/CN=Root', extensions: AUTHORITY, curve: 'P-256' });
const { cert: other } = vectors.make({ subject: '/CN=Other', extensions: AUTHORITY, curve: 'P-256' });

const ref = { namespace: 'ns', name: 'login' };

function inputs({
  spec = { caBundle: cert },
  ...change
}: Partial<Inputs> & { spec?: Partial<CAcertAccountSpec> } = {}): Inputs {
  return {
    resource: cacertAccount({ spec }),
    namespaced: true,
    allowedEndpoints: [],
    credentials: {
      ref,
      found: true,
      version: '1',
      text: { username: 'me@example.com\n', password: ' secret \n' },
    },
    caBundle: undefined,
    now: Date.now(),
    ...change,
  };
}

const bundle: Inputs['caBundle'] = {
  ref: { namespace: 'ns', name: 'roots' },
  found: true,
  version: '1',
  text: { 'ca.crt': other },
  key: 'ca.crt',
};

test('an account connects with the credentials of its Secret, without the line breaks at their ends', () => {
  expect(decide(inputs())).toMatchObject({
    do: 'connect',
    connection: {
      endpoint: 'https://www.cacert.org/api/',
      ca: cert,
      credentials: { username: 'me@example.com', password: ' secret ' },
      allowLoopbackHttp: false,
    },
    bundle: { roots: [{ names: { commonName: 'Root' } }], intermediates: [] },
  });
});

test.each<[string, Parameters<typeof inputs>[0], string]>([
  ['the Secret', { spec: {}, caBundle: bundle }, 'Other'],
  ['the spec', { spec: { caBundle: cert }, caBundle: bundle }, 'Root'],
])('an account checks against the bundle of %s', (_, change, commonName) => {
  expect(decide(inputs(change))).toMatchObject({ bundle: { roots: [{ names: { commonName } }] } });
});

test.each<[string, Parameters<typeof inputs>[0]]>([
  ['EndpointNotAllowed', { spec: { endpoint: 'https://elsewhere.example/', caBundle: cert } }],
  ['CredentialsNotFound', { credentials: { ref, found: false } }],
  ['CABundleNotFound', { spec: {}, caBundle: { ...bundle, text: {} } as Inputs['caBundle'] }],
  ['CABundleInvalid', { spec: { caBundle: 'nonsense' } }],
  ['RootNotPinned', { spec: { caBundle: cert, rootFingerprints: ['00'.repeat(32)] } }],
])('an account is reported: %s', (reason, change) => {
  expect(decide(inputs(change))).toMatchObject({ do: 'report', reason });
});

test('plain http is used where an administrator allows it', () => {
  const endpoint = 'http://127.0.0.1:8080/';
  const plan = decide(inputs({ spec: { endpoint, caBundle: cert }, allowedEndpoints: [endpoint] }));
  expect(plan).toMatchObject({ do: 'connect', connection: { endpoint, allowLoopbackHttp: true } });
});
