import { describe, expect, test } from 'vitest';
import { errorOf, type JournalProcess, QUIET_MS, ready } from '../../test/support/kube/journal-process.ts';
import { settle } from '../../test/support/virtual-clock.ts';
import { FLUSH_MS, RETRY_FLUSH_MS } from './term.ts';

/** A process whose writes wait until `api.next()`. */
async function slow(): Promise<JournalProcess> {
  const process = await ready();
  process.api.isPrompt = false;
  return process;
}

async function answerAll(process: JournalProcess): Promise<void> {
  await settle();
  while (process.api.waiting > 0) {
    process.api.next();
    await settle();
  }
}

/** How many writes `work` costs. */
async function writesOf(process: JournalProcess, work: () => Promise<unknown>): Promise<number> {
  const { sent } = process.api;
  await work();
  return process.api.sent - sent;
}

const owners = (count: number): string[] => Array.from({ length: count }, (_, i) => `owner-${i}`);

describe('a write', () => {
  test('takes all that is asked for in the same turn, and waits for nobody else', async () => {
    const process = await ready();
    expect(await writesOf(process, () => process.opened('alone'))).toBe(1);
    expect(await writesOf(process, () => Promise.all(owners(32).map((owner) => process.opened(owner))))).toBe(
      1,
    );
    expect(process.clock.monotonic()).toBe(0);
    expect(process.stored).toHaveLength(33);
  });

  test('is the only one under way; all who come meanwhile share the next', async () => {
    const process = await slow();
    const writes = await writesOf(process, async () => {
      const opened = [process.opened('a')];
      await settle();
      for (const owner of owners(31)) {
        opened.push(process.opened(owner));
        await settle(1);
      }
      await answerAll(process);
      await Promise.all(opened);
    });
    expect(writes).toBe(2);
    expect(process.traffic.most).toBe(1);
  });

  test('gives each entry a random id and a moment before it was sent', async () => {
    const process = await slow();
    await process.clock.advance(5);
    const opening = process.view.open({ owner: 'a', group: 'g', make: (id) => ({ text: id }) });
    await settle();
    await process.clock.advance(700);
    await answerAll(process);
    const opened = await opening;
    expect(opened).toMatchObject({ is: 'open', since: { monotonic: 5, wall: process.clock.now() - 700 } });
    expect(opened).toMatchObject({ id: (opened as { entry: { text: string } }).entry.text });
  });

  test('takes the highest ids of its own moment', async () => {
    const process = await slow();
    const make = () => ({ text: '', afterId: process.section.highest('ca') });
    process.section.raise('ca', 7);
    const openings = [process.view.open({ owner: 'a', group: 'g', make })];
    await settle();
    openings.push(process.view.open({ owner: 'b', group: 'g', make }));
    process.section.raise('ca', 9);
    process.section.raise('ca', 8);
    await answerAll(process);
    expect(await Promise.all(openings)).toMatchObject([{ entry: { afterId: 7 } }, { entry: { afterId: 9 } }]);
    expect(process.entries).toMatchObject({ a: { entry: { afterId: 7 } }, b: { entry: { afterId: 9 } } });
  });

  test('that the API server refuses fails for those in it, and the term goes on', async () => {
    const process = await ready();
    const view = process.view;
    process.api.fate = () => ({ refused: 403 });
    const errors = await Promise.all([errorOf(process.open('a')), errorOf(process.open('b'))]);
    expect(errors).toMatchObject([
      { code: 'JournalRefused', cause: { status: 403 } },
      { code: 'JournalRefused' },
    ]);
    process.api.fate = () => 'answered';
    await process.opened('c');
    expect(process.stored).toEqual(['c']);
    expect(view.isCurrent).toBe(true);
  });

  test.each(['request lost', 'reply lost', 'late', { refused: 500 }, { refused: 504 }] as const)(
    'with an unknown outcome (%j) drops all that waits, and the takeover tells what was written',
    async (fate) => {
      const process = await slow();
      const first = errorOf(process.open('a'));
      await settle();
      const second = errorOf(process.open('b'));
      process.api.fate = (kind) => (kind === 'write' ? fate : 'answered');
      process.api.isPrompt = true;
      process.api.next();
      expect(await Promise.all([first, second])).toMatchObject([{ end: 'unknown' }, { end: 'unknown' }]);
      process.api.fate = () => 'answered';
      await process.clock.advance(1000);
      process.api.carryOutLate();
      const isStored = fate === 'reply lost';
      expect(Object.keys(process.entries)).toEqual(isStored ? ['a'] : []);
      expect(process.stored).toEqual(isStored ? ['a'] : []);
      expect(process.woken).toEqual(expect.arrayContaining(['a', 'b']));
    },
  );

  test('whose answer comes after the Lease was lost lets nothing be sent', async () => {
    const process = await slow();
    const opening = errorOf(process.open('a'));
    await settle();
    process.leads = false;
    process.api.isPrompt = true;
    process.api.next();
    expect(await opening).toMatchObject({ code: 'TermOver', end: 'lease' });
    process.leads = true;
    await process.clock.advance(1000);
    expect(Object.keys(process.entries)).toEqual(['a']);
  });

  test('that would change nothing is not sent', async () => {
    const process = await ready();
    const id = await process.opened('a');
    expect(await writesOf(process, () => process.view.remove({ owner: 'a', id: 'another' }))).toBe(0);
    expect(process.entries).toMatchObject({ a: { id } });
  });
});

describe('a removal', () => {
  test('goes with the next write', async () => {
    const process = await ready();
    const id = await process.opened('a');
    process.view.removeLater({ owner: 'a', id });
    expect(process.view.entry('a')).toBeUndefined();
    expect(process.entries).toMatchObject({ a: { id } });
    expect(await writesOf(process, () => process.opened('b'))).toBe(1);
    expect(process.stored).toEqual(['b']);
    expect(await writesOf(process, () => process.clock.advance(RETRY_FLUSH_MS))).toBe(0);
  });

  test('is written when no other write comes, together with those that came since', async () => {
    const process = await ready();
    const ids = await Promise.all(owners(3).map((owner) => process.opened(owner)));
    const writes = await writesOf(process, async () => {
      for (const [i, id] of ids.entries()) {
        process.view.removeLater({ owner: `owner-${i}`, id });
        await process.clock.advance(FLUSH_MS / 4);
      }
      expect(process.stored).toHaveLength(3);
      await process.clock.advance(FLUSH_MS / 4);
    });
    expect(writes).toBe(1);
    expect(process.stored).toEqual([]);
  });

  test('is written before the process ends', async () => {
    const process = await ready();
    process.view.removeLater({ owner: 'a', id: await process.opened('a') });
    await process.stop();
    expect(process.stored).toEqual([]);
  });

  test('that is refused is tried again, and the resource is not decided on as if it had an entry', async () => {
    const process = await ready();
    const id = await process.opened('a');
    process.view.removeLater({ owner: 'a', id });
    process.api.fate = () => ({ refused: 403 });
    await process.clock.advance(FLUSH_MS);
    expect(process.view.entry('a')).toBeUndefined();
    process.api.fate = () => 'answered';
    await process.clock.advance(RETRY_FLUSH_MS);
    expect(process.stored).toEqual([]);
  });

  test('that is refused while somebody waits for it leaves the entry as it is', async () => {
    const process = await ready();
    const id = await process.opened('a');
    process.api.fate = () => ({ refused: 403 });
    const removal = process.view.remove({ owner: 'a', id });
    expect(process.view.entry('a')).toBeUndefined();
    expect(await errorOf(removal)).toMatchObject({ code: 'JournalRefused' });
    expect(process.view.entry('a')).toMatchObject({ id });
  });

  test('that is lost with its term is for the next one, whose resource is woken', async () => {
    const process = await ready();
    const id = await process.opened('a');
    process.view.removeLater({ owner: 'a', id });
    process.api.fate = (kind) => (kind === 'write' ? 'request lost' : 'answered');
    await process.clock.advance(FLUSH_MS);
    process.api.fate = () => 'answered';
    await process.clock.advance(1000);
    expect(process.view.entry('a')).toMatchObject({ id });
    expect(process.woken).toEqual(['a']);
  });

  test('of an entry that was replaced meanwhile does nothing', async () => {
    const process = await ready();
    const old = await process.opened('a');
    const id = await process.opened('a', { replaces: old });
    await process.view.remove({ owner: 'a', id: old });
    expect(process.entries).toMatchObject({ a: { id } });
  });

  test('and an entry of the same resource go into one write', async () => {
    const process = await ready();
    const old = await process.opened('a');
    process.view.removeLater({ owner: 'a', id: old });
    expect(await writesOf(process, () => process.opened('a'))).toBe(1);
    expect(process.view.entry('a')).not.toMatchObject({ id: old });
  });
});

test('a view of an earlier term writes nothing', async () => {
  const process = await ready();
  const { view } = process;
  const id = await process.opened('a');
  process.api.change({ other: 'x' });
  await errorOf(process.open('b'));
  await process.clock.advance(QUIET_MS + 10_000);
  const late = [
    view.open({ owner: 'c', group: 'g', make: () => ({ text: '' }) }),
    view.remove({ owner: 'a', id }),
  ];
  expect(await Promise.all(late.map(errorOf))).toMatchObject([{ end: 'changed' }, { end: 'changed' }]);
  view.removeLater({ owner: 'a', id });
  await process.clock.advance(FLUSH_MS);
  expect(process.stored).toEqual(['a']);
});
