import { describe, expect, test } from 'vitest';
import { attempt, DAY, ISSUED, issued, otherAccount, ref } from '../../../test/support/inputs/inputs.ts';
import type { CertificateSpec } from '../../api/tinycert/certificate-spec.ts';
import { afterReplacement } from './revoke-replaced.ts';

const now = ISSUED + 30 * DAY;
const HOUR = 3_600_000;

function spec(onReplace: 'None' | 'Hold' | 'Revoke', delay = '1h'): Pick<CertificateSpec, 'revocation'> {
  return { revocation: { onDelete: 'None', onReplace, delay, onExternalRevocation: 'Report' } };
}

/** The attempt that a new certificate came of, and when. */
const at = { now, attempt };
const reissue = { ...attempt, operation: 'Reissue', previousId: 7 } as const;

describe('what a new certificate promises', () => {
  test('is to hold or revoke the one it replaced, after the delay', () => {
    for (const action of ['Hold', 'Revoke'] as const) {
      const { pendingRevocations = [] } = afterReplacement(spec(action), issued, ref(9), at);
      expect(pendingRevocations).toEqual([
        {
          ...ref(7),
          action,
          notBefore: new Date(now + HOUR + 1000).toISOString().replace('.000Z', 'Z'),
        },
      ]);
    }
  });

  test.each<[string, Parameters<typeof afterReplacement>]>([
    ['with None', [spec('None'), issued, ref(9), at]],
    ['for the first one', [spec('Revoke'), {}, ref(9), at]],
    ['for the same one again', [spec('Revoke'), issued, ref(7), at]],
    [
      'for a reissue, which the CA makes obsolete itself',
      [spec('Revoke'), issued, ref(9), { now, attempt: reissue }],
    ],
    [
      'for one that is obsolete, whoever reissued it',
      [spec('Revoke'), { ...issued, certificateStatus: 'obsolete' }, ref(9), { now }],
    ],
    ['for one that is revoked', [spec('Revoke'), { ...issued, certificateStatus: 'revoked' }, ref(9), at]],
    ['for one that has expired', [spec('Revoke'), issued, ref(9), { ...at, now: ISSUED + 91 * DAY }]],
  ])('is nothing %s', (_, given) => {
    expect(afterReplacement(...given)).toEqual({});
  });

  test.each<[string, Parameters<typeof afterReplacement>[3]]>([
    ['that came of no attempt', { now }],
    ['that was reissued from another one', { now, attempt: { ...reissue, previousId: 6 } }],
    [
      'that was reissued from one of that number at another account',
      { now, attempt: { ...reissue, account: otherAccount } },
    ],
  ])('is the same for one %s', (_, given) => {
    expect(afterReplacement(spec('Hold'), issued, ref(9), given)).toMatchObject({
      pendingRevocations: [ref(7)],
    });
  });

  test('comes on top of what waits already', () => {
    const first = { ...ref(3), action: 'Hold', notBefore: '2026-06-01T00:00:00Z' } as const;
    const { pendingRevocations } = afterReplacement(
      spec('Revoke'),
      { ...issued, pendingRevocations: [first] },
      ref(9),
      at,
    );
    expect(pendingRevocations).toEqual([first, expect.objectContaining({ certificateId: 7 })]);
  });

  test('never outgrows the schema: when many wait, they wait no longer', () => {
    const pendingRevocations = Array.from({ length: 100 }, (_, i) => ({
      ...ref(1000 + i),
      action: 'Revoke' as const,
      notBefore: '2030-01-01T00:00:00Z',
    }));
    const next = afterReplacement(spec('Revoke', '8640h'), { ...issued, pendingRevocations }, ref(9), at);
    expect(next.pendingRevocations).toHaveLength(100);
    for (const { notBefore } of next.pendingRevocations ?? [])
      expect(Date.parse(notBefore)).toBeLessThanOrEqual(now + 1000);
  });

  test('is also that it is good, where that is wanted', () => {
    expect(afterReplacement({ desiredStatus: 'Good' }, issued, ref(9), at)).toEqual({
      observedDesiredStatus: 'Good',
    });
    expect(afterReplacement({ desiredStatus: 'Good' }, issued, ref(7), at)).toEqual({});
  });
});
