import { expect, test } from 'vitest';
import { OncePerKey } from './once-per-key.ts';

function setup() {
  const cache = new OncePerKey<number, string>();
  const calls: ((result: string | Error) => void)[] = [];
  const get = (key: number): Promise<string> =>
    cache.get(
      key,
      () =>
        new Promise((resolve, reject) => {
          calls.push((result) => (typeof result === 'string' ? resolve(result) : reject(result)));
        }),
    );
  return { get, calls, has: (key: number) => cache.has(key) };
}

test('callers of one key share a call, during it and after it', async () => {
  const { get, calls } = setup();
  const both = [get(1), get(1)];
  expect(calls).toHaveLength(1);
  calls[0]?.('one');
  expect(await Promise.all([...both, get(1)])).toEqual(['one', 'one', 'one']);
  expect(calls).toHaveLength(1);
});

test('each key has a call of its own', async () => {
  const { get, calls } = setup();
  const both = [get(1), get(2)];
  calls[0]?.('one');
  calls[1]?.('two');
  expect(await Promise.all(both)).toEqual(['one', 'two']);
});

test('a failure reaches all who wait, and the next caller tries again', async () => {
  const { get, calls } = setup();
  const both = Promise.allSettled([get(1), get(1)]);
  const error = new Error('down');
  calls[0]?.(error);
  expect(await both).toEqual([
    { status: 'rejected', reason: error },
    { status: 'rejected', reason: error },
  ]);
  const again = get(1);
  calls[1]?.('one');
  expect(await again).toBe('one');
});

test('it is known whether a result is there, which one under way or a failed one is not', async () => {
  const { get, calls, has } = setup();
  const failing = get(1);
  expect(has(1)).toBe(false);
  calls[0]?.(new Error('down'));
  await expect(failing).rejects.toThrow('down');
  expect(has(1)).toBe(false);
  const again = get(1);
  calls[1]?.('one');
  await again;
  expect([has(1), has(2)]).toEqual([true, false]);
});
