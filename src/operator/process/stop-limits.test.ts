import { expect, test } from 'vitest';
import { settle, VirtualClock } from '../../../test/support/virtual-clock.ts';
import { cacertKind } from '../../issuance/cacert/kind.ts';
import { tinycertKind } from '../../issuance/tinycert/kind.ts';
import { silentLog } from '../../lib/log.ts';
import { UnderWay } from './under-way.ts';
import {
  CACERT_CALL_STOP_MS,
  CACERT_PUBLISH_MS,
  FORCED_STOP_MS,
  GENTLE_STOP_MS,
  limitStop,
} from './stop-limits.ts';

function stopping() {
  const clock = new VirtualClock();
  const [gentle, forced, failed] = [new AbortController(), new AbortController(), new AbortController()];
  const calls = new UnderWay();
  const limits = limitStop({
    clock,
    log: silentLog,
    signals: { gentle: gentle.signal, forced: forced.signal },
    failed: failed.signal,
    calls,
  });
  const state = { isOver: false };
  void limits.over.then(() => (state.isOver = true));
  const says = (): string => (state.isOver ? 'over' : limits.stop.forced.aborted ? 'forced' : 'gentle');
  return { clock, gentle, forced, failed, calls, limits, says };
}

test('a stop ends within 25 s, and a call to TinyCert ends before it is aborted', () => {
  expect(GENTLE_STOP_MS + FORCED_STOP_MS).toBeLessThan(25_000);
  expect(GENTLE_STOP_MS).toBeGreaterThan(tinycertKind.timing.callDeadline);
});

test('a stop with a call to CAcert ends within 150 s, and the call ends before it is aborted', () => {
  expect(CACERT_CALL_STOP_MS + CACERT_PUBLISH_MS + FORCED_STOP_MS).toBeLessThan(150_000);
  expect(CACERT_CALL_STOP_MS).toBeGreaterThan(cacertKind.timing.callDeadline);
});

test.each(['gentle', 'failed'] as const)(
  'work that hangs is aborted some time after a stop (%s), and the process ends whatever that brings about',
  async (how) => {
    const { clock, says, limits, ...signals } = stopping();
    await clock.advance(10 * GENTLE_STOP_MS);
    expect(says()).toBe('gentle');

    signals[how].abort();
    await clock.advance(GENTLE_STOP_MS - 1);
    expect(says()).toBe('gentle');
    await clock.advance(1);
    expect(says()).toBe('forced');
    await clock.advance(FORCED_STOP_MS);
    expect(says()).toBe('over');
    expect(limits.stop.gentle.aborted).toBe(how === 'gentle');
    expect(clock.pending).toBe(0);
  },
);

test('a second signal aborts at once', async () => {
  const { clock, gentle, forced, says } = stopping();
  gentle.abort();
  forced.abort();
  await settle();
  expect(says()).toBe('forced');
  await clock.advance(FORCED_STOP_MS);
  expect(says()).toBe('over');
});

test('a call to CAcert under way has its own limit, and its certificate is published', async () => {
  const { clock, gentle, calls, says } = stopping();
  const call = Promise.withResolvers<void>();
  const ended = calls.during(() => call.promise);
  gentle.abort();
  await clock.advance(100_000);
  expect(says()).toBe('gentle');

  call.resolve();
  await ended;
  await clock.advance(CACERT_PUBLISH_MS - 1);
  expect(says()).toBe('gentle');
  await clock.advance(1);
  expect(says()).toBe('forced');
});

test('a call to CAcert that never ends is aborted after its limit', async () => {
  const { clock, gentle, calls, says } = stopping();
  void calls.during(() => new Promise(() => undefined));
  gentle.abort();
  await clock.advance(CACERT_CALL_STOP_MS + CACERT_PUBLISH_MS + FORCED_STOP_MS);
  expect(says()).toBe('over');
});

test('a second signal aborts a call to CAcert too', async () => {
  const { clock, gentle, forced, calls, says } = stopping();
  void calls.during(() => new Promise(() => undefined));
  gentle.abort();
  await clock.advance(60_000);
  forced.abort();
  await clock.advance(FORCED_STOP_MS);
  expect(says()).toBe('over');
});

test('a stop that is over leaves no timer, which would keep the process from ending', async () => {
  const { clock, gentle, limits, says } = stopping();
  gentle.abort();
  await settle();
  limits.clear();
  await settle();
  expect(clock.pending).toBe(0);
  expect(says()).toBe('gentle');
});
