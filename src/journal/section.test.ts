import { describe, expect, test } from 'vitest';
import { errorOf, type JournalProcess, noteCodec, ready } from '../../test/support/kube/journal-process.ts';
import { settle } from '../../test/support/virtual-clock.ts';
import { entryKey } from './layout.ts';
import { codecsOf } from './section.ts';
import { FLUSH_MS } from './term.ts';

const recording = (name: string) => ({ name, record: { text: name } });

/** The owners of the entries of a resource. */
function ownersOf({ view }: JournalProcess, uid: string): string[] {
  return [...view.entriesOf(uid)].map(([owner]) => owner);
}

describe('a resource', () => {
  test('may have an entry for each of its owners', async () => {
    const process = await ready();
    const ids = await Promise.all(['uid.one', 'uid.two'].map((owner) => process.opened(owner)));
    expect(process.stored).toEqual(['uid.one', 'uid.two']);
    expect(process.view.entry('uid.one')).toMatchObject({ is: 'open', id: ids[0] });
    expect(process.view.entry('uid')).toBeUndefined();
    expect(await errorOf(process.open('uid.one'))).toMatchObject({ code: 'EntryTaken' });
    await process.view.remove({ owner: 'uid.one', id: ids[0]! });
    expect(process.stored).toEqual(['uid.two']);
  });

  test.each(['a.b.c', 'a.', '.b', 'a b', 'a.B', '', 'a'.repeat(65), `a.${'b'.repeat(65)}`])(
    'has no entry for an owner that no key can hold: %j',
    async (owner) => {
      const process = await ready();
      expect(await errorOf(process.open(owner))).toMatchObject({ code: 'UnusableOwner' });
      expect(process.api.entryKeys).toEqual([]);
    },
  );

  test('is asked for by its uid, without those that are about to be removed', async () => {
    const process = await ready();
    for (const owner of ['uid.one', 'uid.two', 'uid-2.one', 'other.one']) await process.opened(owner);
    expect(ownersOf(process, 'uid')).toEqual(['uid.one', 'uid.two']);
    expect(ownersOf(process, 'ui')).toEqual([]);
    process.view.removeLater({ owner: 'uid.one', id: process.view.entry('uid.one')!.id });
    expect(ownersOf(process, 'uid')).toEqual(['uid.two']);
    await process.clock.advance(FLUSH_MS);
    expect(ownersOf(process, 'uid')).toEqual(['uid.two']);
  });

  test('is found with an entry that cannot be read', async () => {
    const { api } = await ready();
    api.change({ [entryKey('notes', 'uid.one')]: '{"id": 1' });
    const process = await ready({ api });
    expect([...process.view.entriesOf('uid')]).toMatchObject([['uid.one', { is: 'unreadable' }]]);
  });

  test('sees nothing of the entries and records of another section', async () => {
    const process = await ready();
    const section = process.journal.section({
      name: 'others',
      entry: noteCodec,
      record: noteCodec,
      wake: () => undefined,
    });
    await process.opened('uid.one');
    await process.view.record('waker', [recording('one')]);
    const { view } = section;
    expect([view?.entry('uid.one'), [...view!.entries()], [...view!.entriesOf('uid')]]).toEqual([
      undefined,
      [],
      [],
    ]);
    expect([view?.recorded('one'), [...view!.records()]]).toEqual([undefined, []]);
  });
});

describe('a section', () => {
  test('is told when an entry is gone, and not before', async () => {
    const process = await ready();
    const [a, b] = await Promise.all([process.opened('a'), process.opened('uid.two')]);
    process.view.removeLater({ owner: 'a', id: a });
    await settle();
    expect(process.removed).toEqual([]);
    await process.view.remove({ owner: 'uid.two', id: b });
    expect(process.removed).toEqual(['a', 'uid.two']);
  });

  test('is not told of an entry that goes on under another id', async () => {
    const process = await ready();
    const old = await process.opened('a');
    await process.opened('a', { replaces: old });
    await process.view.remove({ owner: 'a', id: old, records: [recording('one')] });
    expect(process.removed).toEqual([]);
  });

  test('is not told of a removal that is refused', async () => {
    const process = await ready();
    const id = await process.opened('a');
    process.api.fate = () => ({ refused: 403 });
    await errorOf(process.view.remove({ owner: 'a', id }));
    expect(process.removed).toEqual([]);
  });

  test('is told, and those that wait for the room are woken', async () => {
    const process = await ready({ bounds: { groupEntries: 1 } });
    const id = await process.opened('a', { group: 'g' });
    await process.open('b', { group: 'g' });
    await process.view.remove({ owner: 'a', id });
    expect([process.removed, process.woken]).toEqual([['a'], ['b']]);
  });
});

describe('what is put on record without an entry', () => {
  test('is written at once, and found by its name', async () => {
    const process = await ready();
    await process.view.record('waker', [recording('one'), recording('two')]);
    expect(process.view.recorded('one')).toEqual({ text: 'one' });
    expect(process.view.recorded('three')).toBeUndefined();
    expect([...(await ready({ api: process.api })).view.records()]).toHaveLength(2);
    expect(process.api.entryKeys).toEqual([]);
    expect(process.removed).toEqual([]);
  });

  test('replaces what was on record under that name', async () => {
    const process = await ready();
    await process.view.record('waker', [recording('one')]);
    await process.view.record('waker', [{ name: 'one', record: { text: 'again' } }]);
    expect([...process.view.records()]).toEqual([{ text: 'again' }]);
  });

  test('wakes who asked for it if the term ends before', async () => {
    const process = await ready();
    process.api.fate = (kind) => (kind === 'read' ? 'answered' : 'request lost');
    expect(await errorOf(process.view.record('waker', [recording('one')]))).toMatchObject({
      code: 'TermOver',
    });
    process.api.fate = () => 'answered';
    await process.clock.advance(1_000);
    expect(process.woken).toEqual(['waker']);
    expect([...process.view.records()]).toEqual([]);
  });

  test('is refused by a term that is over', async () => {
    const process = await ready();
    const { view } = process;
    process.api.change({ other: 'x' });
    await errorOf(process.open('a'));
    expect(await errorOf(view.record('waker', [recording('one')]))).toMatchObject({ end: 'changed' });
    expect(Object.keys(process.api.recordData)).toEqual([]);
  });

  test('that cannot be read is left out, and kept', async () => {
    const process = await ready();
    await process.view.record('waker', [{ name: 'one', record: { unknown: true } }, recording('two')]);
    const next = await ready({ api: process.api });
    expect([...next.view.records()]).toEqual([{ text: 'two' }]);
    expect(next.view.recorded('one')).toBeUndefined();
    expect(Object.keys(next.api.recordData)).toHaveLength(2);
  });
});

test('a text is read once, also one that cannot be understood', () => {
  let reads = 0;
  const read = (value: unknown): string | undefined => {
    reads += 1;
    return typeof value === 'string' ? value : (value as { text?: string }).text;
  };
  const codecs = codecsOf({ name: 'notes', entry: read, record: read });
  const [known, unknown] = [{ text: 'known' }, {}];
  expect([codecs.entry(known), codecs.entry(known)]).toEqual(['known', 'known']);
  expect([codecs.record(unknown), codecs.record(unknown)]).toEqual([undefined, undefined]);
  expect(reads).toBe(2);
  expect(codecs.entry({ text: 'known' })).toBe('known');
  expect([codecs.entry('plain'), codecs.entry('plain')]).toEqual(['plain', 'plain']);
  expect(reads).toBe(5);
});
