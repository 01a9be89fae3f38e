import { describe, expect, test } from 'vitest';
import {
  attempt,
  DAY,
  inputs,
  ISSUED,
  issued,
  openAttempt,
  ref,
} from '../../../test/support/inputs/inputs.ts';
import { decide } from './plan.ts';
import type { Plan } from './types.ts';

type Given = Parameters<typeof inputs>[0] & object;

const brandNew = { status: {}, secret: { state: 'absent' } } as const;
const due = { now: ISSUED + 60 * DAY };
const absent = { secret: { state: 'absent' } } as const;
const { monotonic } = inputs();
/** A certificate that the CA's list says something else of. */
const listed = { certificate: ref(7), from: 'good' as const, candidates: [] };

describe('while the journal is being read', () => {
  const given = { hasJournal: false } as const;

  test.each<[string, Given]>([
    ['a first certificate', brandNew],
    ['a renewal', due],
    ['a Secret that is gone', absent],
    ['a seal that holds by one key', { resealAt: monotonic }],
    ['what somebody reissued', { observed: { ...listed, to: 'unlisted' } }],
  ])('%s waits in silence, and the journal wakes it', (_, more) => {
    expect(decide(inputs({ ...more, ...given }))).toMatchObject({ do: 'nothing' });
    expect(decide(inputs({ ...more, ...given }))).not.toHaveProperty('wakeBy');
  });

  test('nothing is taken from a Secret to prove a status', () => {
    expect(decide(inputs({ ...due, sealed: false })).do).toBe('adopt');
    expect(decide(inputs({ ...due, sealed: false, ...given })).do).toBe('nothing');
  });

  test.each<[string, Given, Plan['do']]>([
    [
      'the status of a certificate that needs nothing is brought up to date',
      { generation: 2 },
      'updateStatus',
    ],
    [
      'what the CA says of a certificate is recorded',
      { observed: { ...listed, to: 'revoked' } },
      'recordCaStatus',
    ],
  ])('%s all the same', (_, more, want) => {
    expect(decide(inputs({ ...more, ...given })).do).toBe(want);
  });

  test('what else stands in the way for longer is reported', () => {
    const suspended = { ...brandNew, spec: { suspend: true }, ...given };
    expect(decide(inputs(suspended))).toMatchObject({ do: 'report', why: { reason: 'Suspended' } });
  });
});

describe('an attempt in the journal that nobody can read', () => {
  const given = { unreadable: 'tinycert.entry.uid.account' } as const;

  test.each<[string, Given]>([
    ['a first certificate', brandNew],
    ['a renewal', due],
    ['other names', { spec: { dnsNames: ['b.example.com'] }, generation: 2 }],
  ])('keeps %s from being bought, and a person is told what to delete', (_, more) => {
    const plan = decide(inputs({ ...more, ...given }));
    expect(plan).toMatchObject({ do: 'report', why: { reason: 'AttemptUnreadable' } });
    expect('why' in plan && plan.why.message).toContain('tinycert.entry.uid.account');
  });

  test.each<[string, Given, Plan['do']]>([
    ['a Secret that is gone is filled again', absent, 'republish'],
    ['a certificate that needs nothing is left alone', {}, 'nothing'],
    ['a status is brought up to date', { generation: 2 }, 'updateStatus'],
  ])('does not matter where nothing is bought: %s', (_, more, want) => {
    expect(decide(inputs({ ...more, ...given })).do).toBe(want);
  });
});

test('an attempt is ended even where nothing may be bought', () => {
  const bought = { ...openAttempt, attempt: { ...attempt, certificateId: 7 } };
  const withheld = { status: issued, spec: { desiredStatus: 'Revoked' }, generation: 2 } as const;
  expect(decide(inputs({ ...withheld, attempt: bought }))).toEqual({ do: 'close' });
});
