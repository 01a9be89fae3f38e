import { expect, test } from 'vitest';
import { VirtualClock } from '../../test/support/virtual-clock.ts';
import type { KubeObject } from '../kube/objects.ts';
import { silentLog } from '../lib/log.ts';
import type { Reason } from '../lib/reason.ts';
import { TinyCertError } from '../tinycert/index.ts';
import { act, type Outcome } from './act.ts';
import { clientFault } from './check.ts';
import { Directory } from './directory.ts';
import { Failures } from './failures.ts';
import { Gate } from './gate/gate.ts';

interface Issuer {
  account: { gate: Gate };
  name: string;
}

const KEY = 'issuer';
const ABSENT: Reason = { reason: 'AuthorityNotFound', message: 'The account has no such authority.' };
const FAULT: Reason = { reason: 'UnknownError', message: 'TinyCert failed without giving a reason.' };
const LIMITED: Reason = { reason: 'RateLimitExceeded', message: 'The CA refuses more requests for now.' };
const OUTAGE = new TinyCertError('ConnectionFailed', { call: 'connect' });
const REFUSAL = new TinyCertError('ApiKeyMismatch', { call: 'connect' });

function setup() {
  const clock = new VirtualClock();
  const gate = new Gate({ limit: 2, clock, random: () => 0.5 });
  const account = { gate };
  const issuer: Issuer = { account, name: 'ca' };
  const directory = new Directory<Issuer>(() => true);
  const released: string[] = [];
  const outcomes: Outcome<{ issuer: Issuer }>[] = [];
  const failures = new Failures<Issuer['account']>();
  let answer: { issuer: Issuer } | Reason | Error = { issuer };
  const abort = new AbortController();
  const resource: KubeObject = { metadata: { name: 'ca', uid: 'uid', generation: 1 } };
  let present: KubeObject | undefined = resource;
  const run = (plan: Parameters<typeof act>[3] = { do: 'connect', connection: {} }) =>
    act<KubeObject, { connection: object }, { issuer: Issuer }>(
      {
        clock,
        random: () => 0.5,
        accounts: {
          acquire: async () => account,
          release: async (holder) => void released.push(holder),
        },
        directory,
        holderOf: () => KEY,
        resources: { get: () => present },
        interval: { base: 900_000, max: 900_000 },
        rateLimited: LIMITED,
        known: (_, known) => ({ issuer: known }),
        probe: async () => {
          if (answer instanceof Error) throw answer;
          return answer;
        },
        faultOf: clientFault,
        report: async (_, outcome) => void outcomes.push(outcome),
      },
      failures,
      resource,
      plan,
      { signal: abort.signal, log: silentLog, reconcileID: '1', failures: 0 },
    );
  return {
    clock,
    gate,
    account,
    issuer,
    directory,
    released,
    abort,
    run,
    answer: (next: typeof answer) => (answer = next),
    becomes: (next: typeof present) => (present = next),
    outcome: () => outcomes.at(-1),
  };
}

test('a plan to report releases the account and waits for a change', async () => {
  const { directory, released, run, outcome } = setup();
  await run();
  expect(await run({ do: 'report', ...FAULT })).toEqual({});
  expect(released).toEqual([KEY]);
  expect(directory.get(KEY)).toEqual({ ready: false, ...FAULT });
  expect(outcome()).toEqual({ is: 'disconnected', why: FAULT });
});

test('an issuer that is found is ready', async () => {
  const { account, issuer, directory, run, outcome } = setup();
  expect(await run()).toEqual({ requeueAfterMs: 900_000 });
  expect(directory.get(KEY)).toEqual({ ready: true, issuer });
  expect(outcome()).toEqual({ is: 'ready', account, found: { issuer }, isFresh: false, why: undefined });
  await run();
  expect(outcome()).toMatchObject({ is: 'ready', isFresh: true });
});

test('an issuer is reported with the fault of the last issuance while work waits for a trial', async () => {
  const { clock, gate, issuer, directory, run, outcome } = setup();
  await run();
  gate.failed('ns/web', gate.breaker.epoch, FAULT);
  gate.park({ key: 'ns/web', urgency: 0, wake: () => undefined });
  await clock.advance(1_000);
  await run();
  expect(outcome()).toMatchObject({ is: 'ready', why: FAULT });
  expect(directory.get(KEY)).toEqual({ ready: true, issuer });
});

test.each<[string, object, Reason | Error, object]>([
  ['the account lacks something', { is: 'absent', why: ABSENT }, ABSENT, ABSENT],
  ['the CA is down', { is: 'failed', nextCheckMs: 5_000 }, OUTAGE, { reason: 'ConnectionFailed' }],
  ['the login is refused', { is: 'failed', nextCheckMs: 300_000 }, REFUSAL, { reason: 'ApiKeyMismatch' }],
])('an issuer is not ready if %s', async (_, want, answered, reason) => {
  const { account, directory, run, answer, outcome } = setup();
  answer(answered);
  await run();
  expect(outcome()).toMatchObject(want);
  expect(directory.get(KEY)).toMatchObject({ ready: false, ...reason, account });
});

test('an issuer that was ready stays so while a rate limit forbids the check', async () => {
  const { account, gate, issuer, directory, run, outcome } = setup();
  await run();
  gate.limited(60_000);
  expect(await run()).toEqual({ requeueAfterMs: 60_000 });
  expect(outcome()).toEqual({ is: 'unchecked', account, issuer });
  expect(directory.get(KEY)).toEqual({ ready: true, issuer });
});

test('an issuer that is new is not ready while a rate limit forbids the check', async () => {
  const { account, gate, directory, run, outcome } = setup();
  gate.limited(60_000);
  await run();
  expect(outcome()).toEqual({ is: 'stopped', account, why: LIMITED });
  expect(directory.get(KEY)).toEqual({ ready: false, ...LIMITED, account });
});

test('while the breaker is open its fault is reported, and the directory keeps an issuer that was ready', async () => {
  const { account, gate, issuer, directory, run, outcome } = setup();
  await run();
  gate.failed('ns/web', gate.breaker.epoch, FAULT);
  expect(await run()).toEqual({ requeueAfterMs: 1_000 });
  expect(outcome()).toEqual({ is: 'stopped', account, why: FAULT });
  expect(directory.get(KEY)).toEqual({ ready: true, issuer });
});

test('an issuer that is new is not ready while the breaker is open', async () => {
  const { account, gate, directory, run } = setup();
  gate.checkFailed(FAULT);
  await run();
  expect(directory.get(KEY)).toEqual({ ready: false, ...FAULT, account });
});

test('an issuer with a refused login does not become ready by a rate limit', async () => {
  const { account, gate, directory, run, outcome } = setup();
  await run();
  directory.fault(account, FAULT);
  gate.limited(60_000);
  await run();
  expect(outcome()).toEqual({ is: 'stopped', account, why: LIMITED });
});

test('an error during a shutdown is thrown and changes nothing', async () => {
  const { issuer, directory, clock, abort, run, answer } = setup();
  await run();
  await clock.advance(900_000);
  answer(OUTAGE);
  abort.abort();
  await expect(run()).rejects.toBe(OUTAGE);
  expect(directory.get(KEY)).toEqual({ ready: true, issuer });
});
