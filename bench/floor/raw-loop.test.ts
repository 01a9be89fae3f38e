import { describe, expect, test } from 'vitest';
import { forEach } from './raw-loop.ts';

describe('working through items', () => {
  test('returns the results in the order of the items, whichever finishes first', async () => {
    const gates = [0, 1, 2].map(() => Promise.withResolvers<void>());
    const results = forEach([0, 1, 2], 3, async (item) => {
      await gates[item]?.promise;
      return item * 10;
    });
    for (const gate of gates.toReversed()) gate.resolve();
    expect(await results).toEqual([0, 10, 20]);
  });

  test.each([1, 2, 5, 100])('never has more than %d under way', async (concurrency) => {
    let underWay = 0;
    let most = 0;
    await forEach([...Array(20).keys()], concurrency, async () => {
      underWay += 1;
      most = Math.max(most, underWay);
      await Promise.resolve();
      underWay -= 1;
    });
    expect(most).toBe(Math.min(concurrency, 20));
  });

  test('rejects with the first failure', async () => {
    const failing = forEach([1, 2, 3], 2, async (item) => {
      if (item === 2) throw new Error('second');
    });
    await expect(failing).rejects.toThrow('second');
  });

  test('returns nothing for no items', async () => {
    expect(await forEach([], 4, () => Promise.reject(new Error('never called')))).toEqual([]);
  });
});
