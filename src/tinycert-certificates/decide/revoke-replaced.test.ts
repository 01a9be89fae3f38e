import { describe, expect, test } from 'vitest';
import { attempt, DAY, ISSUED, issued, ref } from '../../../test/support/inputs/inputs.ts';
import type { CertificateStatus } from '../../api/tinycert/certificate-status.ts';
import type { CertificateSpec } from '../../api/tinycert/certificate-spec.ts';
import { afterReplacement } from './revoke-replaced.ts';

const now = ISSUED + 30 * DAY;
const HOUR = 3_600_000;

function spec(onReplace: 'None' | 'Hold' | 'Revoke', delay = '1h'): Pick<CertificateSpec, 'revocation'> {
  return { revocation: { onDelete: 'None', onReplace, delay, onExternalRevocation: 'Report' } };
}

const replacing: CertificateStatus = { ...issued, attempt: { ...attempt, number: 2 } };

describe('what a new certificate promises', () => {
  test('is to hold or revoke the one it replaced, after the delay', () => {
    for (const action of ['Hold', 'Revoke'] as const) {
      const { pendingRevocations = [] } = afterReplacement(spec(action), replacing, ref(9), now);
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
    ['with None', [spec('None'), replacing, ref(9), now]],
    ['for the first one', [spec('Revoke'), { attempt }, ref(9), now]],
    ['for the same one again', [spec('Revoke'), replacing, ref(7), now]],
    [
      'for a reissue, which the CA makes obsolete itself',
      [
        spec('Revoke'),
        { ...issued, attempt: { ...attempt, operation: 'Reissue', previousId: 7 } },
        ref(9),
        now,
      ],
    ],
    [
      'for one that is revoked',
      [spec('Revoke'), { ...replacing, certificateStatus: 'revoked' }, ref(9), now],
    ],
    ['for one that has expired', [spec('Revoke'), replacing, ref(9), ISSUED + 91 * DAY]],
  ])('is nothing %s', (_, given) => {
    expect(afterReplacement(...given)).toEqual({});
  });

  test('comes on top of what waits already', () => {
    const first = { ...ref(3), action: 'Hold', notBefore: '2026-06-01T00:00:00Z' } as const;
    const { pendingRevocations } = afterReplacement(
      spec('Revoke'),
      { ...replacing, pendingRevocations: [first] },
      ref(9),
      now,
    );
    expect(pendingRevocations).toEqual([first, expect.objectContaining({ certificateId: 7 })]);
  });

  test('never outgrows the schema: when many wait, they wait no longer', () => {
    const pendingRevocations = Array.from({ length: 100 }, (_, i) => ({
      ...ref(1000 + i),
      action: 'Revoke' as const,
      notBefore: '2030-01-01T00:00:00Z',
    }));
    const next = afterReplacement(spec('Revoke', '8640h'), { ...replacing, pendingRevocations }, ref(9), now);
    expect(next.pendingRevocations).toHaveLength(100);
    for (const { notBefore } of next.pendingRevocations ?? [])
      expect(Date.parse(notBefore)).toBeLessThanOrEqual(now + 1000);
  });

  test('is also that it is good, where that is wanted', () => {
    expect(afterReplacement({ desiredStatus: 'Good' }, replacing, ref(9), now)).toEqual({
      observedDesiredStatus: 'Good',
    });
    expect(afterReplacement({ desiredStatus: 'Good' }, replacing, ref(7), now)).toEqual({});
  });
});
