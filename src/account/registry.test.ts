import { expect, test } from 'vitest';
import { VirtualClock } from '../../test/support/virtual-clock.ts';
import type { AccountReading } from '../metrics/accounts.ts';
import type { Gate } from './gate/gate.ts';
import { AccountRegistry } from './registry.ts';

const FAULT = { reason: 'UnknownError', message: 'TinyCert failed without giving a reason.' };

interface Connection {
  email: string;
  key: string;
}

const first = { email: 'a@example.com', key: '1' };
const rotated = { email: 'a@example.com', key: '2' };
const other = { email: 'b@example.com', key: '1' };

function setup() {
  const clock = new VirtualClock();
  const closed: string[] = [];
  let read: () => readonly AccountReading[] = () => [];
  const registry = new AccountRegistry({
    clock,
    atOnce: 2,
    gateKey: ({ email }: Connection) => email,
    open: ({ email, key }: Connection, gate: Gate) => ({
      gate,
      close: async () => {
        closed.push(`${email} ${key}`);
      },
    }),
    readings: { attach: (reader) => (read = reader) },
  });
  const changed: string[] = [];
  registry.onChange((holder) => changed.push(holder));
  return { clock, registry, closed, changed, readings: () => read() };
}

test('equal connections share an account, and the last release closes it', async () => {
  const { registry, closed } = setup();
  const account = await registry.acquire('one', first);
  expect(await registry.acquire('two', { key: '1', email: 'a@example.com' })).toBe(account);
  await registry.release('one');
  await registry.release('one');
  expect(closed).toEqual([]);
  await registry.release('two');
  expect(closed).toEqual(['a@example.com 1']);
  expect(await registry.acquire('one', first)).not.toBe(account);
});

test('a holder with another connection releases the one from before', async () => {
  const { registry, closed } = setup();
  const before = await registry.acquire('one', first);
  const after = await registry.acquire('one', rotated);
  expect(after).not.toBe(before);
  expect(closed).toEqual(['a@example.com 1']);
});

test('logins of one e-mail share the gate, others do not', async () => {
  const { registry } = setup();
  const { gate } = await registry.acquire('one', first);
  expect((await registry.acquire('two', rotated)).gate).toBe(gate);
  expect((await registry.acquire('three', other)).gate).not.toBe(gate);
  await registry.close();
  expect((await registry.acquire('one', first)).gate).toBe(gate);
});

test('new credentials make the next check due at once, the same ones do not', async () => {
  const { registry } = setup();
  const { gate } = await registry.acquire('one', first);
  gate.checkFailed(FAULT);
  await registry.acquire('one', first);
  expect(gate.check().go).toBe(false);
  await registry.acquire('one', rotated);
  expect(gate.check().go).toBe(true);
});

test('an account that another holder releases stays open for one that holds it too', async () => {
  const { registry, closed } = setup();
  const account = await registry.acquire('issuer', first);
  await registry.hold('finalizer', account);
  await registry.release('issuer');
  expect(closed).toEqual([]);
  await registry.release('finalizer');
  expect(closed).toEqual(['a@example.com 1']);
  await registry.hold('late', account);
  await registry.release('late');
  expect(closed).toEqual(['a@example.com 1']);
});

test('a holder of another account gives up its own for the one it holds now', async () => {
  const { registry, closed } = setup();
  const account = await registry.acquire('one', first);
  await registry.acquire('two', other);
  await registry.hold('two', account);
  expect(closed).toEqual(['b@example.com 1']);
});

test('a stop and its end are reported for every holder behind the gate', async () => {
  const { registry, changed } = setup();
  const { gate } = await registry.acquire('one', first);
  await registry.acquire('two', rotated);
  await registry.acquire('three', other);
  gate.checkFailed(FAULT);
  expect(changed.toSorted()).toEqual(['one', 'two']);
  gate.checkSucceeded();
  expect(changed.toSorted()).toEqual(['one', 'one', 'two', 'two']);
});

test('the metrics show each holder’s account', async () => {
  const { registry, readings } = setup();
  const { gate } = await registry.acquire('one', first);
  await registry.acquire('two', other);
  gate.limited(30_000);
  gate.park({ key: 'ns/web', urgency: 0, wake: () => undefined });
  expect(readings()).toEqual([
    { issuer: 'one', state: 'closed', pausedSeconds: 30, waiting: 1 },
    { issuer: 'two', state: 'closed', pausedSeconds: 0, waiting: 0 },
  ]);
});

test('closing the registry closes every account', async () => {
  const { registry, closed, readings } = setup();
  await registry.acquire('one', first);
  await registry.acquire('two', other);
  await registry.close();
  expect(closed.toSorted()).toEqual(['a@example.com 1', 'b@example.com 1']);
  expect(readings()).toEqual([]);
});

test('a gate ends with the last account that uses it, but not before its rate limit', async () => {
  const { clock, registry } = setup();
  const { gate } = await registry.acquire('one', first);
  await registry.acquire('two', rotated);
  await registry.release('one');
  expect(registry.size).toEqual({ accounts: 1, gates: 1, holders: 1 });
  gate.limited(60_000);
  await registry.release('two');
  expect(registry.size).toEqual({ accounts: 0, gates: 1, holders: 0 });
  expect((await registry.acquire('one', first)).gate).toBe(gate);
  await registry.release('one');
  await clock.advance(120_000);
  await registry.acquire('three', other);
  await registry.release('three');
  expect(registry.size).toEqual({ accounts: 0, gates: 0, holders: 0 });
});

test('at the end of the process no gate waits for anything, so the process can end', async () => {
  const { clock, registry } = setup();
  const { gate } = await registry.acquire('one', first);
  gate.limited(3_600_000);
  gate.park({ key: 'waits', urgency: 0, wake: () => {} });
  expect(clock.pending).toBeGreaterThan(0);

  await registry.close();
  expect(clock.pending).toBe(0);

  gate.park({ key: 'comes late', urgency: 0, wake: () => {} });
  expect(clock.pending).toBe(0);
});
