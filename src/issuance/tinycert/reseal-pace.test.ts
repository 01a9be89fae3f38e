import { expect, test } from 'vitest';
import { VirtualClock } from '../../../test/support/virtual-clock.ts';
import { RESEAL_EVERY_MS, ResealPace } from './reseal-pace.ts';

test('resources take turns, and each keeps its own', async () => {
  const clock = new VirtualClock();
  const pace = new ResealPace(clock);
  const start = clock.monotonic();
  const turns = ['a', 'b', 'c'].map((uid) => pace.turnOf(uid) - start);
  expect(turns).toEqual([0, RESEAL_EVERY_MS, 2 * RESEAL_EVERY_MS]);
  await clock.advance(10 * RESEAL_EVERY_MS);
  expect(pace.turnOf('b') - start).toBe(RESEAL_EVERY_MS);
  expect(pace.turnOf('d') - start).toBe(10 * RESEAL_EVERY_MS);
});

test('nothing is remembered of what is forgotten', () => {
  const pace = new ResealPace(new VirtualClock());
  pace.turnOf('a');
  pace.forget('a');
  expect(pace.size).toBe(0);
});
