import { afterAll, describe, expect, test } from 'vitest';
import {
  accountWith,
  attempt,
  brandNew,
  CAcertVectors,
  condition,
  DAY,
  inputs,
  issued,
  pendingKey,
  unserved,
} from '../../test/support/inputs/cacert-inputs.ts';
import type { AttemptProgress } from '../issuance/attempt/open-attempts.ts';
import { turnOf } from '../issuance/decide/gate-turn.ts';
import { Gate } from '../account/gate/gate.ts';
import { VirtualClock } from '../../test/support/virtual-clock.ts';
import { readCertificate } from '../x509/certificate.ts';
import { ATTEMPT_PERIOD_MS, MAX_ATTEMPTS_PER_PERIOD, NOT_YET_VALID_CHECK_MS } from './backoffs.ts';
import type { Need } from './needs.ts';
import { attemptsInPeriod } from './attempt.ts';
import { firstBlocker, mismatchAdvice, waitsForAccount } from './preconditions.ts';

const ca = new CAcertVectors();
afterAll(() => ca.remove());

const issueNeed: Need = { remedy: 'issue', reason: 'DoesNotExist', message: '' };
const blockerOf = (change: Parameters<typeof inputs>[0], need: Need = issueNeed) =>
  firstBlocker(inputs({ ...brandNew, ...change }), need);

test('nothing blocks a new certificate of a ready account', () => {
  expect(blockerOf({})).toBeUndefined();
});

/** Every change below blocks alone; together, the first one decides. */
const blocking: [string, Parameters<typeof inputs>[0]][] = [
  ['Suspended', { spec: { suspend: true } }],
  ['CRDsOutdated', { crdsFit: false }],
  ['DuplicateSecretName', { elder: 'TinyCertCertificate web' }],
  ['SecretNotOwned', { secret: { state: 'foreign', reason: 'SecretNotOwned', message: '' } }],
  ['PendingSecretNotOwned', { pending: { state: 'foreign' } }],
  ['AccountNotFound', { account: undefined, accountExists: false }],
];

test.each(blocking)('%s blocks a purchase', (reason, change) => {
  expect(blockerOf(change)).toMatchObject({ reason });
});

test('the first blocker in the order of the policies decides', () => {
  for (const index of blocking.keys()) {
    const changes = blocking.slice(index).map(([, change]) => change);
    const together: Parameters<typeof inputs>[0] = Object.assign({}, ...changes);
    expect(blockerOf(together)?.reason).toBe(blocking[index]?.[0]);
  }
});

describe('a need that buys nothing', () => {
  const publish = { remedy: 'publish', reason: '', message: '' } as Need;

  test.each([
    ['waits after the API server refused the Secret', 'SecretNotWritten', 'SecretNotWritten'],
    ['does not wait after another failure', 'IssuanceUncertain', undefined],
  ])('to publish %s', (_, failed, reason) => {
    const { now } = inputs();
    const status = {
      failedAttempts: 1,
      lastFailureTime: new Date(now - 1000).toISOString(),
      nextAttemptTime: new Date(now + 60_000).toISOString(),
      lastFailure: { reason: failed, message: failed, observedGeneration: 1 },
    };
    expect(blockerOf({ status }, publish)?.reason).toBe(reason);
  });

  test.each(blocking.slice(0, 4))('to publish is blocked by %s', (reason, change) => {
    expect(blockerOf(change, publish)).toMatchObject({ reason });
  });

  test.each(blocking.slice(4))('to publish is not blocked by %s', (_, change) => {
    expect(blockerOf(change, publish)).toBeUndefined();
  });

  test.each(['updateStatus', 'forget', 'keep'] as const)('to %s is blocked by nothing', (remedy) => {
    for (const [, change] of blocking)
      expect(blockerOf(change, { remedy, reason: '', message: '' } as Need)).toBeUndefined();
  });
});

describe('the account', () => {
  test('that is being checked blocks for a moment', () => {
    expect(blockerOf({ account: undefined })).toMatchObject({ reason: 'AccountNotReady', isBrief: true });
  });

  test('that is not ready blocks with the same text whatever its reason', () => {
    const texts = ['CredentialsRejected', 'ConnectionFailed'].map(
      (reason) => blockerOf({ account: { ready: false, reason, message: reason } })?.message,
    );
    expect(new Set(texts)).toEqual(new Set([waitsForAccount(inputs().certificate).message]));
  });

  test('that is stopped or limited blocks until its gate calls', () => {
    const gate = new Gate({ limit: 1, clock: new VirtualClock() });
    gate.limited(1_000);
    expect(blockerOf({ turn: turnOf(gate, 'x') })).toMatchObject({ reason: 'RateLimited', wakeBy: 'gate' });
    const stopped = new Gate({ limit: 1, clock: new VirtualClock() });
    stopped.failed('x', 0, { reason: 'x', message: 'x' });
    expect(blockerOf({ turn: turnOf(stopped, 'x') })).toMatchObject({
      reason: 'AccountNotReady',
      wakeBy: 'gate',
    });
  });

  test.each<[string, Parameters<typeof inputs>[0], string, RegExp]>([
    [
      'an address',
      { spec: { emailAddresses: ['jane@example.org', 'b@example.org', 'a@example.org'] } },
      'EmailNotOffered',
      /no verified address b@example\.org, a@example\.org: verify it/,
    ],
    ['a name', { spec: { commonName: 'jane doe' } }, 'NameNotOffered', /it offers "Jane Doe"/],
    [
      'the right to code signing',
      { spec: { codeSigning: true } },
      'CodeSigningNotOffered',
      /or remove codeSigning/,
    ],
  ])('that does not offer %s blocks, and the message names the cure', (_, change, reason, message) => {
    expect(blockerOf(change)).toMatchObject({ reason, message: expect.stringMatching(message) as string });
  });

  test('that offers no names at all blocks with the reason for that', () => {
    const { details } = accountWith();
    const account = { ready: true, issuer: accountWith({ details: { ...details, names: [] } }) } as const;
    expect(blockerOf({ account, spec: { commonName: 'Jane Doe' } })?.message).toContain(
      '50 assurance points',
    );
  });

  test('a foreign Secret in the place of the pending key is named', () => {
    expect(blockerOf({ pending: { state: 'foreign' } })?.message).toMatch(
      /^The Secret mail-pending-uid, .*: delete it\.$/,
    );
  });

  test('that offers address, name and code signing does not block', () => {
    const { details } = accountWith();
    const issuer = accountWith({ details: { ...details, codeSigning: true } });
    const spec = { emailAddresses: ['JANE@example.org'], commonName: 'Jane Doe', codeSigning: true };
    expect(blockerOf({ account: { ready: true, issuer }, spec })).toBeUndefined();
  });
});

describe('after a certificate that is not what the spec asks for', () => {
  const signed = ca.sign();
  const { notBefore } = readCertificate(signed.cert);
  const account = { ready: true, issuer: ca.account() } as const;
  const now = notBefore + 60_000;
  const status = { unserved: unserved({ outcome: 'Mismatched' }) };
  const beside = (pem: string) => pendingKey({ key: signed.privateKey, certificate: pem });

  test('CAcert is not asked again, and the message says what to do', () => {
    expect(blockerOf({ now, account, status, pending: beside('pem') })).toMatchObject({
      reason: 'InvalidPem',
      message: expect.stringContaining(mismatchAdvice(unserved())) as string,
    });
  });

  test('its validity is checked again each minute if that has not begun', () => {
    const early = notBefore - DAY;
    expect(blockerOf({ now: early, account, status, pending: beside(signed.cert) })).toMatchObject({
      reason: 'NotYetValid',
      until: early + NOT_YET_VALID_CHECK_MS,
    });
    expect(NOT_YET_VALID_CHECK_MS).toBe(60_000);
  });

  test.each<[string, Parameters<typeof inputs>[0]]>([
    ['the spec has changed since', { spec: { codeSigning: false, commonName: 'Jane Doe' } }],
    ['the pending Secret is deleted', { pending: { state: 'absent' } }],
    ['status says nothing of it', { status: {} }],
  ])('CAcert is asked again if %s', (_, change) => {
    const mismatched = { now, account, status, pending: beside('pem') };
    expect(blockerOf({ ...mismatched, ...change })).toBeUndefined();
  });
});

describe('while the next attempt waits', () => {
  const until = inputs().now + 60_000;
  const status = {
    unserved: unserved(),
    failedAttempts: 1,
    lastFailureTime: new Date(inputs().now - 60_000).toISOString(),
    nextAttemptTime: new Date(until).toISOString(),
    lastFailure: { reason: 'IssuanceUncertain', message: 'Look for it.', observedGeneration: 1 },
  };

  test('the failure is the blocker, until the time of the next attempt', () => {
    expect(blockerOf({ status, pending: pendingKey() })).toMatchObject({
      reason: 'IssuanceUncertain',
      until,
    });
  });

  test.each(['AccountNotReady', 'PendingSecretNotOwned', 'EmailNotOffered'])(
    'the failure is reported again once %s is gone',
    (reason) => {
      const conditions = [condition('Issuing', 'False', reason)];
      expect(blockerOf({ status: { ...status, conditions }, pending: pendingKey() })).toMatchObject({
        reason: 'IssuanceUncertain',
        message: 'Look for it.',
      });
    },
  );

  test('a pasted certificate that does not fit is named, with its fault', () => {
    const pending = pendingKey({ certificate: 'pem' });
    expect(blockerOf({ status, pending })).toMatchObject({
      reason: 'IssuanceUncertain',
      message: expect.stringMatching(
        /tls\.crt in the Secret mail-pending-uid is not adopted: .*private key/,
      ) as string,
      until,
    });
  });

  test.each(['Uncertain', 'Mismatched'] as const)(
    'deleting the pending Secret ends the wait (%s)',
    (outcome) => {
      const deleted = { ...status, unserved: unserved({ outcome }) };
      expect(blockerOf({ status: deleted, pending: { state: 'absent' } })).toBeUndefined();
    },
  );

  test('deleting the pending Secret does not end the wait after a refusal', () => {
    const { unserved: _, ...refused } = status;
    expect(blockerOf({ status: refused, pending: { state: 'absent' } })).toMatchObject({ until });
  });
});

describe('the attempts of 24 hours', () => {
  const { now } = inputs();
  const at = (ago: number): string => new Date(now - ago).toISOString();

  test.each([
    ['counts', 'one of a second ago', 1_000, 1],
    ['counts', 'one of almost 24 hours ago', ATTEMPT_PERIOD_MS - 1, 1],
    ['does not count', 'one of 24 hours ago', ATTEMPT_PERIOD_MS, 0],
    ['does not count', 'one that a clock ahead of ours wrote', -1_000, 0],
  ])('%s %s', (_, __, ago, count) => {
    const status = { ...issued, attemptTimes: [at(ago)] };
    expect(attemptsInPeriod(inputs({ status }))).toHaveLength(count);
  });

  test.each<[string, AttemptProgress<string>, number]>([
    ['counts if it may have been sent', { is: 'open' }, 2],
    ['counts if it bought something', { is: 'bought', bought: 'pem' }, 2],
    ['does not count if it was never sent', { is: 'unsent' }, 1],
  ])('the open one %s', (_, progress, count) => {
    const open = attempt({ entry: { startTime: at(1_000) }, progress });
    const status = { attemptTimes: [at(2_000)] };
    expect(attemptsInPeriod(inputs({ status, attempt: open }))).toHaveLength(count);
  });

  test('block the seventh until the first is 24 hours old', () => {
    const attemptTimes = Array.from({ length: MAX_ATTEMPTS_PER_PERIOD }, (_, i) => at(i * 60_000));
    expect(MAX_ATTEMPTS_PER_PERIOD).toBe(6);
    expect(blockerOf({ status: { attemptTimes } })).toMatchObject({
      reason: 'TooManyAttempts',
      until: now - 5 * 60_000 + ATTEMPT_PERIOD_MS,
    });
    expect(blockerOf({ status: { attemptTimes: attemptTimes.slice(1) } })).toBeUndefined();
  });
});
