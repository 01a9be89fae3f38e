import { describe, expect, test } from 'vitest';
import { VirtualClock } from '../../../test/support/virtual-clock.ts';
import { Gate } from './gate.ts';

const FAULT = { reason: 'UnknownError', message: 'TinyCert failed without giving a reason.' };
const LIMIT = 16;
const COUNT = 1_000;
const ISSUANCE_MS = 300;

/** Lets a thousand certificates enter the gate of a stopped account, each as its controller would. */
function waitingFor(gate: Gate, clock: VirtualClock) {
  const issuedAt: number[] = [];
  let most = 0;
  const come = async (key: string): Promise<void> => {
    const finish = gate.begin(key);
    const ticket = { key, urgency: 0, wake: () => void come(key) };
    const permit = gate.enter(ticket);
    if (permit) {
      most = Math.max(most, gate.load.inside);
      await clock.sleep(ISSUANCE_MS);
      issuedAt.push(clock.monotonic());
      gate.succeeded(key, permit.epoch);
      permit.release();
    }
    finish();
  };
  for (let i = 0; i < COUNT; i += 1) void come(String(i));
  return { issuedAt, most: () => most };
}

interface Stop {
  stop: (gate: Gate) => void;
  heal: (gate: Gate, clock: VirtualClock) => Promise<void> | void;
}

const LONG_STOP_MS = 3_600_000;
const checked = (gate: Gate): void => gate.checkSucceeded();

describe('a thousand parked certificates resume as fast as the account allows, after', () => {
  test.each<[string, Stop]>([
    ['checks that failed', { stop: (gate) => gate.checkFailed(FAULT), heal: checked }],
    [
      'issuances that failed',
      { stop: (gate) => gate.failed('another', gate.breaker.epoch, FAULT), heal: checked },
    ],
    [
      'a rate limit',
      { stop: (gate) => gate.limited(LONG_STOP_MS + 1), heal: (_gate, clock) => clock.advance(1) },
    ],
  ])('%s', async (_name, { stop, heal }) => {
    const clock = new VirtualClock();
    const gate = new Gate({ limit: LIMIT, clock });
    stop(gate);
    const { issuedAt, most } = waitingFor(gate, clock);
    await clock.advance(LONG_STOP_MS);
    expect(issuedAt).toEqual([]);

    const healed = clock.monotonic();
    await heal(gate, clock);
    // One, two, four and eight at a time take as long as four issuances one after the other.
    const enoughMs = (Math.ceil(COUNT / LIMIT) + 4) * ISSUANCE_MS;
    await clock.advance(enoughMs + 1);

    expect(issuedAt).toHaveLength(COUNT);
    expect(issuedAt.filter((at) => at <= healed + ISSUANCE_MS + 1)).toHaveLength(1);
    expect(issuedAt.filter((at) => at <= healed + 2 * ISSUANCE_MS + 1)).toHaveLength(3);
    expect(most()).toBe(LIMIT);
    expect(gate.load).toEqual({ inside: 0, parked: 0 });
  });
});
