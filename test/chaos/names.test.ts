import { expect, test } from 'vitest';
import { permutation, Tags } from './names.ts';

test('every wish for the same names has a unique order, which identifies it', () => {
  const tags = new Tags();
  const wish = {
    party: 'main',
    namespace: 'n',
    issuer: 'plain',
    commonName: 'a',
    names: ['c', 'a', 'b'],
  } as const;
  const given = Array.from({ length: 6 }, (_, i) => tags.give({ ...wish, name: `web-${i}` }));

  expect(new Set(given.map(({ names }) => names.join(','))).size).toBe(6);
  expect(new Set(given.map(({ set }) => set))).toEqual(new Set(['a,b,c']));
  for (const tag of given) expect(tags.of(tag.names)).toBe(tag);
  expect(() => tags.give({ ...wish, name: 'one too many' })).toThrow(RangeError);
});

test('the orders of a list all differ and have the same elements', () => {
  const orders = Array.from({ length: 24 }, (_, n) => permutation([1, 2, 3, 4], n));

  expect(new Set(orders.map(String)).size).toBe(24);
  for (const order of orders) expect(new Set(order)).toEqual(new Set([1, 2, 3, 4]));
});
