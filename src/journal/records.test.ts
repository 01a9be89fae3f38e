import { expect, test } from 'vitest';
import { RECORDS } from '../../test/support/kube/journal-api.ts';
import { errorOf, type JournalProcess, ready } from '../../test/support/kube/journal-process.ts';
import { settle } from '../../test/support/virtual-clock.ts';
import { RETRY_FLUSH_MS } from './term.ts';

const recording = (text: string) => ({ name: text, group: 'g', record: { text } });

function textsOf({ view }: JournalProcess): string[] {
  return [...view.records()].map(({ text }) => text).toSorted();
}

test('records stand in an object of their own, which no write of an entry makes larger', async () => {
  const process = await ready();
  const id = await process.opened('a');
  await process.view.remove({ owner: 'a', id, records: [recording('one')] });
  expect(Object.keys(process.api.data).filter((key) => key.includes('.record.'))).toEqual([]);
  expect(Object.keys(process.api.recordData)).toHaveLength(1);
  expect(textsOf(process)).toEqual(['one']);
  await process.stop();
});

test('what is recorded about an entry is stored before the entry goes, so a crash between the two loses nothing', async () => {
  const process = await ready();
  const id = await process.opened('a');
  // The records are written, and the write of the journal never arrives.
  let writes = 0;
  process.api.fate = (kind) => (kind !== 'read' && (writes += 1) === 2 ? 'request lost' : 'answered');
  await errorOf(process.view.remove({ owner: 'a', id, records: [recording('one')] }));
  expect(process.stored).toEqual(['a']);
  process.api.fate = () => 'answered';
  await settle();
  expect(textsOf(process)).toEqual(['one']);
  await process.stop();
});

test.each([
  ['with a record', [recording('one')]],
  ['with none', []],
])(
  'an entry that is removed %s counts as leaving until it is gone, so nobody decides on it',
  async (_, records) => {
    const process = await ready();
    const id = await process.opened('a');
    const removal = { isOver: false };
    const removed = process.view.remove({ owner: 'a', id, records }).then(() => (removal.isOver = true));
    // Whatever runs between two steps of the journal looks here.
    for (let looks = 0; !removal.isOver; looks += 1) {
      expect([looks, process.view.entry('a')]).toEqual([looks, undefined]);
      await Promise.resolve();
    }
    await removed;
    await process.stop();
  },
);

test('the next leader knows what an earlier one recorded', async () => {
  const first = await ready();
  const id = await first.opened('a');
  await first.view.remove({ owner: 'a', id, records: [recording('one')] });
  await first.stop();
  const next = await ready({ api: first.api, holder: 'next' });
  expect(textsOf(next)).toEqual(['one']);
  await next.view.record('somebody', [recording('two')]);
  expect(textsOf(next)).toEqual(['one', 'two']);
  await next.stop();
});

test('a refused record keeps its entry, and lets those of others through', async () => {
  const process = await ready();
  const a = await process.opened('a');
  process.api.fate = (kind) => (kind === 'create' ? { refused: 403 } : 'answered');
  process.view.removeLater({ owner: 'a', id: a, records: [recording('one')] });
  const refused = errorOf(process.view.record('x', [recording('two')]));
  await process.opened('b');
  expect(await refused).toMatchObject({ code: 'JournalRefused' });
  expect(process.stored).toEqual(['a', 'b']);
  // It counts as leaving, so nobody decides on it again.
  expect(process.view.entry('a')).toBeUndefined();
  process.api.fate = () => 'answered';
  await process.clock.advance(RETRY_FLUSH_MS + 1);
  await settle();
  expect(process.stored).toEqual(['b']);
  expect(textsOf(process)).toEqual(['one']);
  await process.stop();
});

test('records that somebody deleted are written again by who led throughout', async () => {
  const process = await ready();
  await process.view.record('x', [recording('one')]);
  process.api.remove(RECORDS);
  await process.view.record('x', [recording('two')]);
  expect(Object.keys(process.api.recordData)).toHaveLength(2);
  await process.stop();
});

test('records that somebody else changed have everything read again', async () => {
  const process = await ready();
  await process.view.record('x', [recording('one')]);
  process.api.change({ 'notes.record.other': '{}' }, RECORDS);
  expect(await errorOf(process.view.record('x', [recording('two')]))).toMatchObject({ code: 'TermOver' });
  await settle();
  expect(process.prepared).toBe(2);
  expect(process.woken).toContain('x');
  await process.stop();
});
