import { describe, expect, test } from 'vitest';
import { certificate, DAY, ISSUED, issued } from '../../../test/support/inputs/inputs.ts';
import type { CertificateSpec } from '../../api/tinycert/certificate-spec.ts';
import type { CertificateStatus } from '../../api/tinycert/certificate-status.ts';
import { renewalPlan } from './plan.ts';

const NOW = ISSUED + 30 * DAY;

function plan(spec: Partial<CertificateSpec> = {}, status: CertificateStatus = issued, now = NOW) {
  return renewalPlan(certificate({ spec, status }), now);
}

describe('the place within the jitter', () => {
  test('is the same whenever it is computed, and different for another resource or certificate', () => {
    const spec = { renewal: { policy: 'RenewBefore' } } as const;
    const first = certificate({ spec, status: issued });
    const other = { ...first, metadata: { ...first.metadata, uid: 'other' } };
    const next = certificate({ spec, status: { ...issued, certificateId: 8 } });

    expect(renewalPlan(first, NOW)).toEqual(renewalPlan(first, NOW + DAY));
    const times = [first, other, next].map((resource) => renewalPlan(resource, NOW)?.at);
    expect(new Set(times).size).toBe(3);
    for (const time of times) {
      expect(time).toBeGreaterThanOrEqual(ISSUED + 57 * DAY);
      expect(time).toBeLessThanOrEqual(ISSUED + 60 * DAY);
    }
  });

  test('does not matter without jitter', () => {
    expect(plan({ renewal: { policy: 'RenewBefore', jitterPercent: 0 } })).toMatchObject({
      at: ISSUED + 60 * DAY,
    });
  });
});

test.each<[string, Partial<CertificateSpec>, CertificateStatus]>([
  ['was never issued', {}, {}],
  ['has its renewal disabled', { renewal: { policy: 'Disabled' } }, issued],
  ['is on hold', {}, { ...issued, certificateStatus: 'hold' }],
  ['is revoked', {}, { ...issued, certificateStatus: 'revoked' }],
])('a certificate that %s has no renewal', (_, spec, status) => {
  expect(plan(spec, status)).toBeUndefined();
  expect(plan(spec, status, ISSUED + 100 * DAY)).toBeUndefined();
});

describe('a certificate that was bought with a clock ahead of the CA', () => {
  const none = { renewal: { policy: 'RenewBefore', jitterPercent: 0 } } as const;
  const boughtAt = (time: number): CertificateStatus => ({
    ...issued,
    attemptTime: new Date(time).toISOString(),
  });

  test('is kept for its minimum age by that clock', () => {
    const ahead = ISSUED + 70 * DAY;
    expect(plan(none, boughtAt(ahead), ahead)).toMatchObject({ at: ahead + 30 * DAY });
  });

  test('is renewed at its normal time once the clock is set right', () => {
    expect(plan(none, boughtAt(ISSUED + 70 * DAY), ISSUED + DAY)).toMatchObject({ at: ISSUED + 60 * DAY });
  });

  test('is renewed at its normal time if the clock is ahead by less than the minimum age', () => {
    expect(plan(none, boughtAt(ISSUED + 20 * DAY), ISSUED + 21 * DAY)).toMatchObject({
      at: ISSUED + 60 * DAY,
    });
  });
});

describe('with windows', () => {
  const window = { cron: '0 3 * * 6', timezone: 'Europe/Amsterdam', windowDuration: '2h' };
  const within = (...windows: (typeof window)[]): Partial<CertificateSpec> => ({
    renewal: { policy: 'RenewBefore', jitterPercent: 0, windows },
  });

  test('a renewal comes in the next window, at a place that is the same whenever it is computed', () => {
    // Due on Monday, the second of March.
    const opens = Date.parse('2026-03-07T02:00:00Z');
    const planned = plan(within(window));

    expect(planned?.isOutside).toBe(false);
    expect(planned?.at).toBeGreaterThanOrEqual(opens);
    expect(planned?.at).toBeLessThan(opens + 2 * 3_600_000);
    expect(plan(within(window), issued, ISSUED + 60 * DAY)).toEqual(planned);
  });

  test('an empty list means no windows', () => {
    expect(plan(within())).toEqual({ at: ISSUED + 60 * DAY, isOutside: false });
  });

  test('a renewal comes at its due time if no window opens', () => {
    expect(plan(within({ ...window, cron: '0 3 24 12 *' }))).toEqual({
      at: ISSUED + 60 * DAY,
      isOutside: true,
    });
  });
});
