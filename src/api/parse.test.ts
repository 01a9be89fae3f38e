import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { parseCertificate, parseIssuer } from './parse.ts';

const metadata = { name: 'web', namespace: 'shop', uid: 'u', labels: { app: 'web' } };
const spec = { secretName: 'web-tls', issuerRef: { name: 'ca' }, dnsNames: ['www.example.com'] };
const issuerSpec = { credentialsSecretRef: { name: 'account' }, authority: { id: 7 } };
const pending = {
  account: '0123456789abcdef0123456789abcdef',
  authorityId: 7,
  certificateId: 41,
  action: 'Revoke',
  notBefore: '2026-01-01T00:00:00Z',
};

describe('a renewal window that no CEL rule can refuse', () => {
  const windowed = (cron: string, timezone: string): unknown => ({
    metadata,
    spec: {
      ...spec,
      renewal: {
        windows: [
          { cron: '0 3 * * 6', windowDuration: '2h' },
          { cron, timezone, windowDuration: '2h' },
        ],
      },
    },
  });

  test.each([
    ['0 3 * * *', 'Mars/Olympus', 'timezone: "Mars/Olympus" is not a known time zone'],
    ['0 5-1 * * *', 'UTC', 'cron: "0 5-1 * * *" is not a schedule'],
    ['*/99 * * * *', 'UTC', 'cron: "*/99 * * * *" is not a schedule'],
    ['0 0 31 2,4 *', 'UTC', 'cron: "0 0 31 2,4 *" never matches'],
  ])('is reported with its path: %s in %s', (cron, timezone, message) => {
    expect(parseCertificate(windowed(cron, timezone))).toEqual({
      ok: false,
      message: expect.stringContaining(`spec.renewal.windows[1].${message}`) as string,
    });
  });

  test('is not reported if it can be used', () => {
    expect(parseCertificate(windowed('0 0 29 2 *', 'America/Sao_Paulo')).ok).toBe(true);
  });
});

describe('a certificate from the cluster', () => {
  test('gets the defaults that an older CRD lacks, and keeps its metadata', () => {
    const parsed = parseCertificate({
      apiVersion: 'a/b',
      kind: 'K',
      metadata,
      spec: { ...spec, privateKey: {} },
    });

    expect(parsed).toEqual({
      ok: true,
      object: {
        apiVersion: 'a/b',
        kind: 'K',
        metadata,
        spec: {
          ...spec,
          issuerRef: { kind: 'TinyCertIssuer', name: 'ca' },
          privateKey: { rotationPolicy: 'Never' },
        },
      },
    });
  });

  test('loses the fields of a newer CRD, at every depth', () => {
    const parsed = parseCertificate({
      metadata,
      spec: { ...spec, tomorrow: true, issuerRef: { name: 'ca', group: 'x' } },
      status: { certificateId: 42, later: 1, pendingRevocations: [{ ...pending, later: 1 }] },
    });

    expect(parsed).toMatchObject({
      ok: true,
      object: {
        spec: { issuerRef: { kind: 'TinyCertIssuer', name: 'ca' } },
        status: { certificateId: 42, pendingRevocations: [pending] },
      },
    });
    expect(JSON.stringify(parsed)).not.toMatch(/tomorrow|group|later/);
  });

  test.each([
    ['no object at all', null, 'the object has no metadata with a name'],
    ['no metadata', { spec }, 'the object has no metadata with a name'],
    ['no spec', { metadata }, 'spec: '],
    ['a field of the wrong type', { metadata, spec: { ...spec, dnsNames: 'a' } }, 'spec.dnsNames: '],
    [
      'a value that is not offered',
      { metadata, spec: { ...spec, issuerRef: { kind: 'X', name: 'a' } } },
      'spec.issuerRef.kind: ',
    ],
    ['a broken rule of a field', { metadata, spec: { ...spec, secretName: 'Web' } }, 'spec.secretName: '],
    [
      'a broken rule of an item',
      { metadata, spec: { ...spec, dnsNames: ['a', 'b c'] } },
      'spec.dnsNames[1]: ',
    ],
    [
      'a broken rule between fields',
      { metadata, spec: { ...spec, renewBefore: '720h', renewBeforePercentage: 30 } },
      'spec.renewBeforePercentage: renewBefore and renewBeforePercentage cannot both be set',
    ],
    [
      'half a count',
      { metadata, spec, status: { refusedFetches: { count: 1 } } },
      'status.refusedFetches.account: ',
    ],
  ])('is refused with a message if it has %s', (_, value, message) => {
    const parsed = parseCertificate(value);

    expect(parsed).toMatchObject({ ok: false });
    expect('message' in parsed && parsed.message).toContain(message);
  });

  test('never makes the parser throw, whatever it is', () => {
    const odd = fc.oneof(
      fc.anything({ withNullPrototype: true, withDate: true }),
      fc.record({ metadata: fc.constant(metadata), spec: fc.anything(), status: fc.anything() }),
      fc.record({
        metadata: fc.constant(metadata),
        spec: fc.dictionary(fc.constantFrom(...Object.keys(spec), 'commonName', 'subject'), fc.anything()),
      }),
    );
    fc.assert(
      fc.property(odd, (value) => {
        expect(parseCertificate(value)).toHaveProperty('ok');
      }),
    );
  });
});

describe('an issuer from the cluster', () => {
  test('gets the public endpoint', () => {
    expect(parseIssuer({ metadata, spec: issuerSpec })).toMatchObject({
      ok: true,
      object: { metadata, spec: { ...issuerSpec, endpoint: 'https://www.tinycert.org/api/v1/' } },
    });
  });

  test.each([
    [
      'an authority with both id and name',
      { ...issuerSpec, authority: { id: 7, name: 'x' } },
      'spec.authority: ',
    ],
    ['an authority with neither id nor name', { ...issuerSpec, authority: {} }, 'spec.authority: '],
    ['no credentials', { authority: { id: 7 } }, 'spec.credentialsSecretRef: '],
    ['plain HTTP', { ...issuerSpec, endpoint: 'http://ca.example.com/' }, 'spec.endpoint: '],
    [
      'two bundles',
      { ...issuerSpec, caBundle: '-----BEGIN CERTIFICATE-----', caBundleSecretRef: { name: 'x' } },
      'spec.caBundleSecretRef: ',
    ],
  ])('is refused with a message if it has %s', (_, broken, message) => {
    const parsed = parseIssuer({ metadata, spec: broken });

    expect('message' in parsed && parsed.message).toContain(message);
  });
});
