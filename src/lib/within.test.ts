import { expect, test } from 'vitest';
import { VirtualClock } from '../../test/support/virtual-clock.ts';
import { within } from './within.ts';

const late = (): Error => new Error('late');

test('a result in time is returned, and no timer stays armed', async () => {
  const clock = new VirtualClock();
  expect(await within(clock, 1000, late, () => Promise.resolve('result'))).toBe('result');
  await expect(within(clock, 1000, late, () => Promise.reject(new Error('own')))).rejects.toThrow('own');
  expect(clock.pending).toBe(0);
});

test('work that ignores its signal is abandoned all the same', async () => {
  const clock = new VirtualClock();
  let signal: AbortSignal | undefined;
  const run = within(clock, 1000, late, (given) => {
    signal = given;
    return new Promise<never>(() => undefined);
  });
  const [result] = await Promise.all([Promise.allSettled([run]), clock.advance(1000)]);
  expect(result).toMatchObject([{ status: 'rejected', reason: { message: 'late' } }]);
  expect(signal?.aborted).toBe(true);
});

test('an abort of the parent ends it', async () => {
  const clock = new VirtualClock();
  const parent = new AbortController();
  const run = within(clock, 1000, late, () => new Promise<never>(() => undefined), parent.signal);
  parent.abort(new Error('stopped'));
  await expect(run).rejects.toThrow('stopped');
  expect(clock.pending).toBe(0);
});

test('nothing starts if the parent has aborted', async () => {
  let started = false;
  const run = within(
    new VirtualClock(),
    1000,
    late,
    () => {
      started = true;
    },
    AbortSignal.abort(new Error('stopped')),
  );
  await expect(run).rejects.toThrow('stopped');
  expect(started).toBe(false);
});
