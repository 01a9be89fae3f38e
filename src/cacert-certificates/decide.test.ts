import { describe, expect, test } from 'vitest';
import type { CAcertCertificateSpec } from '../api/cacert/certificate-spec.ts';
import type { CAcertAttempt, CAcertCertificateStatus } from '../api/cacert/certificate-status.ts';
import { cacertSpecHash } from '../api/cacert/effective.ts';
import type { ReadyCAcertAccount } from '../issuance/cacert/directory.ts';
import type { Condition } from '../kube/objects.ts';
import { decide } from './decide.ts';
import type { Inputs } from './inputs.ts';

const ISSUED = Date.parse('2026-01-01T00:00:00Z');
const DAY = 86_400_000;

const spec: CAcertCertificateSpec = {
  secretName: 'mail-tls',
  accountRef: { name: 'me' },
  emailAddresses: ['jane@example.org'],
  renewal: { policy: 'RenewBefore', jitterPercent: 0 },
};

const attempt: CAcertAttempt = {
  number: 1,
  id: 'attempt-1',
  holder: 'pod',
  startTime: '2026-01-01T00:00:00.000Z',
  specHash: cacertSpecHash(spec),
  pendingSecretName: 'mail-pending-uid',
  publicKeyHash: '00',
};

const said = (type: string, status: Condition['status'], reason: string): Condition => ({
  type,
  status,
  reason,
  message: reason,
  lastTransitionTime: '2026-01-01T00:00:00Z',
  observedGeneration: 1,
});

const issued: CAcertCertificateStatus = {
  serialNumber: '0a',
  notBefore: '2026-01-01T00:00:00Z',
  notAfter: '2026-04-01T00:00:00Z',
  renewalTime: '2026-03-02T00:00:00Z',
  revision: 1,
  specHash: cacertSpecHash(spec),
  attempt: { ...attempt, serialNumber: '0a' },
  conditions: [said('Ready', 'True', 'Ready')],
};

const details = { codeSigning: false, names: ['Jane Doe'], emails: ['Jane@example.org'], encoding: 'utf8' };
const account = {
  key: 'CAcertAccount:ns/me',
  details,
  bundle: { roots: [], intermediates: [] },
} as unknown as ReadyCAcertAccount;

/** Inputs of a decision: by default for a certificate that was issued 30 days ago and is all right. */
function inputs(
  options: Partial<Inputs> & { spec?: Partial<CAcertCertificateSpec>; status?: CAcertCertificateStatus } = {},
): Inputs {
  const { spec: change, status = issued, ...rest } = options;
  const whole = { ...spec, ...change };
  return {
    certificate: {
      metadata: { namespace: 'ns', name: 'mail', uid: 'uid', generation: 1 },
      spec: whole,
      status,
    },
    specHash: cacertSpecHash(whole),
    crdsFit: true,
    elder: undefined,
    secret: { state: 'unchanged', metadata: { namespace: 'ns', name: 'mail-tls', uid: 's' } },
    turn: { held: false, paused: false, onTrial: false, epoch: 0 },
    now: ISSUED + 30 * DAY,
    monotonic: 1_000_000,
    accountKey: account.key,
    account: { ready: true, issuer: account },
    accountExists: true,
    pending: { state: 'absent' },
    attempt: undefined,
    ...rest,
  };
}

const brandNew = { status: {}, secret: { state: 'absent' } } as const;

describe('what is needed', () => {
  test('is nothing until the time of renewal', () => {
    expect(decide(inputs())).toEqual({ do: 'nothing', requeueAt: ISSUED + 60 * DAY });
  });

  test.each<[string, Parameters<typeof inputs>[0], string]>([
    ['a first certificate', brandNew, 'DoesNotExist'],
    [
      'another one for another spec',
      {
        spec: { emailAddresses: ['jane@example.org'], privateKey: { size: 4096, rotationPolicy: 'Always' } },
      },
      'RequestChanged',
    ],
    ['a renewal in the last third', { now: ISSUED + 61 * DAY }, 'Renewing'],
    ['a renewal after the end', { now: ISSUED + 91 * DAY }, 'Expired'],
    ['another one for a Secret that is gone', { secret: { state: 'absent' } }, 'SecretMissing'],
  ])('is %s', (_, change, reason) => {
    expect(decide(inputs(change))).toMatchObject({ do: 'issue', why: { reason } });
  });

  test.each<[string, Partial<CAcertCertificateSpec>]>([
    ['whose renewal is disabled', { renewal: { policy: 'Disabled' } }],
    ['that is suspended', { suspend: true }],
  ])('is nothing new at the time of renewal of one %s', (_, change) => {
    expect(decide(inputs({ spec: change, now: ISSUED + 61 * DAY })).do).not.toBe('issue');
  });
});

describe('nothing is asked for', () => {
  test.each<[string, Parameters<typeof inputs>[0], string]>([
    ['without an account', { account: undefined, accountExists: false }, 'AccountNotFound'],
    [
      'of an account that is not ready',
      { account: { ready: false, reason: 'x', message: 'x' } },
      'AccountNotReady',
    ],
    [
      'while its account is stopped',
      { turn: { held: true, paused: false, onTrial: false, epoch: 1 } },
      'AccountNotReady',
    ],
    ['that cannot be written down', { crdsFit: false }, 'CRDsOutdated'],
    ['for the Secret of another', { elder: 'TinyCertCertificate web' }, 'DuplicateSecretName'],
    ['while its key cannot be kept', { pending: { state: 'foreign' } }, 'PendingSecretNotOwned'],
    [
      'for an address that is not the account’s',
      { spec: { emailAddresses: ['other@example.org'] } },
      'EmailNotOffered',
    ],
    ['for a name that is not the account’s', { spec: { commonName: 'jane doe' } }, 'NameNotOffered'],
    ['for signing code without the right', { spec: { codeSigning: true } }, 'CodeSigningNotOffered'],
  ])('%s', (_, change, reason) => {
    expect(decide(inputs({ ...brandNew, ...change }))).toMatchObject({ do: 'report', why: { reason } });
  });

  test('for an account that is being checked, and that is not worth a word', () => {
    expect(decide(inputs({ ...brandNew, account: undefined }))).toEqual({ do: 'nothing' });
  });

  test('more than six times in 24 hours, and again once the first of them is that long ago', () => {
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

test('what CAcert has refused, and what was never sent, does not count', () => {
  const now = ISSUED + 30 * DAY;
  const attemptTimes = Array.from({ length: 6 }, (_, i) => new Date(now - i * 60_000).toISOString());
  const last = { ...attempt, startTime: attemptTimes[0] ?? '' };
  const refused = { attempt: { ...last, outcome: 'Refused' as const }, attemptTimes };
  const unsent = { quietAt: 2_000_000, unsent: true };

  expect(decide(inputs({ ...brandNew, status: refused })).do).toBe('issue');
  expect(decide(inputs({ ...brandNew, status: { attempt: last, attemptTimes }, attempt: unsent })).do).toBe(
    'issue',
  );
});

describe('an attempt without an answer', () => {
  const open = { ...brandNew, status: { attempt } };

  test('that was not sent is made again', () => {
    const known = { quietAt: 2_000_000, unsent: true };
    expect(decide(inputs({ ...open, attempt: known })).do).toBe('issue');
  });

  test('whose answer stands beside its key and is not what was asked for is not made again', () => {
    const known = { quietAt: 2_000_000, unsent: false };
    const pending = {
      state: 'present',
      metadata: { name: 'x' },
      account: 'me',
      key: undefined,
      certificate: 'pem',
    } as const;
    expect(decide(inputs({ ...open, attempt: known, pending })).do).toBe('wait');
    expect(decide(inputs({ ...open, attempt: known, pending, monotonic: 2_000_000 })).do).toBe('refuse');
  });

  test('that was answered is kept beside its key while the account is not ready, and doubted at no time', () => {
    const notReady = { ready: false, reason: 'x', message: 'x' } as const;
    const key = { state: 'present', metadata: { name: 'x' }, account: 'me', key: undefined } as const;
    const answered = {
      ...open,
      account: notReady,
      attempt: { quietAt: 0, unsent: false, bought: 'pem' },
    };
    expect(decide(inputs({ ...answered, pending: { ...key, certificate: undefined } }))).toEqual({
      do: 'keep',
      certificate: 'pem',
    });
    expect(decide(inputs({ ...answered, pending: { ...key, certificate: 'pem' } }))).toMatchObject({
      do: 'report',
      why: { reason: 'AccountNotReady' },
    });
  });

  test('is waited for as long as it can still be sent, and then in doubt', () => {
    const known = { quietAt: 2_000_000, unsent: false };
    expect(decide(inputs({ ...open, attempt: known }))).toEqual({ do: 'wait', quietAt: 2_000_000 });
    expect(decide(inputs({ ...open, attempt: known, monotonic: 2_000_000 }))).toEqual({
      do: 'recordUncertain',
    });
  });
});

describe('after an attempt that nobody knows the end of', () => {
  const key = {
    state: 'present',
    metadata: { name: 'x' },
    account: 'me',
    key: undefined,
    certificate: undefined,
  } as const;
  const status: CAcertCertificateStatus = {
    attempt: { ...attempt, outcome: 'Uncertain' },
    failedAttempts: 1,
    lastFailureTime: '2026-01-30T23:55:00Z',
    nextAttemptTime: '2026-01-31T00:10:00Z',
    conditions: [said('Issuing', 'False', 'IssuanceUncertain')],
  };
  const doubtful = { secret: { state: 'absent' }, status, pending: key } as const;

  test('nothing is asked for until its time has come', () => {
    expect(decide(inputs(doubtful))).toMatchObject({
      do: 'report',
      why: { reason: 'IssuanceUncertain' },
      requeueAt: Date.parse('2026-01-31T00:10:00Z'),
    });
    expect(decide(inputs({ ...doubtful, now: Date.parse('2026-01-31T00:10:01Z') })).do).toBe('issue');
  });

  test('another one is asked for at once if somebody has thrown the key away', () => {
    expect(decide(inputs({ ...doubtful, pending: { state: 'absent' } })).do).toBe('issue');
  });
});

test('a pending key goes once its certificate is served', () => {
  const pending = {
    state: 'present',
    metadata: { name: 'x' },
    account: 'me',
    key: undefined,
    certificate: undefined,
  } as const;
  expect(decide(inputs({ pending }))).toEqual({ do: 'forget' });
});
