import { describe, expect, test } from 'vitest';
import { inputs, issued, ref } from '../../../test/support/inputs/inputs.ts';
import type { CertificateSpec } from '../../api/tinycert/certificate-spec.ts';
import type { Observation } from '../../issuance/tinycert/inventory/observations.ts';
import { decide } from './plan.ts';
import { caStatusConditions } from './readiness.ts';

const revoked: Observation = { certificate: ref(7), from: 'good', to: 'revoked', candidates: [] };
const unlisted: Observation = {
  certificate: ref(7),
  from: 'good',
  to: 'unlisted',
  candidates: [ref(9), ref(8)],
};

function replacing(change: Partial<CertificateSpec> = {}): Partial<CertificateSpec> {
  const revocation = {
    onDelete: 'None',
    onReplace: 'None',
    delay: '1h',
    onExternalRevocation: 'Replace',
  } as const;
  return { revocation, ...change };
}

describe('what the list of the CA says of a certificate', () => {
  test.each([
    ['whatever else is needed', { secret: { state: 'absent' } as const }],
    ['whoever wrote the status', { sealed: false }],
    [
      'while its issuer is not ready',
      { issuer: { ready: false, reason: 'x', message: 'y' } as const, sealed: undefined },
    ],
    ['while it is suspended', { spec: { suspend: true } }],
  ])('is taken note of first, %s', (_, others) => {
    expect(decide(inputs({ observed: revoked, ...others }))).toEqual({ do: 'recordCaStatus', to: 'revoked' });
  });

  test('is looked into where it is not listed', () => {
    expect(decide(inputs({ observed: unlisted }))).toEqual({
      do: 'adoptReissued',
      candidates: [ref(9), ref(8)],
    });
  });

  test.each([
    ['on the word of a status without its seal', { sealed: false }],
    ['where the spec asks for other names anyway', { spec: { dnsNames: ['other.example.com'] } }],
    [
      'while its issuer is not ready',
      { issuer: { ready: false, reason: 'x', message: 'y' } as const, sealed: undefined },
    ],
  ])('is not followed %s', (_, others) => {
    expect(decide(inputs({ observed: unlisted, ...others })).do).not.toBe('adoptReissued');
  });
});

describe('a certificate that somebody revoked', () => {
  const status = { ...issued, certificateStatus: 'revoked' } as const;

  test('is replaced by one with another key if the spec says so', () => {
    expect(decide(inputs({ status, spec: replacing() }))).toMatchObject({ do: 'issue', operation: 'New' });
  });

  test.each([
    ['unless told otherwise', {}, status],
    ['where the spec wanted it', replacing(), { ...status, observedDesiredStatus: 'Revoked' } as const],
    ['while the spec wants none', replacing({ desiredStatus: 'Revoked' }), status],
  ])('is not replaced %s', (_, spec, now) => {
    expect(decide(inputs({ status: now, spec })).do).not.toBe('issue');
  });
});

describe('Ready, once a certificate turns out to be', () => {
  test.each([
    ['revoked', 'False', 'Revoked'],
    ['hold', 'False', 'OnHold'],
    ['good', 'True', 'Ready'],
    ['obsolete', 'True', 'NotListed'],
  ] as const)('%s, is %s: %s', (certificateStatus, status, reason) => {
    const observed = caStatusConditions(inputs({ status: { ...issued, certificateStatus } }));
    expect(observed).toMatchObject([{ type: 'Ready', status, reason }]);
  });

  test('good again, stays as it is while the Secret does not hold it', () => {
    expect(caStatusConditions(inputs({ secret: { state: 'absent' } }))).toEqual([]);
  });
});
