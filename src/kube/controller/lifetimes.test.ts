import { expect, test } from 'vitest';
import { setUp } from '../../../test/support/kube/queue.ts';
import { silentLog } from '../../lib/log.ts';
import type { KubeObject } from '../objects.ts';
import { type Gone, Lifetimes, type LifetimesOptions } from './lifetimes.ts';

const KEY = 'ns/a';

/** The work under way, if any, waits until `end` is called. */
function setup() {
  const { queue } = setUp();
  const failures: unknown[] = [];
  const objects = new Map<string, KubeObject>();
  let listener: Parameters<LifetimesOptions['objects']['subscribe']>[0] | undefined;
  const store: LifetimesOptions['objects'] = {
    get: (key) => objects.get(key),
    subscribe: (added) => {
      listener = added;
      return () => (listener = undefined);
    },
  };
  const remove = (): void => {
    const object = objects.get(KEY);
    objects.delete(KEY);
    try {
      if (object) listener?.({ type: 'delete', key: KEY, object });
    } catch (error) {
      failures.push(error);
    }
  };
  const gone: Gone[] = [];
  const lifetimes = new Lifetimes({
    objects: store,
    queue,
    owners: [
      () => {
        if (gone.length === 2) throw new Error('an owner fails');
      },
      (each) => gone.push(each),
    ],
  });
  const stop = lifetimes.wire();
  let version = 0;
  let end: (error?: Error) => void = () => undefined;
  const reconcile = lifetimes.bounding(
    () =>
      new Promise((resolve, reject) => {
        end = (error) => (error ? reject(error) : resolve({ requeueAfterMs: 60_000 }));
      }),
  );
  return {
    queue,
    gone,
    failures,
    stop,
    apply: (uid: string) => {
      version += 1;
      const object = { metadata: { namespace: 'ns', name: 'a', uid, resourceVersion: String(version) } };
      if (objects.get(KEY)?.metadata.uid !== uid) remove();
      objects.set(KEY, object);
      listener?.({ type: 'apply', key: KEY, object });
    },
    remove,
    begin: () =>
      reconcile(KEY, { signal: new AbortController().signal, log: silentLog, reconcileID: '1', failures: 0 }),
    end: (error?: Error) => end(error),
  };
}

test('the owners hear of an object that is gone, and its key leaves the queue', () => {
  const { apply, remove, gone, queue } = setup();
  apply('1');
  queue.add(KEY);
  remove();
  expect(gone).toEqual([{ key: KEY, uid: '1' }]);
  expect(queue.depth).toBe(0);
});

test('they hear of it again when the work that was under way has ended, and it comes no more', async () => {
  const { apply, remove, gone, begin, end } = setup();
  apply('1');
  const work = begin();
  remove();
  end();
  expect(await work).toEqual({});
  expect(gone).toEqual([
    { key: KEY, uid: '1' },
    { key: KEY, uid: '1' },
  ]);
});

test('an object that was created again under the name is another one', async () => {
  const { apply, gone, begin, end } = setup();
  apply('1');
  const work = begin();
  apply('2');
  end();
  expect(await work).toEqual({});
  expect(gone.map(({ uid }) => uid)).toEqual(['1', '1']);
  const next = begin();
  end();
  expect(await next).toEqual({ requeueAfterMs: 60_000 });
  expect(gone).toHaveLength(2);
});

test('the work on an object that stays is left alone', async () => {
  const { apply, gone, begin, end } = setup();
  apply('1');
  const work = begin();
  apply('1');
  end(new Error('no answer'));
  await expect(work).rejects.toThrow('no answer');
  expect(gone).toEqual([]);
});

test('a failure of the work on an object that is gone concerns nobody', async () => {
  const { apply, remove, begin, end } = setup();
  apply('1');
  const work = begin();
  remove();
  end(new Error('not found'));
  expect(await work).toEqual({});
});

test('an owner that fails keeps no other from forgetting, and is reported', () => {
  const { apply, remove, gone, failures } = setup();
  for (const uid of ['1', '2', '3']) {
    apply(uid);
    remove();
  }
  expect(gone.map(({ uid }) => uid)).toEqual(['1', '2', '3']);
  expect(failures).toEqual([new Error('an owner fails')]);
});

test('nobody hears of anything after the end', () => {
  const { apply, remove, gone, stop } = setup();
  apply('1');
  stop();
  remove();
  expect(gone).toEqual([]);
});
