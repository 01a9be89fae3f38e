import { describe, expect, test } from 'vitest';
import {
  attempt as first,
  inputs,
  issued,
  spec,
  authority,
  otherAccount,
  ref,
} from '../../../test/support/inputs/inputs.ts';
import type { Attempt } from '../../api/tinycert/certificate-status.ts';
import { specHash } from '../../api/tinycert/effective.ts';
import { type AfterRecovery, decideAfterRecovery, type Verdict } from './after-recovery.ts';

const brandNew = { status: { attempt: first }, secret: { state: 'absent' } } as const;
/** A certificate that is served and good, with an open attempt to reissue it. */
const reissuing: Attempt = {
  ...first,
  id: 'attempt-2',
  operation: 'Reissue',
  previousId: 7,
  specHash: specHash(spec),
};
const otherNames = { spec: { dnsNames: ['b.example.com'] }, generation: 2 };
const due = Date.parse('2026-03-15T00:00:00Z');

const NEW: Verdict = { again: 'New' };
const REISSUE: Verdict = { again: 'Reissue' };

describe('a recovery that found what was bought', () => {
  test('publishes it', () => {
    expect(decideAfterRecovery(inputs(brandNew), first, { adopt: ref(9) })).toEqual({
      do: 'publish',
      certificate: ref(9),
    });
  });

  test.each<[string, Parameters<typeof inputs>[0]]>([
    ['another spec is wanted', { ...brandNew, ...otherNames }],
    [
      'another authority is wanted',
      {
        ...brandNew,
        issuer: { ready: true, issuer: { authority: { ...authority, authorityId: 2 } } as never },
      },
    ],
    [
      'another account is wanted, whose authority has the same id,',
      {
        ...brandNew,
        issuer: { ready: true, issuer: { authority: { ...authority, account: otherAccount } } as never },
      },
    ],
  ])('only remembers it if %s by now', (_, given) => {
    expect(decideAfterRecovery(inputs(given), first, { adopt: ref(9) })).toEqual({
      do: 'remember',
      certificate: ref(9),
    });
  });
});

describe('a recovery that found nothing', () => {
  test.each<[string, Parameters<typeof inputs>[0], Attempt, Verdict, object]>([
    [
      'asks for a new certificate again',
      brandNew,
      first,
      NEW,
      { do: 'issue', operation: 'New', why: { reason: 'AttemptRepeated' } },
    ],
    [
      'asks for what the present spec wants',
      { ...brandNew, ...otherNames },
      first,
      NEW,
      { do: 'issue', operation: 'New', why: { reason: 'RequestChanged' } },
    ],
    [
      'reissues again while the previous certificate can be reissued',
      { status: { ...issued, attempt: reissuing }, now: due },
      reissuing,
      REISSUE,
      { do: 'issue', operation: 'Reissue' },
    ],
    [
      'buys a new key once the previous certificate is obsolete',
      { status: { ...issued, attempt: reissuing }, now: due },
      reissuing,
      NEW,
      { do: 'issue', operation: 'New' },
    ],
    [
      'ends the attempt if nothing is wanted any more',
      { status: { ...issued, attempt: reissuing } },
      reissuing,
      REISSUE,
      { do: 'close' },
    ],
    [
      'ends the attempt of a renewal that was disabled',
      {
        status: { ...issued, attempt: reissuing },
        spec: { renewal: { policy: 'Disabled' } },
        generation: 2,
        now: due,
      },
      reissuing,
      REISSUE,
      { do: 'close' },
    ],
  ])('%s', (_, given, attempt, verdict, want) => {
    expect(decideAfterRecovery(inputs(given), attempt, verdict)).toMatchObject(want);
  });

  test('never reissues on the word of a status with a broken seal', () => {
    const forged = { status: { ...issued, attempt: reissuing }, sealed: false } as const;
    expect(decideAfterRecovery(inputs(forged), reissuing, REISSUE)).toMatchObject({
      do: 'issue',
      operation: 'New',
    });
  });

  test.each<[string, Parameters<typeof inputs>[0], Partial<AfterRecovery>]>([
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

  test.each<[string, Attempt, Parameters<typeof inputs>[0], string]>([
    ['one leads to another request', doubted(1), {}, 'issue'],
    ['two in a row do not', doubted(2), {}, 'giveUp'],
    ['two do if the spec wants something else by now', doubted(2), otherNames, 'issue'],
    ['two that no seal covers do', doubted(2), { sealed: false }, 'issue'],
    ['another obstacle is reported first', doubted(2), { spec: { suspend: true } }, 'report'],
  ])('%s', (_, attempt, given, want) => {
    expect(decideAfterRecovery(inputs({ ...brandNew, ...given }), attempt, NEW).do).toBe(want);
  });

  test('what was bought is published all the same', () => {
    expect(decideAfterRecovery(inputs(brandNew), doubted(2), { adopt: ref(9) }).do).toBe('publish');
  });
});
