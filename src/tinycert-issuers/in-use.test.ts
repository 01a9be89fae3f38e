import { expect, test } from 'vitest';
import { issuer as build } from '../../test/support/inputs/accounts.ts';
import { certificate } from '../../test/support/inputs/inputs.ts';
import { drain, setUp } from '../../test/support/kube/queue.ts';
import { issuers, type TinyCertCertificate } from '../api/kinds.ts';
import { IN_USE_FINALIZER, REVOCATION_FINALIZER } from '../api/names.ts';
import { IssuersNeeded } from '../issuance/tinycert/revocations/issuers-needed.ts';
import type { KubeClient } from '../kube/client.ts';
import { ApiError } from '../kube/errors.ts';
import type { ObjectMeta } from '../kube/objects.ts';
import { Store } from '../kube/watch/store.ts';
import { silentLog } from '../lib/log.ts';
import type { Issuer } from './deps.ts';
import { inUseController, isKept } from './in-use.ts';

const DELETED = '2026-01-01T00:00:00Z';

/** A certificate that has to be revoked through the issuer when it is deleted. */
const needing: TinyCertCertificate = certificate();
needing.metadata.finalizers = [REVOCATION_FINALIZER];

function issuer(metadata: Partial<ObjectMeta> = {}): Issuer {
  return build({ metadata: { name: 'ca', ...metadata } });
}

function setup(failure?: Error) {
  const { queue } = setUp();
  const store = new Store<Issuer>();
  const issuerWriter = store.openPart();
  const certificates = new Store<TinyCertCertificate>();
  const certificateWriter = certificates.openPart();
  const patches: object[] = [];
  const events: string[] = [];
  const kube = {
    mergePatch: async (_: unknown, __: unknown, patch: object) => {
      patches.push(patch);
      if (failure) throw failure;
    },
  } as unknown as KubeClient;
  const issuersNeeded = new IssuersNeeded(certificates);
  issuersNeeded.wire();
  const { reconcile } = inUseController(
    { kube, warn: (_, reason) => events.push(reason), type: issuers, issuers: store, issuersNeeded },
    queue,
  );
  let version = 0;
  return {
    queue,
    patches,
    events,
    apply: (object: Issuer) =>
      issuerWriter.apply({ key: 'ns/ca', uid: 'uid', resourceVersion: String((version += 1)), object }),
    need: () => certificateWriter.apply({ key: 'ns/web', uid: 'uid', resourceVersion: '1', object: needing }),
    noNeed: () => certificateWriter.delete('ns/web'),
    run: () =>
      reconcile('ns/ca', {
        signal: new AbortController().signal,
        log: silentLog,
        reconcileID: '1',
        failures: 0,
      }),
  };
}

const withFinalizers = (...finalizers: string[]): object => ({
  metadata: { resourceVersion: '1', finalizers },
});

test.each<[string, boolean, Partial<ObjectMeta>, object[], string[]]>([
  ['gets the finalizer', true, {}, [withFinalizers(IN_USE_FINALIZER)], []],
  [
    'keeps the finalizers of others',
    true,
    { finalizers: ['other'] },
    [withFinalizers('other', IN_USE_FINALIZER)],
    [],
  ],
  ['has the finalizer already', true, { finalizers: [IN_USE_FINALIZER] }, [], []],
  ['is being deleted', true, { finalizers: [IN_USE_FINALIZER], deletionTimestamp: DELETED }, [], ['InUse']],
  ['is being deleted and cannot get the finalizer any more', true, { deletionTimestamp: DELETED }, [], []],
  [
    'loses the finalizer alone',
    false,
    { finalizers: ['other', IN_USE_FINALIZER] },
    [withFinalizers('other')],
    [],
  ],
  [
    'is released for deletion',
    false,
    { finalizers: [IN_USE_FINALIZER], deletionTimestamp: DELETED },
    [withFinalizers()],
    [],
  ],
  ['has no finalizer', false, {}, [], []],
])('an issuer %s; needed: %s', async (_, isNeeded, metadata, patches, events) => {
  const world = setup();
  world.apply(issuer(metadata));
  if (isNeeded) world.need();
  await world.run();
  expect(world.patches).toEqual(patches);
  expect(world.events).toEqual(events);
});

test('an issuer that is gone is left alone, before the write and during it', async () => {
  const gone = new ApiError({
    status: 404,
    reason: 'NotFound',
    message: 'gone',
    verb: 'patch',
    resource: 'tinycertissuers',
  });
  const world = setup(gone);
  world.need();
  await world.run();
  expect(world.patches).toEqual([]);
  world.apply(issuer());
  await world.run();
  expect(world.patches).toHaveLength(1);
});

test('a failed write is thrown, so that it is repeated', async () => {
  const world = setup(new Error('down'));
  world.apply(issuer());
  world.need();
  await expect(world.run()).rejects.toThrow('down');
});

test('an issuer is queued when it appears or changes, and when it becomes needed or unneeded', async () => {
  const { queue, apply, need, noNeed } = setup();
  apply(issuer());
  expect(await drain(queue)).toEqual(['ns/ca']);
  need();
  expect(await drain(queue)).toEqual(['ns/ca']);
  noNeed();
  expect(await drain(queue)).toEqual(['ns/ca']);
  apply(issuer({ deletionTimestamp: DELETED }));
  expect(await drain(queue)).toEqual(['ns/ca']);
});

test.each([
  [undefined, false],
  [['other'], false],
  [['other', IN_USE_FINALIZER], true],
])('an issuer with the finalizers %j is kept: %s', (finalizers, want) => {
  expect(isKept({ metadata: { name: 'ca', ...(finalizers ? { finalizers } : {}) } })).toBe(want);
});
