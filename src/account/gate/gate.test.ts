import { describe, expect, test } from 'vitest';
import { settle, VirtualClock } from '../../../test/support/virtual-clock.ts';
import { Gate, type GateOptions, type Permit } from './gate.ts';

const FAULT = { reason: 'UnknownError', message: 'TinyCert failed without giving a reason.' };

/** A gate and its users: each enters when asked to and again when woken, and keeps its permit. */
function setup(options: Partial<GateOptions> = {}) {
  const clock = new VirtualClock();
  const gate = new Gate({ limit: 2, clock, random: () => 0.5, ...options });
  const entered: string[] = [];
  const parked: string[] = [];
  const permits = new Map<string, Permit>();
  const ask = (key: string, urgency = Number(key), lock?: string): void => {
    const permit = gate.enter({
      key,
      urgency,
      ...(lock === undefined ? {} : { lock }),
      wake: () => void Promise.resolve().then(() => ask(key, urgency, lock)),
    });
    if (!permit) {
      parked.push(key);
      return;
    }
    entered.push(key);
    permits.set(key, permit);
  };
  const succeed = (key: string): void => {
    const permit = permits.get(key);
    if (permit) gate.succeeded(key, permit.epoch);
    permit?.release();
  };
  const fail = (key: string): void => {
    const permit = permits.get(key);
    if (permit) gate.failed(key, permit.epoch, FAULT);
    permit?.release();
  };
  return { clock, gate, entered, parked, permits, ask, succeed, fail };
}

describe('permits', () => {
  test('never exceed the limit', async () => {
    const { gate, entered, permits, ask } = setup();
    for (const key of ['1', '2', '3']) ask(key);
    await settle();
    expect(entered).toEqual(['1', '2']);
    permits.get('1')?.release();
    await settle();
    expect(entered).toEqual(['1', '2', '3']);
    expect(gate.load).toEqual({ inside: 2, parked: 0 });
  });

  test('go to the nearest expiry first, and to equals in the order of arrival', async () => {
    const { gate, entered, permits, ask } = setup({ limit: 1 });
    ask('first', 0);
    ask('far', 30);
    await settle();
    for (const [key, urgency] of [
      ['near', 10],
      ['middle', 20],
      ['also near', 10],
    ] as const) {
      gate.park({ key, urgency, wake: () => ask(key, urgency) });
    }
    for (let i = 0; i < 5; i += 1) {
      await settle();
      permits.get(entered.at(-1) ?? '')?.release();
    }
    expect(entered).toEqual(['first', 'near', 'also near', 'middle', 'far']);
    expect(gate.load).toEqual({ inside: 0, parked: 0 });
  });

  test('are freed once, however often they are released', async () => {
    const { gate, permits, ask } = setup({ limit: 1 });
    ask('1');
    await settle();
    permits.get('1')?.release();
    permits.get('1')?.release();
    expect(gate.load.inside).toBe(0);
  });

  test('beyond the limit are waited for without a worker, and woken for one by one', async () => {
    const { gate, entered, parked, permits, ask } = setup();
    for (let i = 0; i < 7; i += 1) ask(String(i));
    await settle();
    expect(gate.load).toEqual({ inside: 2, parked: 5 });
    expect(parked).toEqual(['2', '3', '4', '5', '6']);
    for (let i = 0; i < 7; i += 1) {
      permits.get(String(i))?.release();
      await settle();
    }
    expect(entered).toEqual(['0', '1', '2', '3', '4', '5', '6']);
  });

  test('are kept for the next time if the key is woken during other work', () => {
    const { gate } = setup();
    let calls = 0;
    const finish = gate.begin('1');
    gate.park({ key: '1', urgency: 1, wake: () => (calls += 1) });
    finish();
    expect(calls).toBe(1);
    expect(gate.load).toEqual({ inside: 0, parked: 1 });
    gate.begin('1')();
    expect(gate.load.parked).toBe(0);
  });

  test('go to the next ticket if the one that was woken does not come', async () => {
    const { clock, gate, entered, ask, permits } = setup({ limit: 1 });
    ask('0');
    await settle();
    gate.park({ key: 'gone', urgency: 1, wake: () => undefined });
    gate.park({ key: '2', urgency: 2, wake: () => ask('2') });
    permits.get('0')?.release();
    await clock.advance(9_999);
    expect(entered).toEqual(['0']);
    await clock.advance(1);
    expect(entered).toEqual(['0', '2']);
  });
});

describe('a rate limit', () => {
  test('stops everything until it ends, and a shorter one does not end it early', async () => {
    const { clock, gate, entered, ask } = setup();
    gate.limited(60_000);
    gate.limited(1_000);
    ask('1');
    await clock.advance(59_999);
    expect(entered).toEqual([]);
    await clock.advance(1);
    expect(entered).toEqual(['1']);
  });

  test('without a duration from the CA doubles from half a minute to ten, and shrinks with each success', async () => {
    const { clock, gate } = setup();
    const waits: number[] = [];
    for (let i = 0; i < 7; i += 1) {
      gate.limited(undefined);
      // A second refusal of a request that was under way adds nothing.
      gate.limited(undefined);
      waits.push(gate.pausedFor / 1000);
      await clock.advance(gate.pausedFor);
    }
    expect(waits).toEqual([30, 60, 120, 240, 480, 600, 600]);
    for (let i = 0; i < 6; i += 1) gate.succeeded('1', 0);
    gate.limited(undefined);
    expect(gate.pausedFor).toBe(60_000);
  });

  test('is followed by one, then two, then four permits, while they succeed', async () => {
    const { clock, gate, entered, ask, succeed } = setup({ limit: 8 });
    gate.limited(1_000);
    for (let i = 0; i < 15; i += 1) ask(String(i));
    await clock.advance(1_000);
    expect(entered).toEqual(['0']);
    succeed('0');
    await settle();
    expect(entered).toEqual(['0', '1', '2']);
    succeed('1');
    await settle();
    expect(gate.load.inside).toBe(4);
    succeed('2');
    await settle();
    expect(gate.load.inside).toBe(8);
  });

  test('is reported once when it begins and once when it is over', async () => {
    const { clock, gate, ask, succeed } = setup();
    const reported: (number | undefined)[] = [];
    gate.onChange(() => reported.push(gate.blockedUntil));
    const until = clock.now() + 30_000;
    gate.limited(30_000);
    ask('1');
    await clock.advance(30_000);
    expect(reported).toEqual([until]);
    succeed('1');
    expect(reported).toEqual([until, undefined]);
  });
});

describe('a fault of the CA', () => {
  test('parks all that wait; after a check one at a time tries, and a success admits the others', async () => {
    const { clock, gate, entered, ask, fail, succeed } = setup();
    for (let i = 0; i < 6; i += 1) ask(String(i));
    await settle();
    fail('0');
    succeed('1');
    await settle();
    expect(gate.load).toEqual({ inside: 0, parked: 4 });
    expect(gate.fault).toEqual(FAULT);
    expect(gate.check()).toEqual({ go: false, waitMs: 1_000 });

    await clock.advance(1_000);
    expect(entered).toEqual(['0', '1']);
    gate.checkSucceeded();
    await settle();
    expect(entered).toEqual(['0', '1', '2']);
    expect(gate.isStoppedFor('3')).toBe(true);
    succeed('2');
    await settle();
    expect(entered).toEqual(['0', '1', '2', '3', '4']);
    expect(gate.breaker.state).toBe('closed');
    expect(gate.fault).toBeUndefined();
  });

  test('in two issuances of the same epoch counts once', async () => {
    const { clock, gate, ask, fail } = setup();
    ask('1');
    ask('2');
    await settle();
    fail('1');
    await clock.advance(1_000);
    gate.checkSucceeded();
    fail('2');
    expect(gate.breaker.state).toBe('half-open');
  });

  test('leaves the permits of running issuances, so the CA never has more than the limit', async () => {
    const { gate, entered, ask, permits } = setup();
    ask('1');
    ask('2');
    await settle();
    gate.checkFailed(FAULT);
    gate.checkSucceeded();
    ask('3');
    await settle();
    expect(entered).toEqual(['1', '2']);
    permits.get('1')?.release();
    await settle();
    expect(entered).toEqual(['1', '2', '3']);
  });

  test('leads to longer and longer waits', async () => {
    const { clock, gate, ask, fail } = setup();
    const waits: number[] = [];
    ask('0');
    for (let i = 0; i < 6; i += 1) {
      await settle();
      fail(String(i));
      waits.push(((gate.breaker.nextCheck ?? 0) - clock.now()) / 1000);
      ask(String(i + 1));
      await clock.advance(600_000);
      gate.checkSucceeded();
    }
    expect(waits).toEqual([1, 10, 60, 240, 240, 240]);
  });

  test('is checked by one issuer at a time, at most half a minute after a failed check', async () => {
    const { clock, gate } = setup();
    gate.checkFailed(FAULT);
    await clock.advance(5_000);
    const first = gate.check();
    expect(first.go).toBe(true);
    expect(gate.check().go).toBe(false);
    if (first.go) first.end();
    for (const wait of [10_000, 20_000, 30_000, 30_000]) {
      gate.checkFailed(FAULT);
      expect(gate.check()).toEqual({ go: false, waitMs: wait });
      await clock.advance(wait);
    }
    gate.checkSucceeded();
    // No issuance had failed, so the check is proof enough.
    expect(gate.breaker.state).toBe('closed');
  });

  test('that one request causes again and again does not stop the others for ever', async () => {
    const { clock, gate, entered, ask, fail, succeed } = setup();
    ask('poison', 0);
    await settle();
    for (let i = 1; i <= 40; i += 1) {
      if (entered.at(-1) === 'poison') {
        fail('poison');
        ask('poison', 0);
      }
      ask(String(i));
      await clock.advance(1_000);
      if (gate.breaker.state === 'open') gate.checkSucceeded();
      await settle();
      while (entered.at(-1) !== 'poison' && gate.load.inside > 0) {
        succeed(entered.at(-1) ?? '');
        await settle();
      }
    }
    const tries = entered.filter((key) => key === 'poison').length;
    expect(tries).toBeGreaterThan(1);
    expect(tries).toBeLessThanOrEqual(4);
    expect(new Set(entered).size).toBe(41);
  });
});

describe('a rate', () => {
  test('admits a burst and then so many per minute, and loses no ticket', async () => {
    const { clock, entered, ask } = setup({ limit: 100, rate: { perMinute: 60, burst: 5 } });
    for (let i = 0; i < 20; i += 1) ask(String(i));
    await settle();
    expect(entered).toHaveLength(5);
    await clock.advance(10_000);
    expect(entered).toHaveLength(15);
    await clock.advance(60_000);
    expect(entered).toHaveLength(20);
  });
});
