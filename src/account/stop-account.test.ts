import { expect, test } from 'vitest';
import { VirtualClock } from '../../test/support/virtual-clock.ts';
import { CAcertError } from '../cacert/index.ts';
import { TinyCertError } from '../tinycert/index.ts';
import { Directory } from './directory.ts';
import { Gate } from './gate/gate.ts';
import { stopAccount } from './stop-account.ts';

const FAULT = { reason: 'Code', message: 'The CA failed.' };

function setup() {
  const clock = new VirtualClock();
  const accounts = [new Gate({ limit: 2, clock }), new Gate({ limit: 2, clock })].map((gate) => ({ gate }));
  const [account = { gate: new Gate({ limit: 2, clock }) }] = accounts;
  const directory = new Directory<{ account: { gate: Gate } }>(() => true);
  for (const [i, each] of accounts.entries())
    directory.set(`issuer-${i}`, { ready: true, issuer: { account: each } });
  const stop = (error: TinyCertError | CAcertError, epoch = account.gate.breaker.epoch): void =>
    stopAccount({ account, directory, key: 'ns/web', epoch, fault: FAULT }, error);
  const outcome = () => ({
    breaker: account.gate.breaker.state,
    pausedFor: account.gate.pausedFor,
    ready: ['issuer-0', 'issuer-1'].map((key) => directory.get(key)?.ready),
  });
  return { account, directory, stop, outcome };
}

const UNTOUCHED = { breaker: 'closed', pausedFor: 0, ready: [true, true] };

test.each([
  [
    'an outage opens the breaker',
    new TinyCertError('DeadlineExceeded', { call: 'cert/new' }),
    { ...UNTOUCHED, breaker: 'open' },
  ],
  [
    'a refused login makes what uses it not ready',
    new TinyCertError('ApiKeyMismatch', { call: 'connect' }),
    { ...UNTOUCHED, ready: [false, true] },
  ],
  [
    'a refused login of CAcert makes what uses it not ready',
    new CAcertError('CredentialsRejected', { call: 'ccsr.php' }),
    { ...UNTOUCHED, ready: [false, true] },
  ],
  [
    'a rate limit pauses the account for as long as the CA asked',
    new CAcertError('UnexpectedStatus', { call: 'ccsr.php', status: 429, retryAfterMs: 90_000 }),
    { ...UNTOUCHED, pausedFor: 90_000 },
  ],
  ['a refused request stops nobody', new TinyCertError('InputFailure', { call: 'cert/new' }), UNTOUCHED],
])('%s', (_, error, want) => {
  const { stop, outcome } = setup();
  stop(error);
  expect(outcome()).toEqual(want);
});

test('the fault is what the breaker and the directory report', () => {
  const { account, directory, stop } = setup();
  stop(new TinyCertError('DeadlineExceeded', { call: 'cert/new' }));
  stop(new TinyCertError('ApiKeyMismatch', { call: 'connect' }));
  expect(account.gate.fault).toEqual(FAULT);
  expect(directory.get('issuer-0')).toEqual({ ready: false, ...FAULT, account });
});

test('work that began in an earlier epoch does not open the breaker again', () => {
  const { account, stop, outcome } = setup();
  const outage = new TinyCertError('DeadlineExceeded', { call: 'cert/new' });
  const { epoch } = account.gate.breaker;
  stop(outage);
  account.gate.checkSucceeded();
  stop(outage, epoch);
  expect(outcome().breaker).toBe('half-open');
});
