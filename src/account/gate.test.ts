import { expect, test } from 'vitest';
import { settle, VirtualClock } from '../../test/support/virtual-clock.ts';
import { Gate, type Permit } from './gate.ts';

function setup(limit: number): {
  clock: VirtualClock;
  gate: Gate;
  entered: number[];
  permits: Permit[];
  ask: (urgency: number) => void;
} {
  const clock = new VirtualClock();
  const gate = new Gate({ limit, clock });
  const entered: number[] = [];
  const permits: Permit[] = [];
  const ask = (urgency: number): void => {
    void gate.enter({ urgency }).then((permit) => {
      entered.push(urgency);
      permits.push(permit);
    });
  };
  return { clock, gate, entered, permits, ask };
}

test('no more than the limit are inside at once', async () => {
  const { gate, entered, permits, ask } = setup(2);
  for (const urgency of [1, 2, 3]) ask(urgency);
  await settle();
  expect(entered).toEqual([1, 2]);
  permits[0]?.release();
  await settle();
  expect(entered).toEqual([1, 2, 3]);
  expect(gate.load).toEqual({ inside: 2, waiting: 0 });
});

test('the nearest expiry goes first, and equals go in the order they came', async () => {
  const { gate, entered, permits, ask } = setup(1);
  ask(0);
  for (const urgency of [30, 10, 20, 10]) ask(urgency);
  for (let i = 0; i < 5; i += 1) {
    await settle();
    permits[i]?.release();
  }
  expect(entered).toEqual([0, 10, 10, 20, 30]);
  expect(gate.load).toEqual({ inside: 0, waiting: 0 });
});

test('a pause holds everybody until it ends, and a shorter one does not end it early', async () => {
  const { clock, gate, entered, ask } = setup(4);
  gate.pause(60_000);
  gate.pause(1_000);
  ask(1);
  await clock.advance(59_999);
  expect(entered).toEqual([]);
  await clock.advance(1);
  expect(entered).toEqual([1]);
});

test('a permit counts once however often it is released', async () => {
  const { gate, permits, ask } = setup(1);
  ask(1);
  await settle();
  permits[0]?.release();
  permits[0]?.release();
  expect(gate.load.inside).toBe(0);
});

test('whoever gives up while waiting leaves no trace', async () => {
  const { gate, ask, permits, entered } = setup(1);
  ask(1);
  const controller = new AbortController();
  const waiting = gate.enter({ urgency: 0, signal: controller.signal });
  controller.abort(new Error('stopped'));
  await expect(waiting).rejects.toThrow('stopped');
  ask(2);
  await settle();
  permits[0]?.release();
  await settle();
  expect(entered).toEqual([1, 2]);
});
