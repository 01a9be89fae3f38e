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
  const bought = { ...openAttempt, attempt: { ...attempt, certificateId: 7 } };

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
    expect(decide(inputs({ ...absent, status, attempt: bought }))).toMatchObject(want);
  });
});

describe('a renewal that is due', () => {
  const due = ISSUED + 60 * DAY;

  test.each<[string, CertificateStatus, string]>([
    ['keeps the key', {}, 'Reissue'],
    ['keeps the key although the CA refused the certificate', refused(9), 'Reissue'],
    ['has a new key if the CA no longer has the certificate', refused(1, { confirmed: true }), 'New'],
    [
      'keeps the key if the CA no longer has the one before',
      refused(1, { certificateId: 6, confirmed: true }),
      'Reissue',
    ],
  ])('%s', (_, status, operation) => {
    const given = { status: { ...issued, ...status }, now: due };
    expect(decide(inputs(given))).toMatchObject({ do: 'issue', operation });
  });
});
