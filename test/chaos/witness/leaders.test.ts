import { expect, test } from 'vitest';
import { Leaders } from './leaders.ts';

/** A time of day. */
function at(seconds: number): string {
  return new Date(seconds * 1_000).toISOString();
}

/** `first` led from the beginning, and wrote the journal. */
function afterFirst(): Leaders {
  const leaders = new Leaders();
  leaders.takeLease({ holderIdentity: 'first', renewTime: at(0) });
  leaders.takeJournal('first');
  return leaders;
}

test.each([
  ['is not doubted by a leader that follows soon', 40, false],
  ['is doubted after a stop that is longer than any request', 46, true],
])('a journal %s', (_, seconds, isDoubted) => {
  const leaders = afterFirst();
  leaders.takeLease({ renewTime: at(0) });
  leaders.takeLease({ holderIdentity: 'second', renewTime: at(seconds) });

  expect(leaders.takeJournal('second')).toBe(isDoubted);
});

test('a journal is not doubted by the leader that follows one that never wrote it', () => {
  const leaders = afterFirst();
  leaders.takeLease({ holderIdentity: 'second', renewTime: at(1) });
  leaders.takeLease({ holderIdentity: 'third', renewTime: at(2) });

  expect(leaders.takeJournal('third')).toBe(false);
});

test('a journal is doubted by a leader that finds another’s version after its own', () => {
  const leaders = afterFirst();
  leaders.takeLease({ holderIdentity: 'second', renewTime: at(1) });
  expect([leaders.takeJournal('second'), leaders.takeJournal('second')]).toEqual([false, false]);

  leaders.takeJournal('without election');
  expect(leaders.takeJournal('second')).toBe(true);
});

test('a journal of another process may be doubted by one without an election, its own is not', () => {
  const leaders = afterFirst();

  expect(leaders.takeJournal('without election')).toBe(true);
  expect(leaders.takeJournal('without election')).toBe(false);
});
