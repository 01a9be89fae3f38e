import { expect, test } from 'vitest';
import { StoredObject, refusal } from '../../../test/support/kube/stored-object.ts';
import { issuers } from '../../api/kinds.ts';
import type { KubeObject } from '../../kube/objects.ts';
import { patchFindings } from './patch.ts';

const seen: KubeObject = {
  metadata: { namespace: 'ns', name: 'ca', uid: 'uid', generation: 2, resourceVersion: '1' },
};
const findings = { conditions: [] };

/** Writes findings about `seen` to `stored`; returns the outcome and the number of writes. */
async function patched(stored: StoredObject<KubeObject>, fit = true) {
  const deps = {
    kube: stored.kube,
    crds: { fit, check: () => Promise.resolve() },
  };
  const { signal } = new AbortController();
  const outcome = await patchFindings(deps, issuers as never, seen, findings, signal).then(
    () => 'written',
    (error: { code: string; status?: number }) => error.status ?? error.code,
  );
  return { outcome, writes: stored.writes.length };
}

test('findings are written over the version that was examined', async () => {
  const stored = new StoredObject(seen);
  expect(await patched(stored)).toEqual({ outcome: 'written', writes: 1 });
  expect(stored.writes).toEqual([{ metadata: { resourceVersion: '1' }, status: findings }]);
});

test('after a conflict about something else, they are written over the newer version', async () => {
  const stored = new StoredObject(seen);
  stored.change({ metadata: { finalizers: ['theirs'] }, status: { orphanCount: 3 } });
  expect(await patched(stored)).toEqual({ outcome: 'written', writes: 1 });
  expect(stored.object).toMatchObject({
    metadata: { finalizers: ['theirs'] },
    status: { ...findings, orphanCount: 3 },
  });
});

test.each([
  ['the spec changed', { metadata: { generation: 3 } }],
  ['another resource has the name', { metadata: { uid: 'other' } }],
])('after a conflict, they are dropped if %s', async (_, change) => {
  const stored = new StoredObject(seen);
  stored.change(change);
  expect(await patched(stored)).toEqual({ outcome: 409, writes: 0 });
});

test('a second conflict is left to the next reconcile', async () => {
  const stored = new StoredObject(seen);
  stored.beforeWrite = () => {
    stored.beforeWrite = () => stored.change({});
    throw refusal(409);
  };
  expect(await patched(stored)).toEqual({ outcome: 409, writes: 0 });
});

test('a refused status is left to the controller', async () => {
  const stored = new StoredObject(seen);
  stored.beforeWrite = () => {
    throw refusal(422, [{ field: 'status.conditions' }]);
  };
  expect(await patched(stored)).toEqual({ outcome: 'StatusRefused', writes: 0 });
});

test('a status that is refused only after a conflict is left to it too', async () => {
  const stored = new StoredObject(seen);
  stored.beforeWrite = () => {
    stored.beforeWrite = () => {
      throw refusal(422, [{ field: 'status.conditions' }]);
    };
    throw refusal(409);
  };
  expect(await patched(stored)).toEqual({ outcome: 'StatusRefused', writes: 0 });
});

test('outdated CRDs are left to the controller', async () => {
  const stored = new StoredObject(seen);
  stored.beforeWrite = () => {
    throw refusal(422, [{ field: 'patch' }]);
  };
  expect(await patched(stored, false)).toEqual({ outcome: 'CRDsOutdated', writes: 0 });
});
