import { describe, expect, test } from 'vitest';
import { certificate } from '../../../test/support/inputs/inputs.ts';
import { VirtualClock } from '../../../test/support/virtual-clock.ts';
import type { TinyCertCertificate } from '../../api/kinds.ts';
import {
  RATE_LIMIT_BACKOFF,
  RATE_LIMIT_RESET_MS,
  RateLimiter,
  UNPACED_ACTIONS,
  noteContest,
  paced,
  repair,
  reportBlocker,
} from './rate-limit.ts';

test('the first actions need no pause, then pauses double up to ten minutes, and half an hour without any resets them', async () => {
  const clock = new VirtualClock();
  const repairLimiter = new RateLimiter(clock);
  const pauses: number[] = [];
  const begins: boolean[] = [];
  for (let i = 0; i < 12; i += 1) {
    begins.push(repairLimiter.note('a'));
    const ms = repairLimiter.delay('a');
    pauses.push(Math.round(ms / 1000));
    await clock.advance(ms);
  }

  expect(begins.filter(Boolean)).toHaveLength(1);
  expect(begins[2]).toBe(true);
  expect(pauses.slice(0, 2)).toEqual([0, 0]);
  for (const [i, pause] of pauses.slice(2).entries()) {
    expect(pause).toBeGreaterThanOrEqual(Math.floor(Math.min(600, 5 * 2 ** i) * 0.9));
    expect(pause).toBeLessThanOrEqual(Math.ceil(Math.min(600, 5 * 2 ** i) * 1.1));
  }
  expect(repairLimiter.delay('b')).toBe(0);
  await clock.advance(1_800_000);
  expect(repairLimiter.note('a')).toBe(false);
  expect(repairLimiter.delay('a')).toBe(0);
});

test('a key that was not used for long makes room for new ones', () => {
  const limiter = new RateLimiter(new VirtualClock());
  for (let i = 0; i < UNPACED_ACTIONS; i += 1) limiter.note('first');
  expect(limiter.delay('first')).toBeGreaterThan(0);
  for (let i = 0; i < 10_000; i += 1) limiter.note(`other ${i}`);
  expect(limiter.delay('first')).toBe(0);
});

describe('a report of a blocker', () => {
  const resource = certificate();
  const { signal } = new AbortController();

  function setUp(written: TinyCertCertificate = certificate({ generation: 2 })) {
    const clock = new VirtualClock();
    const warnings: string[] = [];
    const changes: unknown[] = [];
    const writeNews = ({ change }: { change?: object }) => {
      changes.push(change);
      return Promise.resolve(written);
    };
    const deps = {
      statuses: { writeNews },
      warn: (_: unknown, reason: string) => void warnings.push(reason),
      reportLimiter: new RateLimiter(clock),
    };
    const report = (reason = 'InUse', isReportedElsewhere = false, of = resource, awaits?: string) =>
      reportBlocker(deps, of, { reason, message: '', isReportedElsewhere, awaits }, [], signal);
    return { clock, warnings, report, changes, writes: () => changes.length };
  }

  test('notes the Secret that is waited for, and otherwise leaves that as it is', async () => {
    const { report, changes } = setUp();
    await report('DuplicateSecretName', false, resource, 'web-tls');
    await report('IssuerNotReady', true);
    expect(changes).toEqual([{ awaitedSecret: 'web-tls' }, {}]);
  });

  test('comes with an event, unless that is reported elsewhere', async () => {
    const { report, warnings } = setUp();
    expect(await report('InUse')).toEqual({});
    expect(await report('IssuerNotReady', true)).toEqual({});
    expect(warnings).toEqual(['InUse']);
  });

  test('that changes nothing makes no event and does not count', async () => {
    const { report, warnings } = setUp(resource);
    for (let i = 0; i < 10; i += 1) expect(await report()).toEqual({});
    expect(warnings).toEqual([]);
  });

  test('that something else keeps undoing comes less and less often', async () => {
    const { clock, report, writes } = setUp();
    for (let i = 0; i < UNPACED_ACTIONS; i += 1) expect(await report()).toEqual({});
    const { requeueAfterMs = 0 } = (await report()) ?? {};
    expect(requeueAfterMs).toBeGreaterThanOrEqual(RATE_LIMIT_BACKOFF.base * 0.9);
    expect(writes()).toBe(UNPACED_ACTIONS);
    await clock.advance(requeueAfterMs);
    expect(await report()).toEqual({});
    expect(writes()).toBe(UNPACED_ACTIONS + 1);
  });

  test('of another reason or generation does not wait for it', async () => {
    const { report } = setUp();
    for (let i = 0; i < UNPACED_ACTIONS; i += 1) await report();
    expect(await report('Other')).toEqual({});
    expect(await report('InUse', false, certificate({ generation: 3 }))).toEqual({});
  });
});

describe('a repair of a Secret', () => {
  function setUp() {
    const clock = new VirtualClock();
    const warnings: string[] = [];
    let repairs = 0;
    const deps = {
      repairLimiter: new RateLimiter(clock),
      warn: (_: unknown, reason: string) => void warnings.push(reason),
    };
    const make = () => {
      repairs += 1;
      return Promise.resolve({});
    };
    const run = (of: TinyCertCertificate = certificate()) => repair(deps, of, make);
    return { clock, warnings, deps, run, repairs: () => repairs };
  }

  test('is made at once a few times, then with pauses, with one warning', async () => {
    const { clock, warnings, run, repairs } = setUp();
    for (let i = 0; i < UNPACED_ACTIONS; i += 1) await run();
    expect(warnings).toEqual(['SecretContested']);
    for (let i = 0; i < 5; i += 1) {
      const { requeueAfterMs = 0 } = (await run()) ?? {};
      expect(requeueAfterMs).toBeGreaterThan(0);
      expect(repairs()).toBe(UNPACED_ACTIONS + i);
      await clock.advance(requeueAfterMs);
      expect(await run()).toEqual({});
    }
    expect(warnings).toEqual(['SecretContested']);
  });

  test('that is a retry after a failure does not count', async () => {
    const { warnings, run } = setUp();
    for (let i = 0; i < 10; i += 1)
      expect(await run(certificate({ status: { failedAttempts: 1 } }))).toEqual({});
    expect(warnings).toEqual([]);
  });

  test('and any other write wait for each other', async () => {
    const { warnings, repairs, deps } = setUp();
    for (let i = 0; i < UNPACED_ACTIONS; i += 1) noteContest(deps, certificate());
    expect(warnings).toEqual(['SecretContested']);
    const { requeueAfterMs = 0 } = await paced(deps, certificate(), () => expect.unreachable());
    expect(requeueAfterMs).toBeGreaterThan(0);
    expect(repairs()).toBe(0);
  });

  test('needs no pause again after a long time without one', async () => {
    const { clock, warnings, run } = setUp();
    for (let i = 0; i < UNPACED_ACTIONS; i += 1) await run();
    await clock.advance(RATE_LIMIT_RESET_MS + RATE_LIMIT_BACKOFF.base * 2);
    expect(await run()).toEqual({});
    expect(await run()).toEqual({});
    expect(warnings).toEqual(['SecretContested']);
  });
});

test('nothing is kept of a resource that is gone', () => {
  const limiter = new RateLimiter(new VirtualClock());
  for (const action of ['1 a', '1 b', '2 a']) for (const uid of ['gone', 'kept']) limiter.note(uid, action);
  limiter.forget('gone');
  expect(limiter.size).toBe(3);
  limiter.forget('kept');
  expect(limiter.size).toBe(0);
});
