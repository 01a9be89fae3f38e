import { describe, expect, test } from 'vitest';
import {
  attempt as first,
  authority,
  inputs,
  issued,
  openAttempt,
  otherAccount,
  ref,
} from '../../../test/support/inputs/inputs.ts';
import type { Attempt } from '../../issuance/tinycert/attempt.ts';
import { type AfterRecovery, decideAfterRecovery, type Verdict } from './after-recovery.ts';

type Given = Parameters<typeof inputs>[0];

const brandNew = { status: {}, secret: { state: 'absent' }, attempt: openAttempt } as const;
/** An attempt to reissue a certificate that is served and good. */
const again: Attempt = { ...first, operation: 'Reissue', previousId: 7, revision: 2 };
const reissuing = { attempt: { ...openAttempt, id: 'attempt-2', attempt: again } };
const otherNames = { spec: { dnsNames: ['b.example.com'] }, generation: 2 };
const due = Date.parse('2026-03-15T00:00:00Z');

const NEW: Verdict = { again: 'New' };
const REISSUE: Verdict = { again: 'Reissue' };

/** What another spec, authority, account or attempt makes of an attempt. */
const outdating: [string, Given][] = [
  ['another spec is wanted', otherNames],
  [
    'another authority is wanted',
    { issuer: { ready: true, issuer: { authority: { ...authority, authorityId: 2 } } as never } },
  ],
  [
    'another account is wanted, whose authority has the same id,',
    { issuer: { ready: true, issuer: { authority: { ...authority, account: otherAccount } } as never } },
  ],
  ['the resource has had its certificate from another attempt', { status: issued }],
];

describe('a recovery that found what was bought', () => {
  test('publishes it', () => {
    expect(decideAfterRecovery(inputs(brandNew), first, { adopt: ref(9) })).toEqual({
      do: 'publish',
      certificate: ref(9),
    });
  });

  test.each(outdating)('only remembers it if %s by now', (_, given) => {
    expect(decideAfterRecovery(inputs({ ...brandNew, ...given }), first, { adopt: ref(9) })).toEqual({
      do: 'remember',
      certificate: ref(9),
    });
  });

  test('only remembers it if the status has it already', () => {
    expect(decideAfterRecovery(inputs(reissuing), again, { adopt: ref(7) })).toEqual({
      do: 'remember',
      certificate: ref(7),
    });
  });

  test('publishes it if a status says so that somebody else may have written', () => {
    expect(decideAfterRecovery(inputs({ ...reissuing, sealed: false }), again, { adopt: ref(7) })).toEqual({
      do: 'publish',
      certificate: ref(7),
    });
  });
});

describe('a recovery that found nothing', () => {
  test.each<[string, Given, Attempt, Verdict, object]>([
    [
      'asks for a new certificate again',
      brandNew,
      first,
      NEW,
      { do: 'issue', operation: 'New', why: { reason: 'AttemptRepeated' } },
    ],
    [
      'reissues again while the previous certificate can be reissued',
      { ...reissuing, now: due },
      again,
      REISSUE,
      { do: 'issue', operation: 'Reissue' },
    ],
    [
      'buys a new key once the previous certificate is obsolete',
      { ...reissuing, now: due },
      again,
      NEW,
      { do: 'issue', operation: 'New' },
    ],
    ['ends the attempt if nothing is wanted any more', reissuing, again, REISSUE, { do: 'close' }],
    [
      'ends the attempt of a renewal that was disabled',
      { ...reissuing, spec: { renewal: { policy: 'Disabled' } }, generation: 2, now: due },
      again,
      REISSUE,
      { do: 'close' },
    ],
  ])('%s', (_, given, attempt, verdict, want) => {
    expect(decideAfterRecovery(inputs(given), attempt, verdict)).toMatchObject(want);
  });

  test.each(outdating)('concludeFirst: ends the attempt, and no more, if %s by now', (_, given) => {
    expect(decideAfterRecovery(inputs({ ...brandNew, ...given }), first, NEW)).toEqual({ do: 'close' });
  });

  test('never reissues on the word of a status with a broken seal', () => {
    expect(decideAfterRecovery(inputs({ ...reissuing, sealed: false }), again, REISSUE)).toMatchObject({
      do: 'issue',
      operation: 'New',
    });
  });

  test.each<[string, Given, Partial<AfterRecovery>]>([
    [
      'by a stopped account, which calls',
      { ...brandNew, turn: { phase: 'stopped', epoch: 1 } },
      { do: 'report', again: false },
    ],
    [
      'by a hold that the spec wants, for which the attempt no longer matters',
      { ...brandNew, spec: { desiredStatus: 'Hold' }, generation: 2 },
      { do: 'report', again: true },
    ],
    [
      'by a suspension',
      { ...brandNew, spec: { suspend: true }, generation: 2 },
      { do: 'report', again: false },
    ],
  ])('reports what blocks the next attempt: %s', (_, given, want) => {
    expect(decideAfterRecovery(inputs(given), first, NEW)).toMatchObject(want);
  });
});

describe('replyOnce: after answers that were in doubt', () => {
  const doubted = (doubts: number): Attempt => ({ ...first, doubts });

  test.each<[string, Attempt, Given, AfterRecovery['do']]>([
    ['one leads to another request', doubted(1), {}, 'issue'],
    ['two in a row do not', doubted(2), {}, 'giveUp'],
    ['two do not either if the seal of the status is broken', doubted(2), { sealed: false }, 'giveUp'],
    ['two end with the attempt if the spec wants something else by now', doubted(2), otherNames, 'close'],
    ['another obstacle is reported first', doubted(2), { spec: { suspend: true } }, 'report'],
  ])('%s', (_, attempt, given, want) => {
    expect(decideAfterRecovery(inputs({ ...brandNew, ...given }), attempt, NEW).do).toBe(want);
  });

  test.each([
    ['after they were reported and the backoff is over', 1_000, 'issue'],
    ['not before', -1_000, 'giveUp'],
  ] as const)('a reissue is tried again %s', (_, afterMs, want) => {
    const lastFailureTime = new Date(Date.parse(again.startTime) + afterMs).toISOString();
    const given = { ...reissuing, status: { ...issued, lastFailureTime }, now: due };
    expect(decideAfterRecovery(inputs(given), { ...again, doubts: 2 }, REISSUE)).toMatchObject({
      do: want,
      operation: 'Reissue',
    });
  });

  test('what was bought is published all the same', () => {
    expect(decideAfterRecovery(inputs(brandNew), doubted(2), { adopt: ref(9) }).do).toBe('publish');
  });
});
