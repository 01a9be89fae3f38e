import { describe, expect, test } from 'vitest';
import { attempt, inputs, issued, ref } from '../../../test/support/inputs/inputs.ts';
import type { CertificateStatus, RefusedFetches } from '../../api/tinycert/certificate-status.ts';
import { decide } from './plan.ts';

const absent = { secret: { state: 'absent' } } as const;
const refused = (count: number, more: Partial<RefusedFetches> = {}): CertificateStatus => ({
  refusedFetches: { ...ref(7), count, confirmed: false, ...more },
});

describe('a certificate that is only to be fetched again', () => {
  test.each<[string, CertificateStatus, string]>([
    ['was never refused', {}, 'republish'],
    ['was refused four times in a row', refused(4), 'republish'],
    ['was refused five times in a row', refused(5), 'issue'],
    ['does not exist, as the CA said twice', refused(1, { confirmed: true }), 'issue'],
    ['follows one that was refused', refused(9, { certificateId: 6, confirmed: true }), 'republish'],
  ])('that %s', (_, status, want) => {
    expect(decide(inputs({ ...absent, status: { ...issued, ...status } })).do).toBe(want);
  });

  test('that met other failures is not bought again', () => {
    const status = { ...issued, ...refused(1), failedAttempts: 9 };
    expect(decide(inputs({ ...absent, status })).do).toBe('republish');
  });
});

describe('a certificate that was just bought', () => {
  const bought = { attempt: { ...attempt, certificateId: 7 } };
  const known = { quietAt: 0, progress: { is: 'open' } } as const;

  test.each<[string, CertificateStatus, object]>([
    ['refused five times is fetched again', refused(5), { do: 'resume', bought: ref(7) }],
    ['that does not exist is fetched again', refused(1, { confirmed: true }), { do: 'resume' }],
    ['refused six times is given up for another one', refused(6), { do: 'issue', givesUp: ref(7) }],
    [
      'is fetched again although the one before it was given up',
      refused(6, { certificateId: 6 }),
      { do: 'resume', bought: ref(7) },
    ],
  ])('%s', (_, status, want) => {
    const given = { ...absent, status: { ...bought, ...status }, attempt: known };
    expect(decide(inputs(given))).toMatchObject(want);
  });
});
