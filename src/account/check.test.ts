import { describe, expect, test } from 'vitest';
import { VirtualClock } from '../../test/support/virtual-clock.ts';
import { CAcertError } from '../cacert/index.ts';
import type { Reason } from '../lib/reason.ts';
import { TinyCertError } from '../tinycert/index.ts';
import { check, clientFault } from './check.ts';
import { Failures, FRESH_MS } from './failures.ts';
import { Gate } from './gate/gate.ts';

interface Found {
  name: string;
}

const INTERVAL_MS = 900_000;
const ABSENT: Reason = { reason: 'AuthorityNotFound', message: 'The account has no such authority.' };
const OUTAGE = new TinyCertError('ConnectionFailed', { call: 'connect' });
const REFUSAL = new TinyCertError('ApiKeyMismatch', { call: 'connect' });
const UNTRUSTED = new TinyCertError('TlsFailure', { call: 'connect' });
const found: Found = { name: 'found' };

function setup() {
  const clock = new VirtualClock();
  const gate = new Gate({ limit: 2, clock, random: () => 0.5 });
  const account = { gate };
  const failures = new Failures<typeof account>();
  let probes = 0;
  /** Checks with a CA that answers, lacks something, or fails. */
  const run = (answer: Found | Reason | Error, known?: Found, generation = 1) =>
    check<typeof account, Found>({
      account,
      holder: 'issuer',
      generation,
      failures,
      clock,
      random: () => 0.5,
      known,
      interval: { base: INTERVAL_MS, max: INTERVAL_MS },
      probe: async () => {
        probes += 1;
        if (answer instanceof Error) throw answer;
        return answer;
      },
      faultOf: clientFault,
    });
  return { clock, gate, run, probes: () => probes };
}

test('an account that works is checked again after the interval', async () => {
  const { run } = setup();
  const want = { is: 'ready', found, isFresh: false, requeueAfterMs: INTERVAL_MS };
  expect(await run(found)).toEqual(want);
});

describe('what was found a moment ago', () => {
  test('is returned without asking the CA', async () => {
    const { clock, run, probes } = setup();
    await run(found);
    await clock.advance(FRESH_MS - 1);
    expect(await run(OUTAGE, found)).toMatchObject({ is: 'ready', found, isFresh: true });
    expect(probes()).toBe(1);
    await clock.advance(1);
    expect(await run(found, found)).toMatchObject({ is: 'ready', isFresh: false });
    expect(probes()).toBe(2);
  });

  test.each<[string, Found | undefined, number, (gate: Gate) => void]>([
    ['the resource has changed', found, 2, () => undefined],
    ['nothing is known of it', undefined, 1, () => undefined],
    [
      'the breaker is open and the check due',
      found,
      1,
      (gate) => {
        gate.checkFailed(ABSENT);
        gate.hurry();
      },
    ],
  ])('does not count if %s', async (_, known, generation, prepare) => {
    const { gate, run, probes } = setup();
    await run(found);
    prepare(gate);
    expect(await run(found, known, generation)).toMatchObject({ is: 'ready', isFresh: false });
    expect(probes()).toBe(2);
  });
});

describe('nothing is asked', () => {
  test('while a rate limit lasts', async () => {
    const { gate, run, probes } = setup();
    gate.limited(60_000);
    expect(await run(found)).toEqual({ is: 'stopped', requeueAfterMs: 60_000 });
    expect(probes()).toBe(0);
  });

  test('while the breaker is open and the check not due', async () => {
    const { gate, run, probes } = setup();
    gate.checkFailed(ABSENT);
    expect(await run(found)).toEqual({ is: 'stopped', requeueAfterMs: 5_000 });
    expect(probes()).toBe(0);
  });

  test('while another issuer of the account checks', async () => {
    const { clock, gate, run } = setup();
    gate.checkFailed(ABSENT);
    await clock.advance(5_000);
    const other = gate.check();
    expect(await run(found)).toEqual({ is: 'stopped', requeueAfterMs: 5_000 });
    if (other.go) other.end();
    expect(await run(found)).toMatchObject({ is: 'ready' });
  });
});

describe('a check that fails', () => {
  test('by an outage opens the breaker, which decides when to check again', async () => {
    const { clock, gate, run } = setup();
    const waits: number[] = [];
    for (let i = 0; i < 4; i += 1) {
      const checked = await run(OUTAGE);
      expect(checked).toMatchObject({ is: 'failed', fault: { reason: 'ConnectionFailed' } });
      waits.push(checked.requeueAfterMs / 1000);
      await clock.advance(checked.requeueAfterMs);
    }
    expect(waits).toEqual([5, 10, 20, 30]);
    expect(gate.breaker.state).toBe('open');
    await run(found);
    expect(gate.breaker.state).toBe('closed');
  });

  test.each<[string, Error, number[]]>([
    ['a refused login', REFUSAL, [300, 600, 1200, 2400, 3600, 3600]],
    ['a certificate that is not trusted', UNTRUSTED, [5, 10, 20, 30, 30]],
  ])('by %s stops no other user, and is repeated ever more rarely', async (_, error, want) => {
    const { gate, run } = setup();
    const waits: number[] = [];
    for (const _ of want) waits.push((await run(error)).requeueAfterMs / 1000);
    expect(waits).toEqual(want);
    expect(gate.breaker.state).toBe('closed');
    await run(found);
    expect((await run(error, undefined)).requeueAfterMs / 1000).toBe(want[0]);
  });

  test('by a rate limit pauses the account for as long as the CA asked', async () => {
    const { gate, run } = setup();
    const limited = new TinyCertError('RateLimitExceeded', { call: 'ca/list', retryAfterMs: 90_000 });
    expect(await run(limited)).toEqual({ is: 'stopped', requeueAfterMs: 90_000 });
    expect(gate.pausedFor).toBe(90_000);
  });

  test('by anything else is thrown, and ends the turn', async () => {
    const { clock, gate, run } = setup();
    gate.checkFailed(ABSENT);
    await clock.advance(5_000);
    await expect(run(new Error('a bug'))).rejects.toThrow('a bug');
    expect(gate.check().go).toBe(true);
  });
});

test('an account that lacks something works, and is checked ever more rarely', async () => {
  const { gate, run } = setup();
  const waits: number[] = [];
  for (let i = 0; i < 6; i += 1) {
    const checked = await run(ABSENT);
    expect(checked).toMatchObject({ is: 'absent', why: ABSENT });
    waits.push(checked.requeueAfterMs / 60_000);
  }
  expect(waits).toEqual([1, 2, 4, 8, 15, 15]);
  expect(gate.breaker.state).toBe('closed');
});

test.each([
  [
    new TinyCertError('ApiKeyMismatch', { call: 'connect' }),
    { reason: 'ApiKeyMismatch', stops: 'login', isRefused: true, isInAnswer: false },
  ],
  [
    new CAcertError('UnexpectedStatus', { call: 'cemails.php', status: 429, retryAfterMs: 5 }),
    { reason: 'UnexpectedStatus', stops: 'pause', isRefused: false, retryAfterMs: 5 },
  ],
])('the fault of %s', (error, want) => {
  expect(clientFault(error)).toMatchObject(want);
});

test('the fault of a client’s error has the detail in its message, and another error has no fault', () => {
  const error = new TinyCertError('TlsFailure', { call: 'connect', detail: 'self-signed certificate' });
  expect(clientFault(error)?.message).toBe(`${error.message} (self-signed certificate)`);
  expect(clientFault(new Error('a bug'))).toBeUndefined();
});
