import { describe, expect, test } from 'vitest';
import { certificate, readyIssuer } from '../../../test/support/inputs/inputs.ts';
import type { CertificateDetails } from '../../tinycert/index.ts';
import { markerOf } from './marker.ts';
import { type Request, askedFor, requestHash, requestOf } from './request.ts';

const names = {
  commonName: 'www.example.com',
  dns: ['www.example.com', 'a.example.com'],
  ip: [],
  uri: [],
  email: [],
};
const request: Request = { authorityId: 1, names, subject: { country: 'NL', organization: 'Example' } };

const same: [string, Request][] = [
  ['itself', { ...request, names: { ...names, dns: [...names.dns] } }],
  ['one with its names in another order', { ...request, names: { ...names, dns: [...names.dns].reverse() } }],
  ['one with an empty field', { ...request, subject: { ...request.subject, locality: '' } }],
];
const other: [string, Request][] = [
  ['another authority', { ...request, authorityId: 2 }],
  ['another subject', { ...request, subject: { country: 'BE', organization: 'Example' } }],
  ['one more name', { ...request, names: { ...names, uri: ['spiffe://x'] } }],
  ['another common name', { ...request, names: { ...names, commonName: 'a.example.com' } }],
];

test.each(same)('a request equals %s', (_, twin) => {
  expect(requestHash(twin)).toBe(requestHash(request));
});

test.each(other)('a request differs from one with %s', (_, stranger) => {
  expect(requestHash(stranger)).not.toBe(requestHash(request));
});

describe('the request of a resource', () => {
  const material = { subject: { country: 'NL', organization: 'Authority' } };
  const issuer = { ...readyIssuer, subject: { organization: 'Issuer', organizationalUnit: 'IT' } };
  const resource = certificate({ spec: { subject: { organizationalUnit: 'Web' } } });

  test('has the names of the spec, and each field of the subject from the nearest source', () => {
    expect(requestOf(resource, issuer, material)).toEqual({
      authorityId: 1,
      names: { commonName: 'www.example.com', dns: ['www.example.com'], ip: [], uri: [], email: [] },
      subject: { country: 'NL', organization: 'Issuer', organizationalUnit: 'Web' },
    });
  });

  test('has the marker as its organizational unit if the issuer marks certificates', () => {
    const { subject } = requestOf(resource, { ...issuer, marksFor: 'issuer-uid' }, material);
    expect(subject.organizationalUnit).toBe(markerOf('issuer-uid', 'uid'));
  });
});

describe('the request that a certificate came from', () => {
  const details: CertificateDetails = {
    id: 8,
    status: 'good',
    subject: { commonName: 'www.example.com', country: 'NL', organization: 'Example' },
    alternativeNames: [
      { type: 'DNS', value: 'www.example.com' },
      { type: 'IP', value: '192.0.2.1' },
      { type: 'URI', value: 'spiffe://x' },
      { type: 'email', value: 'a@example.com' },
    ],
    otherNames: [],
  };

  test('has its names by type, and its subject without the common name', () => {
    expect(askedFor(1, details)).toEqual({
      authorityId: 1,
      names: {
        commonName: 'www.example.com',
        dns: ['www.example.com'],
        ip: ['192.0.2.1'],
        uri: ['spiffe://x'],
        email: ['a@example.com'],
      },
      subject: { country: 'NL', organization: 'Example' },
    });
  });

  test('has no common name if the certificate has none', () => {
    expect(askedFor(1, { ...details, subject: {} })?.names.commonName).toBe('');
  });

  test('is undefined if no request can contain one of its names', () => {
    expect(askedFor(1, { ...details, otherNames: [{ type: 'RID', value: '1.2.3' }] })).toBeUndefined();
  });
});
