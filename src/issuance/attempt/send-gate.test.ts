import { expect, test } from 'vitest';
import { VirtualClock } from '../../../test/support/virtual-clock.ts';
import { instant } from '../../lib/clock.ts';
import { sendGate } from './send-gate.ts';

function setup(leads = true): { clock: VirtualClock; gate: () => void } {
  const clock = new VirtualClock();
  return { clock, gate: sendGate({ clock, since: instant(clock), windowMs: 5_000, leads: () => leads }) };
}

test('a leader may send within the window', async () => {
  const { clock, gate } = setup();
  await clock.advance(4_999);
  expect(gate).not.toThrow();
});

test('no request is sent after the window has passed', async () => {
  const { clock, gate } = setup();
  await clock.advance(5_000);
  expect(gate).toThrow('too long ago');
});

test('no request is sent after the machine slept, when only the wall clock went on', () => {
  const { clock, gate } = setup();
  clock.jump(60_000);
  expect(gate).toThrow('too long ago');
});

test('setting the wall clock back does not keep the window open', async () => {
  const { clock, gate } = setup();
  clock.jump(-3_000);
  await clock.advance(5_000);
  expect(gate).toThrow('too long ago');
});

test('a process that lost its Lease does not send', () => {
  const { gate } = setup(false);
  expect(gate).toThrow('no longer leads');
});

test('what was given up meanwhile, because its resource is gone, is not sent', () => {
  const clock = new VirtualClock();
  let isKept = true;
  const gate = sendGate({
    clock,
    since: instant(clock),
    windowMs: 5_000,
    leads: () => true,
    isKept: () => isKept,
  });
  expect(gate).not.toThrow();
  isKept = false;
  expect(gate).toThrow('is gone');
});
