import { array, assert, boolean, nat, property, tuple } from 'fast-check';
import { expect, test } from 'vitest';
import { SortedSet } from './sorted-set.ts';

const byNumber = (a: number, b: number): number => a - b;

test('it holds what a Set holds, in order, after any additions and removals', () => {
  assert(
    property(array(tuple(boolean(), nat(60)), { maxLength: 200 }), nat(60), (steps, bound) => {
      const model = new Set<number>();
      let set = new SortedSet<number>(byNumber);
      for (const [isAdded, item] of steps) {
        set = isAdded ? set.with(item) : set.without(item);
        if (isAdded) model.add(item);
        else model.delete(item);
      }
      const sorted = [...model].sort(byNumber);
      expect([...set]).toEqual(sorted);
      expect(set.size).toBe(sorted.length);
      expect(set.first).toBe(sorted[0]);
      expect(set.firstFrom(bound)).toBe(sorted.find((item) => item >= bound));
      expect(set.find(bound)).toBe(model.has(bound) ? bound : undefined);
    }),
  );
});

test('a set does not change when another is made from it', () => {
  const before = new SortedSet<number>(byNumber).with(1).with(2);
  before.with(3);
  before.without(1);
  expect([...before]).toEqual([1, 2]);
  expect(before.without(9)).toBe(before);
});

test('the same item takes the place of the one before', () => {
  interface Row {
    key: number;
    text: string;
  }
  const set = new SortedSet<Row>((a, b) => a.key - b.key)
    .with({ key: 1, text: 'a' })
    .with({ key: 1, text: 'b' });
  expect([...set]).toEqual([{ key: 1, text: 'b' }]);
});

test('ten thousand items added in order are found within a few comparisons', () => {
  let comparisons = 0;
  let set = new SortedSet<number>((a, b) => {
    comparisons += 1;
    return a - b;
  });
  for (let i = 0; i < 10_000; i += 1) set = set.with(i);
  comparisons = 0;
  expect(set.find(7_777)).toBe(7_777);
  expect(comparisons).toBeLessThan(20);
});
