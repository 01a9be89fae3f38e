import * as fc from 'fast-check';
import { afterEach, describe, expect, test } from 'vitest';
import { settle, VirtualClock } from '../../../test/support/virtual-clock.ts';
import { type Item, modelError, WatchedModel } from '../../../test/support/kube/watched-model.ts';
import type { Logger } from '../../lib/log.ts';
import { silentLog } from '../../lib/log.ts';
import { Reflector } from './reflector.ts';
import { Store, type StoreEvent } from './store.ts';

interface Rig {
  model: WatchedModel;
  store: Store<Item>;
  clock: VirtualClock;
  reflector: Reflector<Item, Item>;
  events: StoreEvent<Item>[];
  warnings: string[];
  start(): void;
  stop(): Promise<void>;
}

const running: Rig[] = [];
afterEach(async () => {
  for (const rig of running.splice(0)) await rig.stop();
});

function rigUp(options: { project?: (item: Item) => Item; model?: WatchedModel } = {}): Rig {
  const { project = (item) => Object.freeze(item), model = new WatchedModel() } = options;
  const controller = new AbortController();
  const clock = new VirtualClock();
  const warnings: string[] = [];
  const record = (fields: unknown, message?: string): void => void warnings.push(message ?? String(fields));
  const log: Logger = { ...silentLog, warn: record, error: record };
  const store = new Store<Item>((error) => warnings.push(error.message));
  const events: StoreEvent<Item>[] = [];
  store.subscribe((event) => events.push(event));
  const reflector = new Reflector<Item, Item>({
    source: model,
    writer: store.openPart(),
    project,
    resource: 'items',
    clock,
    log,
    signal: controller.signal,
    random: () => 0.5,
  });
  let done: Promise<void> | undefined;
  const rig: Rig = {
    model,
    store,
    clock,
    reflector,
    events,
    warnings,
    start: () => {
      done = reflector.run();
      running.push(rig);
    },
    stop: async () => {
      controller.abort();
      await done;
    },
  };
  return rig;
}

/** Ends all faults and waits until everything on its way has arrived. */
async function becomeQuiet(rig: Rig): Promise<void> {
  rig.model.refuse(undefined);
  for (let i = 0; i < 6; i += 1) {
    await rig.clock.advance(40_000);
    await settle(20);
    rig.model.deliver();
  }
}

/** The state that the events add up to. Throws if an event does not follow from those before it. */
function sumOf(events: readonly StoreEvent<Item>[]): Map<string, Item> {
  const sum = new Map<string, Item>();
  for (const { type, key, object, previous } of events) {
    const known = sum.get(key);
    if ((type === 'delete' ? object : previous) !== known)
      throw new Error(`${type} of ${key} is not of what was known`);
    if (known && known.metadata.uid !== object.metadata.uid) throw new Error(`${key} became another object`);
    if (type === 'delete') sum.delete(key);
    else sum.set(key, object);
  }
  return sum;
}

function contents(store: Store<Item>): Map<string, Item> {
  return new Map([...store.keys()].map((key) => [key, store.get(key)!]));
}

describe('a reflector', () => {
  test('lists objects page by page, then follows their changes', async () => {
    const rig = rigUp();
    for (const name of ['a', 'b', 'c', 'd', 'e']) rig.model.put(name);
    rig.start();
    await settle(30);
    expect(rig.store.synced).toBe(true);
    expect(rig.store.size).toBe(5);

    rig.model.put('a');
    rig.model.remove('b');
    rig.model.put('f');
    rig.model.deliver();

    expect(contents(rig.store)).toEqual(new Map(rig.model.items));
    expect(rig.model.calls).toEqual({ lists: 1, watches: 1 });
  });

  test('shows nothing of a list before it is complete', async () => {
    const rig = rigUp();
    for (const name of ['a', 'b', 'c']) rig.model.put(name);
    const sizes: number[] = [];
    rig.store.subscribe(() => sizes.push(rig.store.size));

    rig.start();
    await settle(30);

    expect(sizes).toEqual([3, 3, 3]);
  });

  test('resumes a dropped watch from its last version without a list, and misses nothing', async () => {
    const rig = rigUp();
    rig.model.put('a');
    rig.start();
    await settle(20);
    rig.model.put('b');
    rig.model.deliver();

    rig.model.endWatches();
    rig.model.put('c');
    rig.model.remove('a');
    await settle(20);
    rig.model.deliver();

    expect([...rig.store.keys()]).toEqual(['b', 'c']);
    expect(rig.model.calls).toEqual({ lists: 1, watches: 2 });
  });

  test('resumes from a bookmark if there were no events', async () => {
    const rig = rigUp();
    rig.start();
    await settle(20);
    rig.model.put('a');
    rig.model.deliver();
    rig.model.compact();
    rig.model.deliver();
    rig.model.bookmark();

    rig.model.endWatches();
    await settle(20);

    expect(rig.model.calls).toEqual({ lists: 1, watches: 2 });
  });

  test('lists again after a 410 and delivers the deletes that it missed', async () => {
    const rig = rigUp();
    for (const name of ['a', 'b', 'c']) rig.model.put(name);
    rig.start();
    await settle(30);
    rig.events.length = 0;

    rig.model.failWatches(modelError(410, 'Expired', 'WATCH'));
    rig.model.remove('b');
    rig.model.put('c');
    rig.model.compact();
    await settle(30);

    expect(rig.events.map(({ type, key }) => `${type} ${key}`)).toEqual(['delete b', 'apply c']);
    expect(rig.model.calls.lists).toBe(2);
  });

  test('shows an object that was deleted and created again as two objects', async () => {
    const rig = rigUp();
    rig.model.put('a');
    rig.start();
    await settle(20);
    const before = rig.store.get('a');
    rig.events.length = 0;

    rig.model.remove('a');
    rig.model.put('a');
    rig.model.compact();
    rig.model.failWatches(modelError(410, 'Expired', 'WATCH'));
    await settle(20);

    expect(rig.events).toEqual([
      { type: 'delete', key: 'a', object: before },
      { type: 'apply', key: 'a', object: rig.model.items.get('a') },
    ]);
  });

  test.each([
    ['a missing kind', modelError(404, 'NotFound')],
    ['a missing right', modelError(403, 'Forbidden')],
    ['an API server that is down', modelError(0, 'ConnectionFailed')],
  ])('keeps retrying after %s, and reports it meanwhile', async (_name, error) => {
    const rig = rigUp();
    rig.model.put('a');
    rig.model.refuse(error);
    rig.start();
    await rig.clock.advance(60_000);
    expect(rig.store.synced).toBe(false);
    expect(rig.reflector.lastError).toBe(error);
    expect(rig.model.calls.lists).toBeGreaterThan(3);
    expect(rig.warnings.length).toBe(rig.model.calls.lists);

    await becomeQuiet(rig);

    expect(rig.store.synced).toBe(true);
    expect(rig.reflector.lastError).toBeUndefined();
  });

  test('stays synced and keeps its objects while the API server is unreachable', async () => {
    const rig = rigUp();
    rig.model.put('a');
    rig.start();
    await settle(20);

    rig.model.refuse(modelError(0, 'ConnectionFailed'));
    rig.model.failWatches(modelError(0, 'ConnectionFailed'));
    await rig.clock.advance(300_000);

    expect(rig.store.synced).toBe(true);
    expect(rig.store.size).toBe(1);
    expect(rig.reflector.lastError).toBeDefined();
  });

  test('goes on when a listener throws', async () => {
    const rig = rigUp();
    rig.store.subscribe(() => {
      throw new Error('broken listener');
    });
    rig.start();
    await settle(20);

    rig.model.put('a');
    rig.model.put('b');
    rig.model.deliver();

    expect([...rig.store.keys()]).toEqual(['a', 'b']);
    expect(rig.warnings).toEqual(['broken listener', 'broken listener']);
    expect(rig.model.calls).toEqual({ lists: 1, watches: 1 });
  });

  test('keeps the earlier version of an object that cannot be projected, also when it lists again', async () => {
    const bad = new Set<number>();
    const rig = rigUp({
      project: (item) => {
        if (bad.has(item.value)) throw new Error('cannot be read');
        return item;
      },
    });
    rig.model.put('a');
    rig.model.put('b');
    rig.start();
    await settle(20);
    const good = rig.store.get('a');

    rig.model.put('a');
    bad.add(rig.model.items.get('a')!.value);
    rig.model.put('b');
    rig.model.deliver();
    expect([rig.store.get('a'), rig.store.get('b')]).toEqual([good, rig.model.items.get('b')]);

    rig.model.failWatches(modelError(410, 'Expired', 'WATCH'));
    await settle(30);
    expect(rig.model.calls.lists).toBe(2);
    expect([rig.store.get('a'), rig.store.get('b')]).toEqual([good, rig.model.items.get('b')]);
  });

  test('ends when its signal aborts, in any phase', async () => {
    const idle = rigUp();
    idle.start();
    await settle(20);
    await idle.stop();
    expect(idle.model.watchers).toBe(0);

    const waiting = rigUp();
    waiting.model.refuse(modelError(503, 'ServiceUnavailable'));
    waiting.start();
    await settle(20);
    await waiting.stop();
    expect(waiting.clock.pending).toBe(0);
  });
});

describe('whatever happens,', () => {
  type Step = (rig: Rig) => Promise<void> | void;
  const name = fc.constantFrom('a', 'b', 'c', 'd', 'e', 'f');
  const error = fc.constantFrom(
    modelError(0, 'ConnectionFailed'),
    modelError(0, 'DeadlineExceeded'),
    modelError(0, 'ProtocolError', 'WATCH'),
    modelError(410, 'Expired', 'WATCH'),
    modelError(500, 'InternalError', 'WATCH'),
    modelError(503, 'ServiceUnavailable'),
    modelError(403, 'Forbidden'),
    modelError(404, 'NotFound'),
  );
  const steps: [weight: number, arbitrary: fc.Arbitrary<[string, Step]>][] = [
    [6, name.map((n) => [`put ${n}`, (rig) => rig.model.put(n)])],
    [3, name.map((n) => [`remove ${n}`, (rig) => rig.model.remove(n)])],
    [
      2,
      name.map((n) => [
        `replace ${n}`,
        (rig) => {
          rig.model.remove(n);
          rig.model.put(n);
        },
      ]),
    ],
    [4, fc.nat(4).map((n) => [`deliver ${n}`, (rig) => rig.model.deliver(n)])],
    [1, fc.constant(['bookmark', (rig) => rig.model.bookmark()])],
    [2, fc.constant(['compact', (rig) => rig.model.compact()])],
    [2, fc.constant(['end watches', (rig) => rig.model.endWatches()])],
    [3, error.map((e) => [`fail watches: ${e.status} ${e.reason}`, (rig) => rig.model.failWatches(e)])],
    [1, error.map((e) => [`refuse: ${e.status} ${e.reason}`, (rig) => rig.model.refuse(e)])],
    [2, fc.constant(['accept', (rig) => rig.model.refuse(undefined)])],
    [4, fc.nat(2).map((n) => [`settle ${n}`, () => settle(n)])],
    [2, fc.nat(3000).map((ms) => [`advance ${ms}`, (rig) => rig.clock.advance(ms)])],
  ];
  const story = fc.array(fc.oneof(...steps.map(([weight, arbitrary]) => ({ weight, arbitrary }))), {
    maxLength: 40,
    size: 'max',
  });

  test('the store finally equals the server, and so do its events added up', async () => {
    await fc.assert(
      fc.asyncProperty(story, async (told) => {
        const rig = rigUp();
        rig.start();
        for (const [, step] of told) await step(rig);
        await becomeQuiet(rig);

        const added = sumOf(rig.events);
        expect(contents(rig.store)).toEqual(new Map(rig.model.items));
        expect(added).toEqual(new Map(rig.model.items));
        expect(rig.reflector.lastError).toBeUndefined();
        await rig.stop();
      }),
      { numRuns: 500 },
    );
  });
});
