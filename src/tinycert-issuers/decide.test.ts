import { expect, test } from 'vitest';
import { issuer } from '../../test/support/inputs/accounts.ts';
import type { SecretText } from '../account/secret-text.ts';
import type { IssuerSpec } from '../api/tinycert/issuer-spec.ts';
import { decide } from './decide.ts';
import type { Inputs } from './gather.ts';

const ref = { namespace: 'ns', name: 'login' };
const text = { email: 'me@example.com\n', passphrase: 'open sesame \r\n', apiKey: 'key' };
const PEM = '-----BEGIN CERTIFICATE-----\n';
const local = 'http://127.0.0.1:8080/';

function inputs({ spec, ...change }: Partial<Inputs> & { spec?: Partial<IssuerSpec> } = {}): Inputs {
  return {
    resource: issuer(spec ? { spec } : {}),
    namespaced: true,
    allowedEndpoints: [],
    credentials: { ref, found: true, version: '1', text },
    caBundle: undefined,
    ...change,
  };
}

function bundle(content: string): SecretText & { key: string } {
  const bundleRef = { namespace: 'ns', name: 'roots' };
  return { ref: bundleRef, found: true, version: '1', text: { 'ca.crt': content }, key: 'ca.crt' };
}

test('an issuer connects with the credentials of its Secret, without the line breaks at their ends', () => {
  expect(decide(inputs())).toEqual({
    do: 'connect',
    connection: {
      endpoint: 'https://www.tinycert.org/api/v1/',
      credentials: { email: 'me@example.com', passphrase: 'open sesame ', apiKey: 'key' },
      allowLoopbackHttp: false,
    },
  });
});

test.each<[string, string | undefined, Parameters<typeof inputs>[0]]>([
  ['the system’s roots', undefined, {}],
  ['the bundle of a Secret', `${PEM}secret`, { caBundle: bundle(`${PEM}secret`) }],
  ['the bundle of the spec', `${PEM}spec`, { spec: { caBundle: `${PEM}spec` } }],
])('an issuer trusts %s', (_, ca, change) => {
  expect(decide(inputs(change))).toMatchObject({ do: 'connect', connection: ca === undefined ? {} : { ca } });
  expect('ca' in (decide(inputs(change)) as { connection: object }).connection).toBe(ca !== undefined);
});

test('plain http is used where an administrator allows it, and nowhere else', () => {
  const spec = { endpoint: local };
  expect(decide(inputs({ spec, allowedEndpoints: [local] }))).toMatchObject({
    do: 'connect',
    connection: { endpoint: local, allowLoopbackHttp: true },
  });
  const refused = { do: 'report', reason: 'EndpointNotAllowed' };
  expect(decide(inputs({ spec, namespaced: false }))).toMatchObject(refused);
});

test('credentials that lack a key are reported with all three keys', () => {
  const credentials: SecretText = { ref, found: true, version: '1', text: { email: 'me@example.com' } };
  expect(decide(inputs({ credentials }))).toEqual({
    do: 'report',
    reason: 'CredentialsIncomplete',
    message: 'The Secret login lacks passphrase, apiKey: it needs the keys email, passphrase, apiKey.',
  });
});
