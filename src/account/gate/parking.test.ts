import { expect, test } from 'vitest';
import { VirtualClock } from '../../../test/support/virtual-clock.ts';
import { Parking } from './parking.ts';

function setup() {
  const clock = new VirtualClock();
  let ready = 0;
  const parking = new Parking({ clock, onReady: () => (ready += 1) });
  const park = (key: string, urgency = 0, afterMs?: number): void =>
    parking.park({ key, urgency, wake: () => undefined }, afterMs);
  /** Takes all that is ready, in order. */
  const take = (): string[] => {
    const keys: string[] = [];
    for (let next = parking.peek(); next; next = parking.peek()) {
      keys.push(next.key);
      parking.remove(next.key);
    }
    return keys;
  };
  return { clock, parking, park, take, ready: () => ready };
}

test('the nearest expiry goes first, and equals in the order of arrival', () => {
  const { park, take } = setup();
  park('late', 30);
  park('b', 10);
  park('a', 10);
  park('early', 5);
  expect(take()).toEqual(['early', 'b', 'a', 'late']);
});

test('a second ticket of a key replaces the first', () => {
  const { parking, park, take } = setup();
  park('a', 10);
  park('b', 20);
  park('a', 30);
  expect(parking.size).toBe(2);
  expect(take()).toEqual(['b', 'a']);
});

test('a ticket is not ready before its time, and becoming ready is reported', async () => {
  const { clock, parking, park, take, ready } = setup();
  park('a', 0, 1_000);
  expect(parking.size).toBe(1);
  await clock.advance(999);
  expect(parking.peek()).toBeUndefined();
  expect(ready()).toBe(0);
  await clock.advance(1);
  expect(ready()).toBe(1);
  expect(take()).toEqual(['a']);
});

test('a removed ticket never becomes ready', async () => {
  const { clock, parking, park, ready } = setup();
  park('a', 0, 1_000);
  parking.remove('a');
  parking.remove('unknown');
  await clock.advance(2_000);
  expect([parking.size, parking.peek(), ready(), clock.pending]).toEqual([0, undefined, 0, 0]);
});

test('a key that met a fault goes behind those that met none, however urgent', () => {
  const { parking, park, take } = setup();
  parking.blame('poison');
  park('poison', 0);
  park('a', 10);
  expect(take()).toEqual(['a', 'poison']);
  parking.absolve('poison');
  park('poison', 0);
  park('a', 10);
  expect(take()).toEqual(['poison', 'a']);
});

test('from the third consecutive fault on a key waits from 1 minute doubling to 8 hours', async () => {
  const { clock, parking, park } = setup();
  const minutes: number[] = [];
  for (let i = 0; i < 13; i += 1) {
    parking.blame('a');
    park('a');
    let waited = 0;
    for (; !parking.peek(); waited += 1) await clock.advance(60_000);
    minutes.push(waited);
  }
  expect(minutes).toEqual([0, 0, 1, 2, 4, 8, 16, 32, 64, 128, 256, 480, 480]);
});

test('the delay counts from the fault, not from the parking', async () => {
  const { clock, parking, park } = setup();
  for (let i = 0; i < 3; i += 1) parking.blame('a');
  await clock.advance(59_000);
  park('a');
  await clock.advance(999);
  expect(parking.peek()).toBeUndefined();
  await clock.advance(1);
  expect(parking.peek()?.key).toBe('a');
});

test('the longer of two delays decides', async () => {
  const { clock, parking, park } = setup();
  for (let i = 0; i < 3; i += 1) parking.blame('a');
  park('a', 0, 90_000);
  await clock.advance(89_999);
  expect(parking.peek()).toBeUndefined();
  await clock.advance(1);
  expect(parking.peek()?.key).toBe('a');
});

test('the faults of the 10,000 keys that met one last are remembered', () => {
  const { parking, park, take } = setup();
  for (let i = 0; i <= 10_000; i += 1) parking.blame(String(i));
  park('1', 0);
  park('0', 1);
  expect(take()).toEqual(['0', '1']);
});
