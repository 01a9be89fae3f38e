import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { certificate, issued, ref, spec } from '../../test/support/inputs/inputs.ts';
import type { TinyCertCertificate } from './kinds.ts';
import { parseCertificate } from './parse.ts';
import { UNREADABLE_NAME, readableCertificate } from './readable.ts';

const revocation = {
  onDelete: 'Revoke',
  onReplace: 'Hold',
  delay: '1h',
  onExternalRevocation: 'Report',
} as const;

function given(change: object, status: object = issued): TinyCertCertificate {
  return { ...certificate(), spec: { ...spec, revocation, ...change }, status };
}

const nobody = { kind: 'TinyCertIssuer', name: UNREADABLE_NAME };

describe('of a certificate that cannot be parsed', () => {
  test.each<[string, object]>([
    ['time zone', { renewal: { windows: [{ cron: '0 3 * * *', timezone: 'Mars/Olympus' }] } }],
    ['schedule', { renewal: { windows: [{ cron: '0 0 31 2 *', windowDuration: '2h' }] } }],
    ['lifetime', { renewBefore: 'soon' }],
    ['pair of fields', { renewBefore: '1h', renewBeforePercentage: 10 }],
    ['name', { ipAddresses: ['not-an-address'] }],
    ['list of names', { dnsNames: 'www.example.com' }],
    ['key', { privateKey: { rotationPolicy: 'Sometimes' } }],
    ['wanted status', { desiredStatus: 'Better' }],
    ['set of names', { dnsNames: undefined }],
  ])('an unusable %s costs nothing that its deletion needs', (_, change) => {
    const resource = given(change);
    expect(parseCertificate(resource).ok).toBe(false);
    const { object, unreadable } = readableCertificate(resource);
    expect(unreadable).toEqual([]);
    expect(object).toMatchObject({
      metadata: { uid: 'uid' },
      spec: { secretName: 'web-tls', issuerRef: { kind: 'TinyCertIssuer', name: 'ca' }, revocation },
      status: issued,
    });
  });

  test.each<[string, object, object, string[]]>([
    [
      'an action',
      { revocation: { ...revocation, onDelete: 'Destroy' } },
      { revocation: { ...revocation, onDelete: 'None' } },
      ['spec.revocation.onDelete'],
    ],
    ['a delay', { revocation: { ...revocation, delay: 'later' } }, { revocation }, ['spec.revocation.delay']],
    ['the revocation', { revocation: 'all' }, { revocation: undefined }, ['spec.revocation']],
    [
      'the kind of the issuer',
      { issuerRef: { kind: 'Issuer', name: 'ca' } },
      { issuerRef: nobody },
      ['spec.issuerRef.kind'],
    ],
    ['the name of the issuer', { issuerRef: {} }, { issuerRef: nobody }, ['spec.issuerRef.name']],
    ['the issuer', { issuerRef: 'ca' }, { issuerRef: nobody }, ['spec.issuerRef']],
    ['the Secret', { secretName: '..' }, { secretName: UNREADABLE_NAME }, ['spec.secretName']],
  ])('%s that cannot be read counts as absent and is named', (_, change, want, paths) => {
    const { object, unreadable } = readableCertificate(given(change));
    expect({ revocation: undefined, ...object.spec }).toMatchObject(want);
    expect(unreadable).toEqual(paths);
  });

  test('a spec that is no object is named as a whole', () => {
    const { object, unreadable } = readableCertificate({ ...given({}), spec: [] } as never);
    expect(object.spec).toEqual({ secretName: UNREADABLE_NAME, issuerRef: nobody });
    expect(unreadable).toEqual(['spec']);
  });

  test('what is left of a damaged status is kept, item by item', () => {
    const pending = { ...ref(3), action: 'Revoke', notBefore: '2026-01-01T00:00:00Z' };
    const { object, unreadable } = readableCertificate(
      given({}, { ...issued, attemptId: 7, pendingRevocations: [pending, { action: 'Burn' }] }),
    );
    expect(object.status).toMatchObject({ certificateId: 7, pendingRevocations: [pending] });
    expect(object.status).not.toHaveProperty('attemptId');
    expect(unreadable).toEqual(['status.attemptId', 'status.pendingRevocations']);
  });

  test('anything at all is read without an error', () => {
    fc.assert(
      fc.property(fc.anything(), fc.anything(), (anySpec, anyStatus) => {
        const { object } = readableCertificate({
          ...certificate(),
          spec: anySpec,
          status: anyStatus,
        } as never);
        expect(object.spec.issuerRef.name.length).toBeGreaterThan(0);
      }),
    );
  });
});
