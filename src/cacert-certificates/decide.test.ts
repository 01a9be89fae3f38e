import { describe, expect, test } from 'vitest';
import {
  attempt,
  brandNew,
  DAY,
  inputs,
  ISSUED,
  pendingKey,
} from '../../test/support/inputs/cacert-inputs.ts';
import type { CAcertCertificateSpec } from '../api/cacert/certificate-spec.ts';
import type { CAcertCertificateStatus } from '../api/cacert/certificate-status.ts';
import { decide } from './decide.ts';

describe('what is needed', () => {
  test('is nothing until the renewal time', () => {
    expect(decide(inputs())).toEqual({ do: 'nothing', requeueAt: ISSUED + 60 * DAY });
  });

  test.each<[string, Parameters<typeof inputs>[0], string]>([
    ['a first certificate', brandNew, 'DoesNotExist'],
    [
      'another certificate for another spec',
      {
        spec: { emailAddresses: ['jane@example.org'], privateKey: { size: 4096, rotationPolicy: 'Always' } },
      },
      'RequestChanged',
    ],
    ['a renewal in the last third', { now: ISSUED + 61 * DAY }, 'Renewing'],
    ['a renewal after the expiry', { now: ISSUED + 91 * DAY }, 'Expired'],
    ['another certificate for a missing Secret', { secret: { state: 'absent' } }, 'SecretMissing'],
  ])('is %s', (_, change, reason) => {
    expect(decide(inputs(change))).toMatchObject({ do: 'issue', why: { reason } });
  });

  test.each<[string, Partial<CAcertCertificateSpec>]>([
    ['with disabled renewal', { renewal: { policy: 'Disabled' } }],
    ['that is suspended', { suspend: true }],
  ])('is no renewal for a certificate %s', (_, change) => {
    expect(decide(inputs({ spec: change, now: ISSUED + 61 * DAY })).do).not.toBe('issue');
  });
});

describe('CAcert is not asked', () => {
  test.each<[string, Parameters<typeof inputs>[0], string]>([
    ['without an account', { account: undefined, accountExists: false }, 'AccountNotFound'],
    [
      'while the account is not ready',
      { account: { ready: false, reason: 'x', message: 'x' } },
      'AccountNotReady',
    ],
    ['while the account is stopped', { turn: { phase: 'stopped', epoch: 1 } }, 'AccountNotReady'],
    ['while the CRDs cannot record the attempt', { crdsFit: false }, 'CRDsOutdated'],
    [
      'for a Secret that belongs to another resource',
      { elder: 'TinyCertCertificate web' },
      'DuplicateSecretName',
    ],
    ['while the key cannot be stored', { pending: { state: 'foreign' } }, 'PendingSecretNotOwned'],
    [
      'for an address that the account does not have',
      { spec: { emailAddresses: ['other@example.org'] } },
      'EmailNotOffered',
    ],
    ['for a name that the account does not have', { spec: { commonName: 'jane doe' } }, 'NameNotOffered'],
    ['for code signing without the right to it', { spec: { codeSigning: true } }, 'CodeSigningNotOffered'],
  ])('%s', (_, change, reason) => {
    expect(decide(inputs({ ...brandNew, ...change }))).toMatchObject({ do: 'report', why: { reason } });
  });

  test('while the account is being checked, and nothing is reported', () => {
    expect(decide(inputs({ ...brandNew, account: undefined }))).toEqual({ do: 'nothing' });
  });

  test('more than six times in 24 hours, and is asked again once the first attempt is older', () => {
    const first = ISSUED + 30 * DAY - 3_600_000;
    const attemptTimes = Array.from({ length: 6 }, (_, i) => new Date(first + i * 60_000).toISOString());
    const often = { ...brandNew, status: { attemptTimes } };

    expect(decide(inputs(often))).toMatchObject({
      do: 'report',
      why: { reason: 'TooManyAttempts' },
      requeueAt: first + DAY,
    });
    expect(decide(inputs({ ...often, now: first + DAY + 1_000 })).do).toBe('issue');
  });
});

test('attempts that CAcert refused or that were never sent do not count', () => {
  const now = ISSUED + 30 * DAY;
  const attemptTimes = Array.from({ length: 6 }, (_, i) => new Date(now - i * 60_000).toISOString());
  const last = { ...attempt, startTime: attemptTimes[0] ?? '' };
  const refused = { attempt: { ...last, outcome: 'Refused' as const }, attemptTimes };
  const unsent = { quietAt: 2_000_000, progress: { is: 'unsent' as const } };

  expect(decide(inputs({ ...brandNew, status: refused })).do).toBe('issue');
  expect(decide(inputs({ ...brandNew, status: { attempt: last, attemptTimes }, attempt: unsent })).do).toBe(
    'issue',
  );
});

describe('an open attempt', () => {
  const open = { ...brandNew, status: { attempt } };

  test('is made again if it was not sent', () => {
    const known = { quietAt: 2_000_000, progress: { is: 'unsent' as const } };
    expect(decide(inputs({ ...open, attempt: known })).do).toBe('issue');
  });

  test('is not made again if its answer stands beside the key and is not what was asked for', () => {
    const known = { quietAt: 2_000_000, progress: { is: 'open' as const } };
    const pending = pendingKey({ certificate: 'pem' });
    expect(decide(inputs({ ...open, attempt: known, pending })).do).toBe('wait');
    expect(decide(inputs({ ...open, attempt: known, pending, monotonic: 2_000_000 })).do).toBe('refuse');
  });

  test('keeps its answer beside the key while the account is not ready, and is never recorded as uncertain', () => {
    const notReady = { ready: false, reason: 'x', message: 'x' } as const;
    const answered = {
      ...open,
      account: notReady,
      attempt: { quietAt: 0, progress: { is: 'bought' as const, bought: 'pem' } },
    };
    expect(decide(inputs({ ...answered, pending: pendingKey() }))).toEqual({
      do: 'keep',
      certificate: 'pem',
    });
    expect(decide(inputs({ ...answered, pending: pendingKey({ certificate: 'pem' }) }))).toMatchObject({
      do: 'report',
      why: { reason: 'AccountNotReady' },
    });
  });

  test('is waited for while it can still be sent, and then recorded as uncertain', () => {
    const known = { quietAt: 2_000_000, progress: { is: 'open' as const } };
    expect(decide(inputs({ ...open, attempt: known }))).toEqual({ do: 'wait', quietAt: 2_000_000 });
    expect(decide(inputs({ ...open, attempt: known, monotonic: 2_000_000 }))).toEqual({
      do: 'recordUncertain',
    });
  });
});

describe('after an attempt with an unknown outcome', () => {
  const status: CAcertCertificateStatus = {
    attempt: { ...attempt, outcome: 'Uncertain' },
    failedAttempts: 1,
    lastFailureTime: '2026-01-30T23:55:00Z',
    nextAttemptTime: '2026-01-31T00:10:00Z',
    lastFailure: { reason: 'IssuanceUncertain', message: 'Look for it.', observedGeneration: 1 },
  };
  const uncertain = { secret: { state: 'absent' }, status, pending: pendingKey() } as const;

  test('CAcert is not asked before the wait is over', () => {
    expect(decide(inputs(uncertain))).toMatchObject({
      do: 'report',
      why: { reason: 'IssuanceUncertain' },
      requeueAt: Date.parse('2026-01-31T00:10:00Z'),
    });
    expect(decide(inputs({ ...uncertain, now: Date.parse('2026-01-31T00:10:01Z') })).do).toBe('issue');
  });

  test('CAcert is asked at once if somebody deleted the pending key', () => {
    expect(decide(inputs({ ...uncertain, pending: { state: 'absent' } })).do).toBe('issue');
  });
});

test('a pending key is deleted once its certificate is served', () => {
  expect(decide(inputs({ pending: pendingKey() }))).toEqual({ do: 'forget' });
});
