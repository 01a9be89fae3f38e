import { expect, test } from 'vitest';
import { attempt, ISSUED, spec } from '../../test/support/inputs.ts';
import { effectiveNames } from '../api/effective.ts';
import type { CertificateDetails, CertificateSummary } from '../tinycert/index.ts';
import { isCandidate, isFor, isFromWindow } from './claims.ts';
import type { Request } from './request.ts';

const names = effectiveNames(spec);
const request: Request = { authorityId: 1, names, subject: { country: 'NL', organization: 'Example' } };
const line: CertificateSummary = { id: 8, commonName: 'www.example.com', status: 'good', expires: 0 };
const details: CertificateDetails = {
  id: 8,
  status: 'good',
  subject: { commonName: 'www.example.com', country: 'NL', organization: 'Example' },
  alternativeNames: [{ type: 'DNS', value: 'www.example.com' }],
  otherNames: [],
};

test.each([
  ['a newer one of the same name', {}, true],
  ['one that was known before the attempt', { id: 5 }, false],
  ['one of another name', { commonName: 'other.example.com' }, false],
  ['one in other letters', { commonName: 'WWW.example.com' }, true],
  ['one that was revoked', { status: 'revoked' }, false],
  ['one that has expired since', { status: 'expired' }, true],
] as const)('a line of the list, %s: candidate is %s', (_, change, want) => {
  expect(isCandidate(attempt, names, { ...line, ...change })).toBe(want);
});

test('a reissue looks behind the certificate it started from, since other attempts may have raised what is known', () => {
  const reissue = { ...attempt, operation: 'Reissue', previousId: 6, afterId: 20 } as const;
  expect(isCandidate(reissue, names, line)).toBe(true);
  expect(isCandidate(reissue, names, { ...line, id: 6 })).toBe(false);
});

test.each([
  ['the same', {}, true],
  ['another organization', { subject: { ...details.subject, organization: 'Other' } }, false],
  ['a field that was not asked for', { subject: { ...details.subject, locality: 'Maastricht' } }, false],
  ['an empty field, which is none', { subject: { ...details.subject, locality: '' } }, true],
  [
    'a name more',
    { alternativeNames: [...details.alternativeNames, { type: 'IP', value: '192.0.2.1' }] },
    false,
  ],
  ['no names', { alternativeNames: [] }, false],
  ['a name of an unknown type', { otherNames: [{ type: 'RID', value: '1.2.3' }] }, false],
] as const)('details with %s: fit is %s', (_, change, want) => {
  expect(isFor(request, { ...details, ...change } as CertificateDetails)).toBe(want);
});

test('a certificate is from the attempt if it begins while the attempt could act, give or take five minutes', () => {
  const minute = 60_000;

  expect(isFromWindow(attempt, ISSUED - 5 * minute, minute)).toBe(true);
  expect(isFromWindow(attempt, ISSUED - 6 * minute, minute)).toBe(false);
  expect(isFromWindow(attempt, ISSUED + 6 * minute, minute)).toBe(true);
  expect(isFromWindow(attempt, ISSUED + 7 * minute, minute)).toBe(false);
});
