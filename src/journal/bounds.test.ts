import { describe, expect, test } from 'vitest';
import { errorOf, type JournalProcess, ready } from '../../test/support/kube/journal-process.ts';
import { settle } from '../../test/support/virtual-clock.ts';
import { BOUNDS } from './bounds.ts';
import type { Recording } from './group.ts';
import { entryKey } from './layout.ts';
import { LOOK_AGAIN_MS } from './parking.ts';

const BROKEN = '{"id": 1';

/** A process that finds entries under these texts, by owner. */
async function finding(texts: Record<string, string>): Promise<JournalProcess> {
  const { api } = await ready();
  api.change(
    Object.fromEntries(Object.entries(texts).map(([owner, text]) => [entryKey('notes', owner), text])),
  );
  return ready({ api });
}

describe('a group', () => {
  test('has room for so many entries; the next waits without a write and is woken when one is removed', async () => {
    const process = await ready({ bounds: { groupEntries: 2 } });
    const a = await process.opened('a', { group: 'g' });
    await process.opened('b', { group: 'g' });
    const { sent } = process.api;
    expect(await process.open('c', { group: 'g' })).toEqual({ is: 'parked', obstacle: 'group' });
    expect(process.api.sent).toBe(sent);
    await process.opened('d', { group: 'another' });
    expect(process.woken).toEqual([]);
    // Somebody waits for it, so the removal does not.
    process.view.removeLater({ owner: 'a', id: a });
    await settle();
    expect(process.woken).toEqual(['c']);
    await process.opened('c', { group: 'g' });
  });

  test('that is waited for is freed right after the write that is under way', async () => {
    const process = await ready({ bounds: { groupEntries: 1 } });
    const a = await process.opened('a', { group: 'g' });
    await process.open('b', { group: 'g' });
    process.api.isPrompt = false;
    const other = process.opened('other');
    await settle();
    process.view.removeLater({ owner: 'a', id: a });
    process.api.next();
    await other;
    await settle();
    process.api.next();
    await settle();
    expect(process.woken).toEqual(['b']);
  });

  test('wakes as many as fit, in the order in which they came', async () => {
    const process = await ready({ bounds: { groupEntries: 2 } });
    const ids = [await process.opened('a', { group: 'g' }), await process.opened('b', { group: 'g' })];
    for (const owner of ['c', 'd', 'e']) await process.open(owner, { group: 'g' });
    await Promise.all([
      process.view.remove({ owner: 'a', id: ids[0]! }),
      process.view.remove({ owner: 'b', id: ids[1]! }),
    ]);
    expect(process.woken).toEqual(['c', 'd']);
  });

  test('does not wait for one that was woken and does not come', async () => {
    const process = await ready({ bounds: { groupEntries: 1 } });
    const a = await process.opened('a', { group: 'g' });
    for (const owner of ['deleted', 'c']) await process.open(owner, { group: 'g' });
    await process.view.remove({ owner: 'a', id: a });
    expect(process.woken).toEqual(['deleted']);
    await process.clock.advance(LOOK_AGAIN_MS);
    expect(process.woken).toEqual(['deleted', 'c']);
  });

  test('is counted within one write too', async () => {
    const process = await ready({ bounds: { groupEntries: 3 } });
    const results = await Promise.all(
      ['a', 'b', 'c', 'd', 'e'].map((owner) => process.open(owner, { group: 'g' })),
    );
    expect(results.map(({ is }) => is)).toEqual(['open', 'open', 'open', 'parked', 'parked']);
  });

  test('that is full lets an entry be replaced', async () => {
    const process = await ready({ bounds: { groupEntries: 1 } });
    const replaces = await process.opened('a', { group: 'g' });
    const id = await process.opened('a', { group: 'g', replaces });
    expect(process.view.entry('a')).toMatchObject({ id });
  });
});

describe('a request', () => {
  test('is open once; another resource with the same one waits until it is removed', async () => {
    const process = await ready();
    const a = await process.opened('a', { request: 'r' });
    expect(await process.open('b', { request: 'r' })).toEqual({ is: 'parked', obstacle: 'request' });
    expect(await process.open('c', { request: 'r' })).toMatchObject({ is: 'parked' });
    await process.opened('d', { request: 'another' });
    process.woken.splice(0);
    await process.view.remove({ owner: 'a', id: a });
    expect(process.woken).toEqual(['b']);
    await process.opened('b', { request: 'r' });
    expect(await process.open('c', { request: 'r' })).toMatchObject({ is: 'parked' });
  });

  test('that another resource waits for wakes who has it open, and that one knows that it is in the way', async () => {
    const process = await ready();
    const id = await process.opened('a', { request: 'r' });
    await process.opened('other', { request: 's' });
    await process.opened('plain');
    const inTheWay = (): string[] =>
      ['a', 'other', 'plain', 'none'].filter((owner) => process.view.isInTheWay(owner));
    expect(inTheWay()).toEqual([]);
    await process.open('b', { request: 'r' });
    expect(process.woken).toEqual(['a']);
    expect(inTheWay()).toEqual(['a']);
    await process.view.remove({ owner: 'a', id });
    expect(inTheWay()).toEqual([]);
  });

  test('that has to wait for room wakes nobody', async () => {
    const process = await ready({ bounds: { groupEntries: 1 } });
    await process.opened('a', { group: 'g', request: 'r' });
    expect(await process.open('b', { group: 'g', request: 's' })).toMatchObject({ obstacle: 'group' });
    expect(process.woken).toEqual([]);
    expect(process.view.isInTheWay('a')).toBe(false);
  });

  test('is open once among those that are written together', async () => {
    const process = await ready();
    const results = await Promise.all(['a', 'b'].map((owner) => process.open(owner, { request: 'r' })));
    expect(results.map(({ is }) => is)).toEqual(['open', 'parked']);
  });

  test('may be asked for again by the resource that has it open', async () => {
    const process = await ready();
    const replaces = await process.opened('a', { request: 'r' });
    await process.opened('a', { request: 'r', replaces });
    expect(await process.open('b', { request: 'r' })).toMatchObject({ is: 'parked' });
  });
});

describe('the journal', () => {
  test('has room for so many bytes of entries', async () => {
    const process = await ready({ bounds: { allEntryBytes: 3 * BOUNDS.entryBytes } });
    const results = await Promise.all(Array.from({ length: 50 }, (_, i) => process.open(`owner-${i}`)));
    const bytes = process.api.entryKeys.reduce(
      (sum, key) => sum + key.length + process.api.data[key]!.length,
      0,
    );
    expect(bytes).toBeLessThanOrEqual(3 * BOUNDS.entryBytes);
    expect(results.at(-1)).toEqual({ is: 'parked', obstacle: 'size' });
  });

  test('holds no text of those who tell groups, requests and ids apart, so all but the payload has a fixed size', async () => {
    const process = await ready();
    const long = 'tenant'.repeat(10_000);
    process.section.raise(long, 5);
    await process.opened('a', { group: long, request: long, text: '' });
    expect(JSON.stringify(process.api.data)).not.toContain('tenant');
  });

  test('takes what would be too large, or cannot be made, from no one else', async () => {
    const process = await ready();
    const failing = process.view.open({
      owner: 'c',
      group: 'g',
      make: () => {
        throw new Error('cannot be made');
      },
    });
    const results = await Promise.allSettled([
      process.open('a', { text: 'x'.repeat(BOUNDS.entryBytes) }),
      process.open('b'),
      failing,
    ]);
    expect(results.map(({ status }) => status)).toEqual(['rejected', 'fulfilled', 'rejected']);
    expect(results[0]).toMatchObject({ reason: { code: 'EntryTooLarge' } });
    expect(process.stored).toEqual(['b']);
  });

  test('refuses a second entry of a resource', async () => {
    const process = await ready();
    await process.opened('a');
    expect(await errorOf(process.open('a'))).toMatchObject({ code: 'EntryTaken' });
    expect(await errorOf(process.open('a', { replaces: 'another' }))).toMatchObject({ code: 'EntryTaken' });
  });

  test('refuses an owner that no key can hold', async () => {
    const process = await ready();
    expect(await errorOf(process.open('a/b'))).toMatchObject({ code: 'UnusableOwner' });
    await process.opened('a');
  });
});

describe('an entry that cannot be read', () => {
  test.each([
    ['damaged', BROKEN],
    ['of an unknown form', '{"id":"1","group":"g","entry":{"unknown":true}}'],
  ])('(%s) is kept, counts as taken, and costs its own resource alone', async (_, text) => {
    const process = await finding({ a: text });
    expect(process.view.entry('a')).toMatchObject({ is: 'unreadable' });
    expect(await errorOf(process.open('a'))).toMatchObject({ code: 'EntryTaken' });
    await process.opened('b');
    expect(process.stored).toEqual(['a', 'b']);
    expect(process.api.data[entryKey('notes', 'a')]).toBe(text);
  });

  test('can be removed', async () => {
    const process = await finding({ a: BROKEN });
    await process.view.remove({ owner: 'a', id: process.view.entry('a')!.id });
    expect(process.stored).toEqual([]);
  });

  test('takes its bytes', async () => {
    const process = await finding({ a: BROKEN.padEnd(2 * BOUNDS.entryBytes) });
    const small = await ready({ api: process.api, bounds: { allEntryBytes: 2 * BOUNDS.entryBytes } });
    expect(await small.open('b')).toEqual({ is: 'parked', obstacle: 'size' });
  });
});

describe('records', () => {
  const recording = (name: string, group = 'g') => ({ name, group, record: { text: name } });
  const textsOf = (process: JournalProcess): string[] => [...process.view.records()].map(({ text }) => text);
  const recordBytes = ({ api }: JournalProcess): number =>
    Object.entries(api.recordData).reduce((sum, [key, text]) => sum + key.length + text.length, 0);

  test('are written with a removal, or with the entry that replaces one, and outlive the process', async () => {
    const process = await ready();
    const a = await process.opened('a');
    await process.view.remove({ owner: 'a', id: a, records: [recording('one')] });
    const b = await process.opened('b');
    const wish = { owner: 'b', group: 'g', replaces: b, records: [recording('two')] };
    await process.view.open({ ...wish, make: () => ({ text: '' }) });
    const next = await ready({ api: process.api });
    expect(textsOf(next)).toEqual(['one', 'two']);
    expect(next.view.recorded('one')).toEqual({ text: 'one' });
  });

  test('of a group are so many; the oldest goes', async () => {
    const process = await ready({ bounds: { groupRecords: 2 } });
    await process.view.remove({ owner: 'x', id: '', records: [recording('other', 'another')] });
    for (const name of ['one', 'two', 'two', 'three']) {
      await process.clock.advance(1);
      await process.view.remove({ owner: 'x', id: '', records: [recording(name)] });
    }
    expect(textsOf(process)).toEqual(['other', 'two', 'three']);
  });

  test('are so many bytes; the oldest of all go', async () => {
    const process = await ready({ bounds: { allRecordBytes: 1000 } });
    for (let i = 0; i < 20; i += 1) {
      await process.clock.advance(1);
      await process.view.remove({ owner: 'x', id: '', records: [recording(`name-${i}`, `group-${i}`)] });
    }
    expect(recordBytes(process)).toBeLessThanOrEqual(1000);
    expect(textsOf(process).at(-1)).toBe('name-19');
    expect(textsOf(process)).not.toContain('name-0');
  });

  test('take their room in the group of their entry, unless they name one', async () => {
    const process = await ready({ bounds: { groupRecords: 1 } });
    const remove = async (owner: string, group: string, record: Recording): Promise<void> => {
      await process.clock.advance(1);
      const id = await process.opened(owner, { group });
      await process.view.remove({ owner, id, records: [record] });
    };
    await remove('a', 'g', { name: 'one', record: { text: 'one' } });
    await remove('b', 'h', { name: 'two', record: { text: 'two' } });
    await remove('c', 'g', recording('three', 'h'));
    expect(textsOf(process)).toEqual(['one', 'three']);
    await remove('d', 'g', { name: 'four', record: { text: 'four' } });
    expect(textsOf(process)).toEqual(['three', 'four']);
    // An entry that replaces another one speaks for it.
    await process.clock.advance(1);
    const replaces = await process.opened('e', { group: 'h' });
    const records = [{ name: 'five', record: { text: 'five' } }];
    await process.view.open({ owner: 'e', group: 'h', replaces, records, make: () => ({ text: '' }) });
    expect(textsOf(process)).toEqual(['four', 'five']);
  });

  describe('beyond the bytes of all', () => {
    /** A process that has room for six records, and puts these on record one after the other: a letter of their group each. */
    async function recorded(...groups: string[]): Promise<JournalProcess> {
      const one = await ready();
      await one.view.record('x', [recording('name-00')]);
      const process = await ready({ bounds: { allRecordBytes: 6 * recordBytes(one) } });
      for (const [i, group] of groups.entries()) {
        await process.clock.advance(1);
        await process.view.record('x', [recording(nameOf(group, i), group)]);
      }
      return process;
    }

    const nameOf = (group: string, i: number): string => `${group}-${String(i).padStart(5, '0')}`;
    const groupsOf = (process: JournalProcess): string =>
      textsOf(process)
        .map(([group]) => group)
        .join('');

    test.each([
      ['the oldest of the largest group gives way, however old those of others are', 'aabbbb', 'c', 'aabbbc'],
      ['again and again, until the group of the new record is as large', 'abbbbb', 'ccc', 'abbbcc'],
      ['the largest group gives way to its own newest record', 'abbbbb', 'bbb', 'abbbbb'],
      ['a group that has one record gives way only to equals', 'abcdef', 'g', 'bcdefg'],
    ])('%s', async (_, before, after, left) => {
      const process = await recorded(...before.split(''), ...after.split(''));
      expect(groupsOf(process)).toBe(left);
      expect(textsOf(process)).toContain(nameOf(after.at(-1)!, before.length + after.length - 1));
    });

    test('a record that is written again needs no more room', async () => {
      const process = await recorded(...'abbbbb'.split(''));
      await process.view.record('x', [recording(nameOf('a', 0), 'a')]);
      expect(groupsOf(process)).toBe('abbbbb');
    });
  });

  test('are refused before anything is written if they are too large', async () => {
    const process = await ready();
    const id = await process.opened('a');
    const records = [{ name: 'n', group: 'g', record: { text: 'x'.repeat(BOUNDS.recordBytes) } }];
    expect(() => process.view.removeLater({ owner: 'a', id, records })).toThrow(
      'larger than a record may be',
    );
    expect(await errorOf(process.view.remove({ owner: 'a', id, records }))).toMatchObject({
      code: 'RecordTooLarge',
    });
    expect(process.view.entry('a')).toMatchObject({ id });
  });
});

describe('highest ids', () => {
  test('outlive the process, and cause no write of their own', async () => {
    const process = await ready();
    const { sent } = process.api;
    process.section.raise('ca', 7);
    await process.clock.advance(60_000);
    expect(process.api.sent).toBe(sent);
    await process.opened('a');
    const next = await ready({ api: process.api });
    expect(next.section.highest('ca')).toBe(7);
    expect(next.section.highest('another')).toBe(0);
  });

  test('can be lowered', async () => {
    const process = await ready();
    process.section.raise('ca', Number.MAX_SAFE_INTEGER);
    await process.opened('a');
    process.section.lower('ca', 7);
    await process.opened('b');
    const next = await ready({ api: process.api });
    expect(next.section.highest('ca')).toBe(7);
  });

  test('are so many; the one that was raised longest ago goes', async () => {
    const process = await ready({ bounds: { highestIds: 2 } });
    for (const name of ['one', 'two', 'one', 'three'])
      process.section.raise(name, process.section.highest(name) + 1);
    await process.opened('a');
    const next = await ready({ api: process.api });
    expect(['one', 'two', 'three'].map((name) => next.section.highest(name))).toEqual([2, 0, 1]);
  });

  test('that cannot be read are unknown', async () => {
    const process = await ready();
    process.section.raise('ca', 7);
    await process.opened('a');
    const key = Object.keys(process.api.data).find((each) => each.startsWith('highest.'))!;
    process.api.change({ [key]: '-1e9' });
    const next = await ready({ api: process.api });
    expect(next.section.highest('ca')).toBe(0);
    next.section.raise('ca', 8);
    await next.opened('b');
    expect(next.api.data[key]).toBe('8');
  });
});

test('the bounds together leave the object below what an API server takes', () => {
  const { allEntryBytes, allRecordBytes, highestIds, entryBytes, recordBytes } = BOUNDS;
  const highest = highestIds * ('highest.'.length + 32 + 16);
  expect(allEntryBytes + allRecordBytes + highest + entryBytes + recordBytes).toBeLessThan(1024 * 1024);
});
