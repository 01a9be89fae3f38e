import { expect, test } from 'vitest';
import { inHalves, ofRound } from './turns.ts';

test('each of two goes first in every other round', () => {
  const rounds = [1, 2, 3, 4].map((index) => ofRound(['new', 'old'], index).join(' '));
  expect(rounds).toEqual(['new old', 'old new', 'new old', 'old new']);
});

test('a single one has its turn in every round', () => {
  expect([1, 2].map((index) => ofRound(['new'], index))).toEqual([['new'], ['new']]);
});

test('two are timed in halves, in the order A B B A, each with all items', () => {
  expect(inHalves(['new', 'old'], [1, 2, 3])).toEqual([
    ['new', [1, 2]],
    ['old', [1, 2]],
    ['old', [3]],
    ['new', [3]],
  ]);
});

test('a single one is timed with all items at once', () => {
  expect(inHalves(['new'], [1, 2, 3])).toEqual([['new', [1, 2, 3]]]);
});
