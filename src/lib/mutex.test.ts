import * as fc from 'fast-check';
import { expect, test } from 'vitest';
import { settle } from '../../test/support/virtual-clock.ts';
import { KeyedMutex } from './mutex.ts';

/** A task that holds its lock until the test ends it. */
function task(): {
  run: () => Promise<string>;
  end: (result?: string) => void;
  fail: (error: Error) => void;
} {
  const { promise, resolve, reject } = Promise.withResolvers<string>();
  return { run: () => promise, end: (result = 'done') => resolve(result), fail: reject };
}

test('calls for one key run one at a time, first come, first served', async () => {
  const mutex = new KeyedMutex();
  const order: string[] = [];
  const first = task();
  const runs = [
    mutex.run('a', async () => {
      order.push('first starts');
      await first.run();
      order.push('first ends');
    }),
    mutex.run('a', () => order.push('second')),
    mutex.run('a', () => order.push('third')),
  ];
  await settle();
  expect(order).toEqual(['first starts']);
  first.end();
  await Promise.all(runs);
  expect(order).toEqual(['first starts', 'first ends', 'second', 'third']);
});

test('calls for other keys do not wait', async () => {
  const mutex = new KeyedMutex();
  const held = task();
  const holding = mutex.run('a', held.run);
  expect(await mutex.run('b', () => 'free')).toBe('free');
  held.end();
  expect(await holding).toBe('done');
});

test('a failure goes to its caller and releases the key', async () => {
  const mutex = new KeyedMutex();
  const failing = mutex.run('a', () => Promise.reject(new Error('broken')));
  const next = mutex.run('a', () => 'next');
  await expect(failing).rejects.toThrow('broken');
  expect(await next).toBe('next');
  await expect(
    mutex.run('a', () => {
      throw new Error('thrown at once');
    }),
  ).rejects.toThrow('thrown at once');
  expect(mutex.size).toBe(0);
});

test('a call that is aborted while it waits never runs and delays no other', async () => {
  const mutex = new KeyedMutex();
  const held = task();
  const order: string[] = [];
  const holding = mutex.run('a', held.run);
  const abort = new AbortController();
  const impatient = mutex.run('a', () => order.push('impatient'), abort.signal);
  const patient = mutex.run('a', () => order.push('patient'));
  abort.abort(new Error('gave up'));
  await expect(impatient).rejects.toThrow('gave up');
  held.end();
  await Promise.all([holding, patient]);
  expect(order).toEqual(['patient']);
});

test('a call with an aborted signal does not run, whether the key is free or not', async () => {
  const mutex = new KeyedMutex();
  const signal = AbortSignal.abort(new Error('too late'));
  await expect(mutex.run('a', () => 'ran', signal)).rejects.toThrow('too late');
  expect(mutex.size).toBe(0);
});

test('an abort after the start has no effect', async () => {
  const mutex = new KeyedMutex();
  const abort = new AbortController();
  const held = task();
  const run = mutex.run('a', held.run, abort.signal);
  abort.abort();
  held.end('kept');
  expect(await run).toBe('kept');
});

test('whichever calls wait, abort or fail, none overlap and no key stays locked', async () => {
  const visit = fc.record({ key: fc.constantFrom('a', 'b'), aborts: fc.boolean(), fails: fc.boolean() });
  await fc.assert(
    fc.asyncProperty(fc.array(visit, { maxLength: 12 }), async (visits) => {
      const mutex = new KeyedMutex();
      const inside = new Map<string, number>();
      const aborts: AbortController[] = [];
      const runs = visits.map(({ key, aborts: gives, fails }) => {
        const abort = new AbortController();
        if (gives) aborts.push(abort);
        return mutex.run(
          key,
          async () => {
            inside.set(key, (inside.get(key) ?? 0) + 1);
            expect(inside.get(key)).toBe(1);
            await settle(1);
            inside.set(key, 0);
            if (fails) throw new Error('failed');
            return 'ran';
          },
          abort.signal,
        );
      });
      for (const abort of aborts) abort.abort(new Error('gave up'));
      const results = await Promise.allSettled(runs);
      expect(mutex.size).toBe(0);
      const patient = visits.flatMap(({ aborts, fails }, index) => (aborts ? [] : [{ fails, index }]));
      expect(patient.map(({ index }) => results[index]?.status)).toEqual(
        patient.map(({ fails }) => (fails ? 'rejected' : 'fulfilled')),
      );
    }),
    { numRuns: 50 },
  );
});
