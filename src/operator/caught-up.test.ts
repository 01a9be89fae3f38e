import { describe, expect, test } from 'vitest';
import { expectLinearWork } from '../../test/support/scaling.ts';
import { settle } from '../../test/support/virtual-clock.ts';
import type { KubeObject } from '../kube/objects.ts';
import { Store, type StoreWriter } from '../kube/watch/store.ts';
import { caughtUp } from './caught-up.ts';

const object = (name: string, resourceVersion: number, uid = name): KubeObject => ({
  metadata: { namespace: 'ns', name, uid, resourceVersion: String(resourceVersion) },
});

class Cache {
  readonly store = new Store<KubeObject>();
  readonly #part: StoreWriter<KubeObject> = this.store.openPart();

  apply(...objects: KubeObject[]): void {
    for (const each of objects) {
      const { name, uid = '', resourceVersion = '' } = each.metadata;
      this.#part.apply({ key: `ns/${name}`, uid, resourceVersion, object: each });
    }
  }

  delete(name: string): void {
    this.#part.delete(`ns/${name}`);
  }
}

/** Whether a cache counts as caught up with this list, now and after `later`. */
async function follow(
  cache: Cache,
  items: KubeObject[],
  later: () => void,
): Promise<{ before: boolean; after: boolean }> {
  let isOver = false;
  const signal = new AbortController();
  const done = caughtUp(
    cache.store,
    () => Promise.resolve({ items, resourceVersion: '20' }),
    signal.signal,
  ).then(
    () => (isOver = true),
    () => undefined,
  );
  await settle();
  const before = isOver;
  later();
  await settle();
  const after = isOver;
  signal.abort(new Error('over'));
  await done;
  return { before, after };
}

describe('a cache has caught up with a list', () => {
  test('at once if it has each object in that version or a later one, and others that are newer than the list', async () => {
    const cache = new Cache();
    cache.apply(object('a', 10), object('b', 21), object('c', 22));
    expect(await follow(cache, [object('a', 10), object('b', 15)], () => undefined)).toMatchObject({
      before: true,
    });
  });

  test.each<[string, KubeObject[], KubeObject[], (cache: Cache) => void]>([
    [
      'when a newer version has come',
      [object('a', 9)],
      [object('a', 10)],
      (cache) => cache.apply(object('a', 10)),
    ],
    [
      'when versions differ in length',
      [object('a', 9)],
      [object('a', 10)],
      (cache) => cache.apply(object('a', 11)),
    ],
    ['when a new object has come', [], [object('a', 10)], (cache) => cache.apply(object('a', 10))],
    ['when a deleted object has gone', [object('a', 9)], [], (cache) => cache.delete('a')],
    [
      'when an object of the same name has come',
      [object('a', 9, 'old')],
      [object('a', 12, 'new')],
      (cache) => cache.apply(object('a', 12, 'new')),
    ],
    [
      'when what was listed has come and gone',
      [object('a', 9)],
      [object('a', 10)],
      (cache) => cache.delete('a'),
    ],
  ])('%s', async (_, cached, listed, later) => {
    const cache = new Cache();
    cache.apply(...cached);
    expect(await follow(cache, listed, () => later(cache))).toEqual({ before: false, after: true });
  });

  test('with CPU in proportion to what it has to catch up with', async () => {
    const catchingUpWith = (count: number) => {
      const cache = new Cache();
      const objects = (version: number) =>
        Array.from({ length: count }, (_, index) => object(`o${index}`, version));
      cache.apply(...objects(10));
      const newer = objects(15);
      return async () => {
        const later = () => cache.apply(...newer);
        expect(await follow(cache, newer, later)).toEqual({ before: false, after: true });
      };
    };
    await expectLinearWork(catchingUpWith, { from: 250, to: 2_000 });
  });

  test('never if the list fails, and not after the signal', async () => {
    const { store } = new Cache();
    const never = new AbortController();
    await expect(caughtUp(store, () => Promise.reject(new Error('no list')), never.signal)).rejects.toThrow(
      'no list',
    );
    never.abort(new Error('stopped'));
    const list = () => Promise.resolve({ items: [object('a', 1)], resourceVersion: '2' });
    await expect(caughtUp(store, list, never.signal)).rejects.toThrow('stopped');
  });
});
