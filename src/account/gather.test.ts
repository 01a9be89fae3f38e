import { expect, test } from 'vitest';
import type { KubeClient } from '../kube/client.ts';
import { type ObjectRef, refKey, type Secret } from '../kube/objects.ts';
import { gatherInputs } from './gather.ts';
import { readVersions } from './secret-text.ts';

const signal = new AbortController().signal;

function secret(data?: Record<string, string>): Secret {
  return { metadata: { name: 'x', resourceVersion: '7' }, ...(data ? { data } : {}) };
}

function setup(secrets: Record<string, Secret>) {
  const read: string[] = [];
  const kube = {
    find: async (_type: unknown, ref: ObjectRef) => {
      read.push(refKey(ref));
      return secrets[refKey(ref)];
    },
  } as unknown as Pick<KubeClient, 'find'>;
  const gather = (spec: object) =>
    gatherInputs(
      { kube, allowedEndpoints: [] },
      { metadata: { name: 'ca' }, spec: { credentialsSecretRef: { name: 'login' }, ...spec } },
      { namespace: 'ns', namespaced: true, bundleKey: 'ca.crt' },
      signal,
    );
  return { gather, read };
}

test('only the Secrets that the spec names are read, from the namespace given', async () => {
  const { gather, read } = setup({ 'ns/login': secret({ user: 'bWU=' }) });
  const inputs = await gather({});
  expect(read).toEqual(['ns/login']);
  expect(inputs.credentials).toMatchObject({ found: true, version: '7', text: { user: 'me' } });
  expect(inputs.caBundle).toBeUndefined();
});

test.each([
  [{ name: 'roots' }, 'ca.crt'],
  [{ name: 'roots', key: 'root.pem' }, 'root.pem'],
])('the bundle of %j is under the key %s', async (caBundleSecretRef, key) => {
  const { gather } = setup({ 'ns/login': secret(), 'ns/roots': secret({}) });
  expect((await gather({ caBundleSecretRef })).caBundle).toMatchObject({ found: true, key, text: {} });
});

test('a Secret that is missing has an empty version, so that its creation is a change', async () => {
  const { gather } = setup({ 'ns/login': secret() });
  const { credentials, caBundle } = await gather({ caBundleSecretRef: { name: 'roots' } });
  expect(readVersions([credentials, caBundle, undefined])).toEqual([
    { ref: { namespace: 'ns', name: 'login' }, version: '7' },
    { ref: { namespace: 'ns', name: 'roots' }, version: '' },
  ]);
});
