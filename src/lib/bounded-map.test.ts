import { expect, test } from 'vitest';
import { BoundedMap } from './bounded-map.ts';

test('beyond the limit the oldest entry goes; one that was set again is not the oldest', () => {
  const map = new BoundedMap<string, number>(2);
  map.set('a', 1);
  map.set('b', 2);
  map.set('a', 3);
  map.set('c', 4);
  expect(map.size).toBe(2);
  expect(['a', 'b', 'c'].map((key) => map.get(key))).toEqual([3, undefined, 4]);
});

test('a deleted entry makes room for another', () => {
  const map = new BoundedMap<string, number>(2);
  for (const key of ['a', 'b']) map.set(key, 1);
  map.delete('b');
  map.set('c', 1);
  expect(['a', 'b', 'c'].map((key) => map.get(key))).toEqual([1, undefined, 1]);
});
