import { describe, expect, test } from 'vitest';
import { absolved, blamed, due, locked, NOBODY, parked, type Parking, removed, unlocked } from './parking.ts';

function setup() {
  let now = 0;
  let parking: Parking = NOBODY;
  const set = (next: Parking): void => {
    parking = due(next, now);
  };
  return {
    state: () => parking,
    pass: (ms: number) => {
      now += ms;
      set(parking);
    },
    park: (key: string, urgency = 0, afterMs?: number, lock?: string) =>
      set(
        parked(
          parking,
          { key, urgency, ...(lock === undefined ? {} : { lock }), wake: () => undefined },
          now,
          afterMs,
        ),
      ),
    blame: (key: string) => set(blamed(parking, key, now)),
    absolve: (key: string) => set(absolved(parking, key)),
    remove: (key: string) => set(removed(parking, key)),
    lockFirst: () => set(locked(parking)),
    unlock: (lock: string) => set(unlocked(parking, lock)),
    first: () => parking.ready.first?.ticket.key,
    /** Takes all that is ready, in order. */
    take: (): string[] => {
      const keys = [...parking.ready].map(({ ticket }) => ticket.key);
      for (const key of keys) parking = removed(parking, key);
      return keys;
    },
  };
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
  const { state, park, take } = setup();
  park('a', 10);
  park('b', 20);
  park('a', 30);
  expect(state().byKey.size).toBe(2);
  expect(take()).toEqual(['b', 'a']);
});

test('a ticket is not ready before its time', () => {
  const { state, park, pass, first, take } = setup();
  park('a', 0, 1_000);
  expect(state().byKey.size).toBe(1);
  pass(999);
  expect(first()).toBeUndefined();
  pass(1);
  expect(take()).toEqual(['a']);
});

test('a removed ticket never becomes ready, and nothing is left of it', () => {
  const { state, park, pass, remove, first } = setup();
  park('a', 0, 1_000);
  park('b');
  remove('a');
  remove('b');
  remove('unknown');
  pass(2_000);
  expect(first()).toBeUndefined();
  const { byKey, delayed, ready, behind, blamed: faults } = state();
  expect([byKey.size, delayed.size, ready.size, behind.size, faults.size]).toEqual([0, 0, 0, 0, 0]);
});

describe('a key that met faults', () => {
  test('goes behind those that met none, however urgent', () => {
    const { park, blame, absolve, take } = setup();
    blame('poison');
    park('poison', 0);
    park('a', 10);
    expect(take()).toEqual(['a', 'poison']);
    absolve('poison');
    park('poison', 0);
    park('a', 10);
    expect(take()).toEqual(['poison', 'a']);
  });

  test('from the third consecutive fault on a key waits from 1 minute doubling to 8 hours', () => {
    const { pass, blame, park, first } = setup();
    const minutes: number[] = [];
    for (let i = 0; i < 13; i += 1) {
      blame('a');
      park('a');
      let waited = 0;
      for (; first() === undefined; waited += 1) pass(60_000);
      minutes.push(waited);
    }
    expect(minutes).toEqual([0, 0, 1, 2, 4, 8, 16, 32, 64, 128, 256, 480, 480]);
  });

  test('waits from the fault on, not from the parking', () => {
    const { pass, blame, park, first } = setup();
    for (let i = 0; i < 3; i += 1) blame('a');
    pass(59_000);
    park('a');
    pass(999);
    expect(first()).toBeUndefined();
    pass(1);
    expect(first()).toBe('a');
  });

  test('waits for the longer of two delays', () => {
    const { pass, blame, park, first } = setup();
    for (let i = 0; i < 3; i += 1) blame('a');
    park('a', 0, 90_000);
    pass(89_999);
    expect(first()).toBeUndefined();
    pass(1);
    expect(first()).toBe('a');
  });
});

describe('behind a lock', () => {
  test('tickets wait in their order, and one becomes ready each time it is freed', () => {
    const { park, lockFirst, unlock, first, take } = setup();
    park('b', 20, 0, 'name');
    park('a', 10, 0, 'name');
    lockFirst();
    lockFirst();
    park('other', 30, 0, 'name 2');
    expect(first()).toBe('other');
    unlock('name 3');
    expect(first()).toBe('other');
    unlock('name');
    expect(take()).toEqual(['a', 'other']);
  });

  test('the next one becomes ready if the one that had become ready is removed', () => {
    const { park, lockFirst, unlock, remove, take } = setup();
    for (const key of ['a', 'b']) park(key, 0, 0, 'name');
    lockFirst();
    lockFirst();
    unlock('name');
    remove('a');
    expect(take()).toEqual(['b']);
  });
});
