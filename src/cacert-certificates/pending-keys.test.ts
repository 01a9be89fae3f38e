import { beforeAll, describe, expect, test } from 'vitest';
import { certificate } from '../../test/support/inputs/cacert-inputs.ts';
import { KubeFake } from '../../test/support/inputs/cacert-step.ts';
import { VirtualClock } from '../../test/support/virtual-clock.ts';
import { CACERT_ANNOTATIONS, MANAGED_LABEL } from '../api/names.ts';
import { LastWritten } from '../issuance/status/last-written.ts';
import type { KubeClient } from '../kube/client.ts';
import { isConflict } from '../kube/errors.ts';
import { type KubeObject, type Secret, secrets } from '../kube/objects.ts';
import { generateRsaKey } from '../x509/generate-rsa-key.ts';
import type { PrivateKey } from '../x509/private-key.ts';
import { certificateBeside, PendingKeys, pendingSecretRef } from './pending-keys.ts';

const { signal } = new AbortController();
const resource = certificate();
const ref = { namespace: 'ns', name: 'mail-pending-uid' };
let key: PrivateKey;
beforeAll(async () => {
  key = await generateRsaKey(2048, signal);
});

function setUp(): { kube: KubeFake; keys: PendingKeys; stored: () => Secret | undefined } {
  const kube = new KubeFake();
  const written = new LastWritten<KubeObject>({ clock: new VirtualClock() });
  const keys = new PendingKeys({ kube: kube as unknown as KubeClient, written });
  return { kube, keys, stored: () => kube.now(secrets, ref) };
}

function fileOf(secret: Secret | undefined, name: string): string {
  return Buffer.from(secret?.data?.[name] ?? '', 'base64').toString();
}

describe('the name of a pending Secret', () => {
  test.each([
    ['mail', '0a1b2c3d-4e5f', 'mail-pending-0a1b2c3d'],
    ['a'.repeat(253), '0a1b2c3d', `${'a'.repeat(200)}-pending-0a1b2c3d`],
    [`${'a'.repeat(199)}.b`, '0a1b2c3d', `${'a'.repeat(199)}-pending-0a1b2c3d`],
  ])('of %s with the uid %s is %s', (name, uid, expected) => {
    expect(pendingSecretRef({ metadata: { namespace: 'ns', name, uid } })).toEqual({
      namespace: 'ns',
      name: expected,
    });
  });
});

describe('a pending key', () => {
  test('is absent before it is stored', async () => {
    expect(await setUp().keys.read(resource, signal)).toEqual({ state: 'absent' });
  });

  test('is read as it was stored, and is owned by its certificate', async () => {
    const { keys, stored } = setUp();
    await keys.keep(resource, { state: 'absent' }, key, signal);

    const view = await keys.read(resource, signal);

    expect(view).toMatchObject({ state: 'present', account: 'me', certificate: undefined });
    expect(view.state === 'present' && view.key?.toPkcs8()).toBe(key.toPkcs8());
    expect(stored()?.metadata).toMatchObject({
      labels: { [MANAGED_LABEL]: 'true' },
      annotations: { [CACERT_ANNOTATIONS.pending]: 'uid' },
      ownerReferences: [{ kind: 'CAcertCertificate', name: 'mail', uid: 'uid' }],
    });
  });

  test('replaces an earlier one together with the certificate beside that', async () => {
    const { keys, stored } = setUp();
    const first = await keys.keep(resource, { state: 'absent' }, key, signal);
    await keys.keepCertificate(resource, first, 'pem', signal);
    const seen = await keys.read(resource, signal);
    expect(certificateBeside(seen)).toBe('pem');
    const another = await generateRsaKey(2048, signal);

    await keys.keep(certificate({ spec: { accountRef: { name: 'you' } } }), seen, another, signal);

    expect(await keys.read(resource, signal)).toMatchObject({ account: 'you', certificate: undefined });
    expect(fileOf(stored(), 'tls.key')).toBe(another.toPkcs8());
  });

  test.each<[string, (keys: PendingKeys) => Promise<unknown>]>([
    ['stored as a new one', (keys) => keys.keep(resource, { state: 'absent' }, key, signal)],
    [
      'replaced',
      (keys) => {
        const metadata = { ...ref, resourceVersion: '1' };
        const seen = { state: 'present', metadata, account: 'me', key, certificate: undefined } as const;
        return keys.keep(resource, seen, key, signal);
      },
    ],
    [
      'given a certificate',
      (keys) => {
        const metadata = { ...ref, resourceVersion: '1' };
        const seen = { state: 'present', metadata, account: 'me', key, certificate: undefined } as const;
        return keys.keepCertificate(resource, seen, 'pem', signal);
      },
    ],
    ['deleted', (keys) => keys.forget(resource, { metadata: { ...ref, resourceVersion: '1' } }, signal)],
  ])('is not %s if somebody wrote the Secret since it was seen', async (_, write) => {
    const { kube, keys, stored } = setUp();
    const theirs = kube.put<Secret>(secrets, {
      metadata: { ...ref, resourceVersion: '2' },
      data: { a: 'YQ==' },
    });

    await expect(write(keys)).rejects.toSatisfy(
      (error: unknown) => isConflict(error) || (error as { reason?: string }).reason === 'AlreadyExists',
    );

    expect(stored()).toEqual(theirs);
  });

  test.each<[string, Secret['metadata']]>([
    ['without the label', { ...ref, annotations: { [CACERT_ANNOTATIONS.pending]: 'uid' } }],
    ['without the annotation', { ...ref, labels: { [MANAGED_LABEL]: 'true' } }],
    [
      'for another resource of the same name',
      {
        ...ref,
        labels: { [MANAGED_LABEL]: 'true' },
        annotations: { [CACERT_ANNOTATIONS.pending]: 'another-uid' },
      },
    ],
  ])('is foreign in a Secret %s', async (_, metadata) => {
    const { kube, keys } = setUp();
    kube.put<Secret>(secrets, { metadata });

    expect(await keys.read(resource, signal)).toEqual({ state: 'foreign' });
  });

  test.each([
    ['removed', undefined],
    ['damaged', 'bm90IGEga2V5'],
  ])('that was %s is undefined, and the certificate beside it is still read', async (_, damaged) => {
    const { kube, keys, stored } = setUp();
    const kept = await keys.keep(resource, { state: 'absent' }, key, signal);
    await keys.keepCertificate(resource, kept, 'pem', signal);
    const data = { ...stored()?.data, 'tls.key': damaged };
    kube.put(secrets, { ...stored(), data } as Secret);

    expect(await keys.read(resource, signal)).toMatchObject({
      state: 'present',
      key: undefined,
      certificate: 'pem',
    });
  });

  test('is deleted, and deleting it again is no error', async () => {
    const { keys, stored } = setUp();
    const kept = await keys.keep(resource, { state: 'absent' }, key, signal);

    await keys.forget(resource, kept, signal);
    await keys.forget(resource, kept, signal);

    expect(stored()).toBeUndefined();
  });
});
