import { afterAll, describe, expect, test } from 'vitest';
import { CAcertVectors, inputs, issued, secretWith } from '../../test/support/inputs/cacert-inputs.ts';
import type { SecretView } from '../issuance/secret/certificate-secrets.ts';
import type { Deps } from './deps.ts';
import { servedKey } from './served-key.ts';

const ca = new CAcertVectors();
afterAll(() => ca.remove());

const signed = ca.sign();
const sound = secretWith(signed, ca.authority.cert);
const { signal } = new AbortController();
const keeping = { privateKey: { size: 2048, rotationPolicy: 'Never' } } as const;

/** The key for these inputs, whose Secret is `live` when it is read. */
async function keyFor(change: Parameters<typeof inputs>[0], live: SecretView = sound): Promise<unknown> {
  const certificateSecrets = { read: () => Promise.resolve(live) } as unknown as Deps['certificateSecrets'];
  return servedKey({ certificateSecrets }, inputs({ spec: keeping, secret: sound, ...change }), signal);
}

describe('the key of the served certificate', () => {
  test.each<[string, Parameters<typeof inputs>[0]]>([
    ['changed', {}],
    ['unchanged', { secret: inputs().secret }],
  ])('is used again with the policy Never, from a Secret that is %s', async (_, change) => {
    expect(await keyFor(change)).toBe(signed.privateKey);
  });

  test.each<[string, Parameters<typeof inputs>[0], SecretView?]>([
    ['if the policy is Always', { spec: { privateKey: { size: 2048, rotationPolicy: 'Always' } } }],
    ['before the first certificate', { status: {} }],
    ['if the Secret is gone', { secret: { state: 'absent' } }],
    ['if the Secret is gone by now', {}, { state: 'absent' }],
    [
      'if the Secret is somebody else’s',
      { secret: { state: 'foreign', reason: 'SecretNotOwned', message: '' } },
    ],
    ['if the Secret is not sound', {}, { ...sound, content: undefined, hasOutputs: false }],
    [
      'if the spec asks for another size',
      { spec: { privateKey: { size: 4096, rotationPolicy: 'Never' } }, status: issued },
    ],
  ])('is not used again %s', async (_, change, live) => {
    expect(await keyFor(change, live)).toBeUndefined();
  });
});
