import { describe, expect, test } from 'vitest';
import { ISSUED, attempt, issued, spec, otherAccount, ref } from '../../../test/support/inputs/inputs.ts';
import { effectiveNames } from '../../api/tinycert/effective.ts';
import type { CertificateDetails, CertificateSummary } from '../../tinycert/index.ts';
import { claimsOf, hasName, isAlike, isClaimedByOther, isFromWindow, withFormer } from './claims.ts';
import { type Request, askedFor, requestHash } from './request.ts';

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
  ['with the same name', {}, true],
  ['with another name', { commonName: 'other.example.com' }, false],
  ['with the name in other case', { commonName: 'WWW.example.com' }, true],
  ['that is revoked', { status: 'revoked' }, false],
  ['that has expired', { status: 'expired' }, true],
] as const)('a line of the list %s is alike: %s', (_, change, want) => {
  expect(isAlike(attempt, { ...line, ...change })).toBe(want);
});

test('a line of the list has the name of an attempt, whatever its status', () => {
  expect(hasName(attempt, { ...line, commonName: 'WWW.example.com' })).toBe(true);
  expect(hasName(attempt, { ...line, commonName: 'other.example.com' })).toBe(false);
});

test.each([
  ['the same', {}, true],
  ['names in another spelling', { alternativeNames: [{ type: 'DNS', value: 'WWW.example.com.' }] }, true],
  ['another organization', { subject: { ...details.subject, organization: 'Other' } }, false],
  ['a field that was not requested', { subject: { ...details.subject, locality: 'Maastricht' } }, false],
  ['an empty field, which counts as absent', { subject: { ...details.subject, locality: '' } }, true],
  [
    'one more name',
    { alternativeNames: [...details.alternativeNames, { type: 'IP', value: '192.0.2.1' }] },
    false,
  ],
  ['no names', { alternativeNames: [] }, false],
  ['a name of an unknown type', { otherNames: [{ type: 'RID', value: '1.2.3' }] }, false],
] as const)('details with %s match the request: %s', (_, change, want) => {
  const asked = askedFor(1, { ...details, ...change } as CertificateDetails);

  expect(asked !== undefined && requestHash(asked) === requestHash(request)).toBe(want);
});

test('the same names at another authority make another request', () => {
  const asked = askedFor(2, details);

  expect(asked && requestHash(asked)).not.toBe(requestHash(request));
});

describe('a certificate is from the attempt', () => {
  const timed = {
    ...attempt,
    since: new Date(ISSUED - 4_000).toISOString(),
    until: new Date(ISSUED + 49_000).toISOString(),
  };

  test.each([
    [-5_000, false],
    [-4_000, true],
    [49_000, true],
    [50_000, false],
  ])('windowStart, windowEnd: only if it begins within the window: at %d ms it is %s', (at, want) => {
    expect(isFromWindow(timed, ISSUED + at)).toBe(want);
  });
});

test('a resource claims its certificate, its former ones and those it has yet to revoke, and so at accounts that it left', () => {
  const pending = { ...ref(5), action: 'Revoke', notBefore: '2026-01-01T00:00:00Z' } as const;
  const elsewhere = { account: otherAccount };
  expect(
    claimsOf({
      ...issued,
      formerCertificates: [ref(3), ref(3, elsewhere), ref(4)],
      pendingRevocations: [pending],
      formerAccounts: [
        { ...ref(9, elsewhere), formerCertificates: [ref(8, elsewhere)] },
        { ...elsewhere, pendingRevocations: [{ ...pending, ...elsewhere }] },
      ],
    }),
  ).toEqual([
    ref(7),
    ref(9, elsewhere),
    ref(3),
    ref(3, elsewhere),
    ref(4),
    pending,
    ref(8, elsewhere),
    { ...pending, ...elsewhere },
  ]);
  expect(claimsOf(undefined)).toEqual([]);
});

test.each(['account', 'authorityId'] as const)('an id without its %s claims nothing', (field) => {
  const { [field]: _, ...stated } = ref(7);
  expect(claimsOf({ ...stated, formerCertificates: [ref(9)] })).toEqual([ref(9)]);
});

describe('an id is claimed by another', () => {
  const own = { metadata: { name: 'web', uid: 'own' }, status: issued };
  const other = { metadata: { name: 'web', uid: 'other' }, status: issued };
  const elsewhere = { ...other, status: { ...issued, account: otherAccount } };

  test.each([
    ['resource that claims it, even one of the same name', [own, other], true],
    ['resource, not by the resource itself', [own], false],
    ['resource, not by one without a status', [{ metadata: other.metadata }], false],
    ['resource, not by one that has the same id of another account', [elsewhere], false],
  ])('%s', (_, others, want) => {
    expect(isClaimedByOther(own, ref(7), others)).toBe(want);
  });
});

test('the newest twenty former certificates are kept, each once, and the dropped ones are returned', () => {
  const twenty = Array.from({ length: 20 }, (_, i) => ref(i + 1));

  expect(withFormer({}, ref(7))).toEqual({ kept: [ref(7)], dropped: [] });
  expect(withFormer({ formerCertificates: [ref(7)] }, ref(7), ref(6))).toEqual({
    kept: [ref(7), ref(6)],
    dropped: [],
  });
  const elsewhere = ref(7, { account: otherAccount });
  expect(withFormer({ formerCertificates: [ref(7)] }, elsewhere).kept).toEqual([ref(7), elsewhere]);
  expect(withFormer({ formerCertificates: twenty }, ref(30))).toEqual({
    kept: [...twenty.slice(1), ref(30)],
    dropped: [ref(1)],
  });
});
