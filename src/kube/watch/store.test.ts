import { describe, expect, test } from 'vitest';
import { Store, type StoreEntry, type StoreEvent } from './store.ts';

interface Thing {
  name: string;
  colour: string;
}

function entry(
  key: string,
  fields: Partial<StoreEntry<Thing>> & { colour?: string } = {},
): StoreEntry<Thing> {
  const { colour = 'red', ...rest } = fields;
  return {
    key,
    uid: `uid-${key}`,
    resourceVersion: '1',
    object: Object.freeze({ name: key, colour }),
    ...rest,
  };
}

function recorded(store: Store<Thing>): StoreEvent<Thing>[] {
  const events: StoreEvent<Thing>[] = [];
  store.subscribe((event) => events.push(event));
  return events;
}

describe('one part', () => {
  test('finds an object by key after its apply, and not after its delete', () => {
    const store = new Store<Thing>();
    const writer = store.openPart();

    writer.apply(entry('a'));
    expect([store.get('a')?.name, store.size, [...store.keys()]]).toEqual(['a', 1, ['a']]);
    writer.delete('a');
    expect([store.get('a'), store.size, [...store.values()]]).toEqual([undefined, 0, []]);
  });

  test('passes the new and the previous version to listeners', () => {
    const store = new Store<Thing>();
    const writer = store.openPart();
    const events = recorded(store);

    writer.apply(entry('a'));
    writer.apply(entry('a', { resourceVersion: '2', colour: 'blue' }));
    writer.delete('a');
    writer.delete('a');

    const red = { name: 'a', colour: 'red' };
    const blue = { name: 'a', colour: 'blue' };
    expect(events).toEqual([
      { type: 'apply', key: 'a', object: red },
      { type: 'apply', key: 'a', object: blue, previous: red },
      { type: 'delete', key: 'a', object: blue },
    ]);
  });

  test('emits nothing for a version that it has', () => {
    const store = new Store<Thing>();
    const writer = store.openPart();
    writer.apply(entry('a'));
    const events = recorded(store);

    writer.apply(entry('a'));
    writer.replace([entry('a')]);

    expect(events).toEqual([]);
  });

  test('shows another object under the same name as a delete and an apply', () => {
    const store = new Store<Thing>();
    const writer = store.openPart();
    writer.apply(entry('a'));
    const events = recorded(store);

    writer.replace([entry('a', { uid: 'other', colour: 'blue' })]);

    expect(events).toEqual([
      { type: 'delete', key: 'a', object: { name: 'a', colour: 'red' } },
      { type: 'apply', key: 'a', object: { name: 'a', colour: 'blue' } },
    ]);
  });

  test('is replaced as a whole before the first listener is called', () => {
    const store = new Store<Thing>();
    const writer = store.openPart();
    writer.replace([entry('gone'), entry('kept')]);
    const views: string[][] = [];
    const events: string[] = [];
    store.subscribe((event) => {
      events.push(`${event.type} ${event.key}`);
      views.push([...store.keys()].sort());
    });

    writer.replace([entry('kept'), entry('new')]);

    expect(events).toEqual(['delete gone', 'apply new']);
    expect(views).toEqual([
      ['kept', 'new'],
      ['kept', 'new'],
    ]);
  });
});

describe('several parts', () => {
  test('each replace their own objects only', () => {
    const store = new Store<Thing>();
    const [first, second] = [store.openPart(), store.openPart()];

    first.replace([entry('one/a')]);
    second.replace([entry('two/a'), entry('two/b')]);
    second.replace([entry('two/b')]);
    first.delete('two/b');

    expect([...store.keys()].sort()).toEqual(['one/a', 'two/b']);
    expect(first.current('two/b')).toBeUndefined();
    expect(second.current('two/b')?.uid).toBe('uid-two/b');
  });

  test('are synced when each has been listed', async () => {
    const store = new Store<Thing>();
    const [first, second] = [store.openPart(), store.openPart()];
    const synced = store.whenSynced(new AbortController().signal);

    first.apply(entry('one/a'));
    first.replace([]);
    expect(store.synced).toBe(false);
    second.replace([]);

    expect(store.synced).toBe(true);
    await synced;
    await store.whenSynced(new AbortController().signal);
  });
});

test('waiting for a store that is never filled ends with the reason of the signal', async () => {
  const controller = new AbortController();
  const waiting = new Store<Thing>().whenSynced(controller.signal);
  controller.abort(new Error('stopping'));

  await expect(waiting).rejects.toThrow('stopping');
  await expect(new Store<Thing>().whenSynced(controller.signal)).rejects.toThrow('stopping');
});

test('a listener that throws is reported, and the others still get every event', () => {
  const errors: Error[] = [];
  const store = new Store<Thing>((error) => errors.push(error));
  store.subscribe(() => {
    throw new Error('broken listener');
  });
  const events = recorded(store);

  store.openPart().replace([entry('a'), entry('b')]);

  expect(events.map(({ key }) => key)).toEqual(['a', 'b']);
  expect(errors).toEqual([new Error('broken listener'), new Error('broken listener')]);
});

test('a listener gets nothing after it has unsubscribed', () => {
  const store = new Store<Thing>();
  const writer = store.openPart();
  const events: unknown[] = [];
  const end = store.subscribe((event) => events.push(event));

  end();
  writer.apply(entry('a'));

  expect(events).toEqual([]);
});

describe('an index', () => {
  const byColour = (thing: Thing): readonly string[] => (thing.colour === '' ? [] : thing.colour.split(' '));

  test('finds existing objects, and follows changes, deletes and replacements', () => {
    const store = new Store<Thing>();
    const writer = store.openPart();
    writer.apply(entry('a', { colour: 'red green' }));
    store.addIndex('colour', byColour);
    const keys = (colour: string): string[] => [...store.keysByIndex('colour', colour)].sort();

    writer.apply(entry('b', { colour: 'red' }));
    expect([keys('red'), keys('green'), keys('blue')]).toEqual([['a', 'b'], ['a'], []]);
    writer.apply(entry('a', { colour: 'blue', resourceVersion: '2' }));
    expect([keys('red'), keys('green'), keys('blue')]).toEqual([['b'], [], ['a']]);
    writer.replace([entry('c', { colour: 'red' }), entry('a', { uid: 'other', colour: 'green' })]);
    expect([keys('red'), keys('green'), keys('blue')]).toEqual([['c'], ['a'], []]);
    expect(store.byIndex('colour', 'red').map(({ name }) => name)).toEqual(['c']);
    writer.delete('c');
    expect(keys('red')).toEqual([]);
  });

  test('skips an object for which its function throws', () => {
    const errors: Error[] = [];
    const store = new Store<Thing>((error) => errors.push(error));
    store.addIndex('colour', (thing) => {
      if (thing.name === 'bad') throw new Error('no colour');
      return [thing.colour];
    });

    store.openPart().replace([entry('bad'), entry('good')]);

    expect(store.keysByIndex('colour', 'red')).toEqual(['good']);
    expect(store.get('bad')).toBeDefined();
    expect(errors).toHaveLength(1);
  });

  test.each([
    ['queried and was never added', (store: Store<Thing>) => store.byIndex('size', '1')],
    ['made twice', (store: Store<Thing>) => store.addIndex('colour', byColour)],
  ])('that is %s is refused as a mistake of the caller', (_name, use) => {
    const store = new Store<Thing>();
    store.addIndex('colour', byColour);

    expect(() => use(store)).toThrow(TypeError);
  });
});
